"""Processing acquisitions into a branch of results, beside those that are there (BY-06)."""

import queue
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.branches import ReprocessParameters
from athena.contract.elements import DatasetType
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind
from athena.contract.processing import MovieTask
from athena.db.acquisitions import AcquisitionRow, SourceRow, bump_version
from athena.db.base import now
from athena.db.branches import BranchAcquisitionRow, BranchRow, Results, count_branch
from athena.db.events import append_event
from athena.db.jobs import processing_job
from athena.db.user_metrics import wake_user_metrics
from athena.domain.job_kinds import JobSpec
from athena.errors import AthenaError, Unavailable
from athena.jobs.collect import completed_metrics, describe_progress, write_columns, write_run_columns
from athena.jobs.context import JobContext
from athena.jobs.plan import frames_of, make_task
from athena.jobs.work import Outcome
from athena.zarrio.writer import RunWriter

KIND = JobSpec(
    name=JobKind.REPROCESS.value,
    label="Reprocessing",
    parameters=ReprocessParameters,
    dataset_types=(DatasetType.EPU_RUN,),
    run="athena.jobs.reprocess:run",
    prepare="athena.services.branches:prepare_reprocess",
    tidy="athena.jobs.reprocess:tidy",
    slot="reprocess",
    unit="acquisitions",
    automatic_attempts=0,
)

QUEUE_DEPTH = 2
"""Movies given to the executor at a time, in units of its workers."""
GATHER_SECONDS = 0.2
MAX_LOSSES = 3


def run(context: JobContext) -> None:
    """Process what the branch was given; what a run before this one had begun is begun again."""
    Reprocessing(context).run()


def tidy(context: JobContext) -> None:
    """Of a job that was called off: nothing is being processed any more. What is done stays."""
    wanted: ReprocessParameters = context.parameters
    of_run = BranchRow.run_id == context.element_id
    number = select(BranchRow.number).where(of_run, BranchRow.name == wanted.branch).scalar_subquery()
    with context.database.session() as session:
        session.execute(
            update(BranchAcquisitionRow)
            .where(
                BranchAcquisitionRow.run_id == context.element_id,
                BranchAcquisitionRow.number == number,
                BranchAcquisitionRow.state == AcquisitionState.PROCESSING.value,
            )
            .values(state=AcquisitionState.REGISTERED.value)
        )


