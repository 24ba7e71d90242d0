"""Computing user metrics: for what is there, and for what comes while the run is processed (NB-05)."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from athena.contract.elements import DatasetType
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind
from athena.db.acquisitions import AcquisitionRow, RunRow, bump_version
from athena.db.branches import BranchRow, Results, completed
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.db.user_metrics import MetricFailureRow, UserMetricRow, metrics_of
from athena.domain.job_kinds import JobSpec
from athena.domain.job_life import OPEN
from athena.domain.readable import count
from athena.errors import AthenaError
from athena.jobs.context import JobContext
from athena.sandbox.parent import MetricFailed, Sandbox
from athena.services.criteria import judge_latest
from athena.services.statuses import follow_acquisitions
from athena.services.user_metrics import as_metric
from athena.zarrio.pyramid import read_level
from athena.zarrio.reader import read_micrograph
from athena.zarrio.user_columns import read_user_metric, write_user_metric

KIND = JobSpec(
    name=JobKind.USER_METRICS.value,
    label="User metrics",
    dataset_types=(DatasetType.EPU_RUN,),
    run="athena.jobs.user_metrics:run",
    slot="user_metrics",
    unit="values",
    startable=False,
    automatic_attempts=0,
    follows=True,
)

BATCH = 16
"""Micrographs whose values are recorded together."""
_OPEN = tuple(state.value for state in OPEN)


@dataclass(frozen=True)
class Missing:
    """What a metric is to be computed for, in one branch."""

    metric: UserMetricRow
    branch: int
    store: Path
    indices: NDArray[np.int64]


def run(context: JobContext) -> None:
    """Compute what is missing, and go on looking while the run is being processed."""
    if context.settings.user_metrics == "off":
        context.progress(message="User metrics are switched off here; none is computed.", save=True)
        return
    with ExitStack() as stack:
        sandboxes = _Sandboxes(context, stack)
        done, seen = 0, -1
        while True:
            with context.reading() as session:
                version = session.get_one(RunRow, context.element_id).version
                missing = list(_missing(context, session)) if version != seen else []
            seen = version
            total = done + sum(one.indices.size for one in missing)
            if missing:  # else nothing is written while it only waits
                context.progress(
                    done, total, message=f"{count(done)} values computed, {count(total - done)} to do.", save=True
                )
            for one in missing:
                for first in range(0, one.indices.size, BATCH):
                    if not _compute(context, sandboxes, one, one.indices[first : first + BATCH].tolist()):
                        break  # it was replaced or removed meanwhile
                    done += min(BATCH, one.indices.size - first)
                    context.progress(
                        done, total, message=f"{count(done)} values computed, {count(total - done)} to do."
                    )
            if not missing and _end(context, version, done):
                return
            if not missing:
                context.wait(context.settings.poll_seconds)


def _end(context: JobContext, version: int, done: int) -> bool:
    """End the job if nothing more comes and nothing came meanwhile; whether it did."""
    busy = exists().where(
        JobRow.element_id == context.element_id,
        JobRow.kind.in_((JobKind.PROCESSING.value, JobKind.REPROCESS.value)),
        JobRow.state.in_(_OPEN),
    )
    with context.reading() as session:
        if session.scalar(select(busy)):
            return False
    with context.transaction() as session:
        if session.scalar(select(busy)) or session.get_one(RunRow, context.element_id).version != version:
            return False
        context.tell(session, done=done, total=done, message="")
        context.finish(session, message=f"{count(done)} values computed.")
    return True


def _missing(context: JobContext, session: Session) -> Iterator[Missing]:
    """Of each metric and branch, the processed acquisitions that have neither a value nor a reason for none."""
    metrics = metrics_of(session, context.element_id)
    if not metrics:
        return
    run_row = session.get_one(RunRow, context.element_id)
    query = select(BranchRow.number).where(BranchRow.run_id == run_row.id, BranchRow.deleting.is_(False))
    for number in session.scalars(query).all() or [run_row.branch]:
        store = context.settings.run_store(str(run_row.id), number)
        results = Results(run_row.id, number, "", default=number == run_row.branch)
        done = np.sort(np.array(session.scalars(completed(results)).all(), dtype=np.int64))
        if not done.size:
            continue
        for metric in metrics:
            failed = select(MetricFailureRow.index).where(
                MetricFailureRow.run_id == run_row.id,
                MetricFailureRow.name == metric.name,
                MetricFailureRow.branch == number,
            )
            known = np.isfinite(read_user_metric(store, metric.name, metric.sha256, int(done[-1]) + 1))
            known[[index for index in session.scalars(failed) if index < known.size]] = True
            indices = done[~known[done]]
            if indices.size:
                yield Missing(metric, number, store, indices)


class _Sandboxes:
    """One process a metric, ended with the job or when the metric's source is another."""

    def __init__(self, context: JobContext, stack: ExitStack) -> None:
        self._settings = context.settings
        self._stack = stack
        self._open: dict[str, tuple[str, Sandbox]] = {}

    def of(self, metric: UserMetricRow) -> Sandbox:
        """Process of a metric."""
        sha256, sandbox = self._open.get(metric.name, ("", None))
        if sandbox is None or sha256 != metric.sha256:
            if sandbox is not None:
                sandbox.close()
            sandbox = self._stack.enter_context(
                Sandbox(
                    metric.source,
                    metric.name,
                    seconds=self._settings.user_metric_seconds,
                    memory_mb=self._settings.user_metric_memory_mb,
                    unconfined_too=self._settings.user_metrics == "unconfined",
                )
            )
            self._open[metric.name] = (metric.sha256, sandbox)
        return sandbox


def _compute(context: JobContext, sandboxes: _Sandboxes, missing: Missing, indices: list[int]) -> bool:
    """Compute and record some values; False when the metric is not what it was, and nothing was recorded."""
    metric = missing.metric
    with context.reading() as session:
        of_run = (AcquisitionRow.run_id == context.element_id, AcquisitionRow.index.in_(indices))
        names: Mapping[int, str] = dict(
            session.execute(select(AcquisitionRow.index, AcquisitionRow.name).where(*of_run)).all()
        )
    values: list[float] = []
    reasons: dict[int, str] = {}
    for index in indices:
        context.check()
        try:
            known, arrays = _inputs(missing, index)
            values.append(sandboxes.of(metric).evaluate(index, names.get(index, ""), known, arrays))
        except MetricFailed as error:
            reasons[index] = str(error)
            values.append(float("nan"))
    with context.transaction() as session:
        now_there = session.get(UserMetricRow, (metric.run_id, metric.name), with_for_update=True)
        if now_there is None or now_there.sha256 != metric.sha256:
            return False
        write_user_metric(missing.store, as_metric(metric), metric.sha256, indices, values)
        for index, reason in reasons.items():
            session.merge(
                MetricFailureRow(
                    run_id=metric.run_id, name=metric.name, branch=missing.branch, index=index, reason=reason
                )
            )
        session.flush()
        version = bump_version(session, metric.run_id)
        judge_latest(session, metric.run_id, context.settings)
        follow_acquisitions(session, metric.run_id)
        append_event(session, EventKind.RUN_CHANGED, element_id=metric.run_id, version=version)
    return True


def _inputs(missing: Missing, index: int) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
    """What the function gets; MetricFailed where the micrograph is wanted and gone."""
    known, arrays = read_micrograph(missing.store, index)
    if missing.metric.image:
        try:
            arrays["image"] = np.asarray(read_level(missing.store, index), dtype=np.float32)
        except AthenaError as error:
            raise MetricFailed(f"There is no micrograph. {error}") from error
    return known, arrays
