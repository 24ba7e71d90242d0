"""Working one run's processing job: plan, follow, collect."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from athena.contract.events import EventKind
from athena.contract.jobs import JobKind, JobState
from athena.contract.processing import MovieTask
from athena.contract.runs import SourceState
from athena.db.acquisitions import RunRow, SourceRow, bump_version, count_states
from athena.db.base import now
from athena.db.branches import default_branch
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.domain.job_kinds import JobSpec
from athena.errors import AthenaError
from athena.jobs.collect import collect, record_progress
from athena.jobs.executors import Executor
from athena.jobs.leases import JobLease, LeaseLost, hold, release
from athena.jobs.plan import begin, frames_of, next_rows, reclaim
from athena.jobs.work import Outcome, explain_os_error
from athena.services.statuses import follow_acquisitions
from athena.settings import Settings
from athena.zarrio.stores import clean_partials
from athena.zarrio.writer import RunWriter

KIND = JobSpec(
    name=JobKind.PROCESSING.value,
    label="Processing",
    run="athena.jobs.processing:RunProcessor",
    unit="acquisitions",
    startable=False,
    retriable=False,
    automatic_attempts=0,
    follows=True,
)
"""Made with a run's source, and worked by a class of its own: it needs the executor, and is woken by the registrar."""

T = TypeVar("T")

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.1
"""Results that come within this time of the first are recorded together."""
QUEUE_DEPTH = 2
"""Movies given to the executor at a time, in units of its workers: enough that none waits for the planner."""
RETRY_SECONDS = 5.0
MAX_LOSSES = 3
"""A movie whose outcome was lost on the way this often (a cluster that comes and goes) is given up."""