class Reprocessing:
    """One such job at work. It alone writes the branch: the default one is never touched."""

    def __init__(self, context: JobContext) -> None:
        if context.executor is None:
            raise Unavailable("This runner processes no movies.")
        self._context = context
        self._executor = context.executor
        wanted: ReprocessParameters = context.parameters
        with context.reading() as session:
            row = session.scalars(
                select(BranchRow).where(BranchRow.run_id == context.element_id, BranchRow.name == wanted.branch)
            ).one()
            self._source = session.get(SourceRow, context.element_id)
        self._results = Results(row.run_id, row.number, row.name, default=False)
        self._parameters = row.parameters
        self._store = str(context.settings.run_store(str(row.run_id), row.number))
        self._reports: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._in_flight: dict[int, AcquisitionRow] = {}
        self._losses: dict[int, int] = {}

    def run(self) -> None:
        """Plan, follow and collect until nothing is left."""
        self._executor.start()
        self._reclaim()
        try:
            while self._plan() or self._in_flight:
                self._context.check()
                if outcomes := self._gather():
                    self._collect(outcomes)
        finally:
            self._executor.cancel(str(self._results.run_id), self._results.number)
        self._context.progress(save=True)

    def _mine(self) -> tuple[object, object]:
        of_run = BranchAcquisitionRow.run_id == self._results.run_id
        return of_run, BranchAcquisitionRow.number == self._results.number

    def _reclaim(self) -> None:
        with self._context.transaction() as session:
            session.execute(
                update(BranchAcquisitionRow)
                .where(*self._mine(), BranchAcquisitionRow.state == AcquisitionState.PROCESSING.value)  # type: ignore[arg-type]
                .values(state=AcquisitionState.REGISTERED.value)
            )
            self._tell(session)

    def _plan(self) -> int:
        """Send as many movies as there is room for; how many. Unavailable while their folder is away."""
        room = QUEUE_DEPTH * self._executor.workers - len(self._in_flight)
        if room <= 0:
            return 0
        with self._context.reading() as session:
            rows = session.scalars(
                select(AcquisitionRow)
                .join(BranchAcquisitionRow, BranchAcquisitionRow.index == AcquisitionRow.index)
                .where(
                    *self._mine(),  # type: ignore[arg-type]
                    AcquisitionRow.run_id == self._results.run_id,
                    BranchAcquisitionRow.state == AcquisitionState.REGISTERED.value,
                )
                .order_by(AcquisitionRow.index)
                .limit(room)
            ).all()
        if not rows:
            return 0
        if self._source is not None and not Path(self._source.path).is_dir():
            raise Unavailable("The folder of the movies is not there (is its storage away?).")
        frames = max(frames_of(row, self._parameters) for row in rows)
        writer = RunWriter.create(self._store, frames=frames)
        writer.ensure_length(max(row.index for row in rows) + 1)
        tasks: list[MovieTask] = []
        failed: dict[int, str] = {}
        for row in rows:
            try:
                tasks.append(self._task(row))
            except AthenaError as error:
                failed[row.index] = str(error)
        with self._context.transaction() as session:
            self._set(session, [task.index for task in tasks], AcquisitionState.PROCESSING)
            for index, reason in failed.items():
                self._set(session, [index], AcquisitionState.ERROR, error=reason)
            self._tell(session)
        self._in_flight |= {row.index: row for row in rows if row.index not in failed}
        for task in tasks:
            self._executor.submit(task, self._reports.put)
        return len(rows)

    def _task(self, row: AcquisitionRow) -> MovieTask:
        return make_task(
            row, parameters=self._parameters, source=self._source, store=self._store, branch=self._results.number
        )

    def _gather(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            outcomes.append(self._reports.get(timeout=GATHER_SECONDS))
            while True:
                outcomes.append(self._reports.get_nowait())
        except queue.Empty:
            return outcomes

    def _collect(self, outcomes: Sequence[Outcome]) -> None:
        """Record outcomes under the job's lock, as the collector does: arrays, then rows, then events."""
        rows = {outcome.index: self._in_flight[outcome.index] for outcome in outcomes}
        with self._context.transaction() as session:
            # whoever writes columns of this run holds this row
            session.execute(processing_job(self._results.run_id).with_for_update(key_share=True))
            results = [completed_metrics(o.result, rows[o.index]) for o in outcomes if o.result is not None]
            refused = write_columns(self._store, results)
            if len(refused) < len(results):
                write_run_columns(session, self._results.run_id, self._store)
            for outcome in outcomes:
                reason = refused.get(outcome.index, outcome.error)
                if outcome.lost and self._lose(outcome.index):
                    self._set(session, [outcome.index], AcquisitionState.REGISTERED)
                elif reason or outcome.result is None:
                    reason = reason or "The work on this movie was lost on the cluster."
                    self._set(session, [outcome.index], AcquisitionState.ERROR, error=reason)
                else:
                    self._set(session, [outcome.index], AcquisitionState.COMPLETED, flags=outcome.result.flags)
            self._tell(session)
            wake_user_metrics(session, self._results.run_id)
            version = bump_version(session, self._results.run_id)
            append_event(session, EventKind.RUN_CHANGED, element_id=self._results.run_id, version=version)
        for outcome in outcomes:
            del self._in_flight[outcome.index]

    def _lose(self, index: int) -> bool:
        """Count a loss; whether the movie is tried again."""
        self._losses[index] = self._losses.get(index, 0) + 1
        return self._losses[index] < MAX_LOSSES

    def _set(
        self,
        session: Session,
        indices: list[int],
        state: AcquisitionState,
        *,
        error: str = "",
        flags: Sequence[str] = (),
    ) -> None:
        ended = state in (AcquisitionState.COMPLETED, AcquisitionState.ERROR)
        values = {"state": state.value, "error": error, "flags": list(flags), "processed": now() if ended else None}
        session.execute(
            update(BranchAcquisitionRow)
            .where(*self._mine(), BranchAcquisitionRow.index.in_(indices))  # type: ignore[arg-type]
            .values(**values)
        )

    def _tell(self, session: Session) -> None:
        """Bring the job's numbers up to date in the same transaction."""
        counts = count_branch(session, self._results)
        self._context.tell(
            session,
            done=counts.completed + counts.error,
            total=counts.total,
            message=f"{describe_progress(counts)} in “{self._results.name}”",
        )