class RunProcessor:
    """Works one leased job on a thread of its own, until stopped, finished or overtaken."""

    def __init__(self, settings: Settings, database: Database, lease: JobLease, *, executor: Executor) -> None:
        self.lease = lease
        self._settings = settings
        self._database = database
        self._executor = executor
        self._branch, self._store = 0, ""
        self._in_flight: set[int] = set()
        self._losses: dict[int, int] = {}
        self._reports: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._retry_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"run {lease.run_id}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new to plan."""
        self._reports.put(None)

    def stop(self) -> None:
        """Ask it to end; movies in flight are dropped, to be done again by the next holder."""
        self._stop.set()
        self.wake()

    def cancel(self) -> None:
        """A processing job that is called off is lost at once; there is nothing more to tell."""
        self.stop()

    def join(self) -> None:
        """Wait for the end and give the lease back."""
        self._thread.join()
        with self._database.session() as session:
            release(session, self.lease)

    def _run(self) -> None:
        try:
            self._persist(self._take_over)
            while not self._stop.is_set():
                outcomes = self._gather()
                if outcomes:
                    self._persist(partial(self._collect, outcomes))
                if time.monotonic() >= self._retry_at:
                    self._persist(self._plan)
                if not self._in_flight and self._persist(self._finish_if_done):
                    clean_partials(self._store)
                    return
        except LeaseLost:
            log.info("job %s of run %s has been taken over or called off", self.lease.job_id, self.lease.run_id)
        finally:
            self._executor.cancel(str(self.lease.run_id), self._branch)

    def _persist(self, act: Callable[[], T]) -> T | None:
        """Do a transaction, again and again while the database does not answer or is full; None when stopped."""
        while not self._stop.is_set():
            try:
                return act()
            except OperationalError as error:
                log.warning("run %s: the database does not answer, trying again: %s", self.lease.run_id, error)
                self._stop.wait(RETRY_SECONDS)
        return None

    def _take_over(self) -> None:
        with self._database.session() as session:
            hold(session, self.lease)
            # it stays the default as long as the lease is ours: another one's promotion takes the lease away
            self._branch = default_branch(session, self.lease.run_id)
            self._store = str(self._settings.run_store(str(self.lease.run_id), self._branch))
            reclaimed = reclaim(session, self.lease.run_id)
            record_progress(session, self.lease)
            version = bump_version(session, self.lease.run_id) if reclaimed else None
            follow_acquisitions(session, self.lease.run_id)
            if version is not None:
                append_event(session, EventKind.RUN_CHANGED, element_id=self.lease.run_id, version=version)
            append_event(session, EventKind.JOB_CHANGED, element_id=self.lease.run_id)
        if reclaimed:
            log.info("run %s: %d movies were begun by another runner and are done again", self.lease.run_id, reclaimed)

    def _gather(self) -> list[Outcome]:
        """Wait for news, at most a poll; outcomes that come close together are returned together."""
        outcomes: list[Outcome] = []
        deadline = time.monotonic() + self._settings.poll_seconds
        while not self._stop.is_set():
            try:
                report = self._reports.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if report is None:
                if not outcomes:
                    break
                continue
            if not outcomes:
                deadline = time.monotonic() + BATCH_SECONDS
            outcomes.append(self._judge_loss(report))
        return outcomes

    def _judge_loss(self, outcome: Outcome) -> Outcome:
        if not outcome.lost:
            return outcome
        losses = self._losses[outcome.index] = self._losses.get(outcome.index, 0) + 1
        if losses < MAX_LOSSES:
            return outcome
        return Outcome(index=outcome.index, error=f"The work on this movie was lost {losses} times on the cluster.")

    def _collect(self, outcomes: list[Outcome]) -> None:
        with self._database.session() as session:
            collect(session, self.lease, outcomes, settings=self._settings, storage_away=self._storage_is_away)
        self._in_flight -= {outcome.index for outcome in outcomes}

    def _plan(self) -> None:
        room = QUEUE_DEPTH * self._executor.workers - len(self._in_flight)
        if room <= 0:
            return
        with self._database.session(read_only=True) as session:
            parameters = session.get_one(RunRow, self.lease.run_id).parameters
            frames = [frames_of(row, parameters) for row in next_rows(session, self.lease.run_id, room)]
        if not frames:
            return
        if self._storage_is_away():
            self._wait_because("The folder of the movies is not there (is its storage away?); processing waits for it.")
            return
        try:
            self._executor.start()
            tasks = self._begin(room, frames=max(frames))
        except OSError as error:
            self._wait_because(f"Processing waits. {explain_os_error(error)}")
            return
        except AthenaError as error:
            self._wait_because(f"Processing waits. {error}")
            return
        for task in tasks:
            self._in_flight.add(task.index)
            self._executor.submit(task, self._reports.put)

    def _begin(self, room: int, *, frames: int) -> list[MovieTask]:
        with self._database.session() as session:
            hold(session, self.lease)
            rows = next_rows(session, self.lease.run_id, room)
            if not rows:
                return []
            writer = RunWriter.create(self._store, frames=frames)
            writer.ensure_length(max(row.index for row in rows) + 1)
            tasks = begin(session, self.lease.run_id, rows, store=self._store)
            record_progress(session, self.lease)
        return tasks

    def _wait_because(self, reason: str) -> None:
        """Say why nothing is planned, and leave it for a while."""
        self._retry_at = time.monotonic() + RETRY_SECONDS
        with self._database.session() as session:
            hold(session, self.lease)
            job = session.get_one(JobRow, self.lease.job_id)
            if job.message != reason:
                log.warning("run %s: %s", self.lease.run_id, reason)
                job.message = reason
                session.flush()
                append_event(session, EventKind.JOB_CHANGED, element_id=self.lease.run_id)

    def _storage_is_away(self) -> bool:
        with self._database.session(read_only=True) as session:
            source = session.get(SourceRow, self.lease.run_id)
        return source is not None and not Path(source.path).is_dir()

    def _finish_if_done(self) -> bool:
        with self._database.session(read_only=True) as session:
            if not _is_done(session, self.lease.run_id):
                return False
        with self._database.session() as session:
            hold(session, self.lease)
            if not _is_done(session, self.lease.run_id):
                return False
            record_progress(session, self.lease)
            session.execute(
                update(JobRow)
                .where(JobRow.id == self.lease.job_id)
                .values(state=JobState.FINISHED.value, finished=now())
            )
            follow_acquisitions(session, self.lease.run_id)
            append_event(session, EventKind.JOB_CHANGED, element_id=self.lease.run_id)
        return True


def _is_done(session: Session, run_id: UUID) -> bool:
    """Whether nothing is to be done any more, nor will come."""
    source = session.get(SourceRow, run_id)
    if source is not None and source.state in (SourceState.WATCHING.value, SourceState.IMPORTING.value):
        return False
    counts = count_states(session, run_id)
    return counts.registered + counts.processing == 0
