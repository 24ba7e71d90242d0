"""The runner process: takes leases on sources and jobs, and works them until told to stop.

Any number of runners may share a database: each tick a runner takes at most one free source and one free job, so that
work spreads over the runners that look for it. Processing has the executor and is woken by what is registered; jobs of
every other kind are functions on threads of their own.
"""

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from uuid import UUID

from sqlalchemy.exc import OperationalError

from athena.contract.health import ServiceKind
from athena.contract.jobs import JobKind
from athena.db.engine import Database
from athena.jobs.clusters import standing
from athena.jobs.executors import Executor, make_executor
from athena.jobs.leases import JobLease, LeaseLost, SourceLease, hold, owner_name, take_job, take_source
from athena.jobs.processing import RunProcessor
from athena.jobs.sources import SourceFollower
from athena.jobs.worker import JobWorker, Worker
from athena.services.heartbeat import Heartbeat
from athena.services.job_kinds import installed_kinds
from athena.settings import Settings

log = logging.getLogger(__name__)

HEARTBEATS = 3
"""Lease renewals per ``lease_seconds``."""


class Runner:
    """Follows sources and works jobs; :meth:`run` returns when stopped, with every lease given back."""

    def __init__(
        self, settings: Settings, *, database: Database | None = None, executor: Executor | None = None
    ) -> None:
        self._settings = settings
        self._database = database or Database(settings.resolved_database_url)
        self._own_database = database is None
        self._executor = executor or make_executor(settings)
        self._own_executor = executor is None
        self._owner = owner_name()
        self._followers: dict[UUID, SourceFollower] = {}
        self._processors: dict[UUID, RunProcessor] = {}
        self._workers: dict[UUID, JobWorker] = {}
        self._kinds = {name: spec for name, spec in installed_kinds().items() if name != JobKind.PROCESSING.value}
        self._lock = threading.Lock()
        self._beating = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set."""
        log.info("runner %s begins", self._owner)
        threading.Thread(target=self._start_executor, name="executor start", daemon=True).start()
        heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        heart.start()
        alive = Heartbeat(
            self._database,
            ServiceKind.RUNNER,
            period_s=self._settings.heartbeat_seconds,
            describe=lambda: standing(self._executor),
        )
        try:
            with alive:
                self._tick_until(stop)
        finally:
            self._close()
            self._beating.set()
            heart.join()
            if self._own_executor:
                self._executor.close()
            if self._own_database:
                self._database.dispose()
            log.info("runner %s has ended", self._owner)

    def _tick_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._tick()
            except OperationalError as error:
                log.warning("the database does not answer, trying again: %s", error)
            stop.wait(self._settings.poll_seconds)

    def _start_executor(self) -> None:
        try:
            self._executor.start()
        except OSError as error:  # the planner tries again, and says so where users see it
            log.warning("the executor does not start: %s", error)

    def _tick(self) -> None:
        self._drop_ended()
        self._executor.tend()
        seconds = self._settings.lease_seconds
        with self._database.session() as session:
            source = take_source(session, owner=self._owner, seconds=seconds)
        job: JobLease | None = None
        if source is not None:
            self._follow(source)
            job = self._take_job(source.run_id)
        job = job or self._take_job(None)
        if job is not None:
            self._process(job)
        if (other := self._take_other()) is not None:
            self._work_on(other)

    def _take_other(self) -> JobLease | None:
        """Take a job that is not processing; when enough of them are at work, only one that mostly waits."""
        with self._lock:
            at_work = sum(not self._kinds[worker.lease.kind].follows for worker in self._workers.values())
        full = at_work >= self._settings.job_threads
        kinds = [name for name, spec in self._kinds.items() if spec.follows or not full]
        with self._database.session() as session:
            return take_job(session, owner=self._owner, seconds=self._settings.lease_seconds, kinds=kinds)

    def _work_on(self, lease: JobLease) -> None:
        log.info("working job %s (%s)", lease.job_id, lease.kind)
        worker = JobWorker(self._settings, self._database, lease, executor=self._executor)
        with self._lock:
            self._workers[lease.job_id] = worker
        worker.start()

    def _take_job(self, run_id: UUID | None) -> JobLease | None:
        with self._database.session() as session:
            return take_job(session, owner=self._owner, seconds=self._settings.lease_seconds, run_id=run_id)

    def _follow(self, lease: SourceLease) -> None:
        log.info("following the source of run %s", lease.run_id)
        follower = SourceFollower(self._settings, self._database, lease, on_registered=self._wake)
        with self._lock:
            self._followers[lease.run_id] = follower
        follower.start()

    def _process(self, lease: JobLease) -> None:
        log.info("working job %s of run %s", lease.job_id, lease.run_id)
        processor = RunProcessor(self._settings, self._database, lease, executor=self._executor)
        with self._lock:
            self._processors[lease.run_id] = processor
        processor.start()

    def _wake(self, run_id: UUID) -> None:
        with self._lock:
            processor = self._processors.get(run_id)
        if processor is not None:
            processor.wake()

    def _drop_ended(self) -> None:
        """Give back the leases of work that ended; where it ended by an error, it is then taken up again."""
        with self._lock:
            ended = [worker for worker in self._held() if not worker.alive]
            self._followers = {run_id: worker for run_id, worker in self._followers.items() if worker not in ended}
            self._processors = {run_id: worker for run_id, worker in self._processors.items() if worker not in ended}
            self._workers = {job_id: worker for job_id, worker in self._workers.items() if worker not in ended}
        for worker in ended:
            worker.join()

    def _held(self) -> list[Worker]:
        return [*self._followers.values(), *self._processors.values(), *self._workers.values()]

    def _close(self) -> None:
        with self._lock:
            workers = self._held()
            self._followers.clear()
            self._processors.clear()
            self._workers.clear()
        for worker in workers:
            worker.stop()
        for worker in workers:
            try:
                worker.join()
            except OperationalError as error:  # the lease then lapses by itself
                log.warning("a lease could not be given back: %s", error)

    def _beat(self) -> None:
        """Renew the leases, also while their threads are busy with something long."""
        while not self._beating.wait(self._settings.lease_seconds / HEARTBEATS):
            with self._lock:
                workers = self._held()
            for worker in workers:
                if worker.alive:
                    self._renew(worker)

    def _renew(self, worker: Worker) -> None:
        try:
            with self._database.session() as session:
                called_off = hold(session, worker.lease)
            if called_off:
                worker.cancel()
        except LeaseLost:
            log.info("%s has been taken over or called off", worker.lease)
            worker.stop()
        except OperationalError as error:
            log.warning("a lease could not be renewed: %s", error)


def main(settings: Settings) -> None:
    """Run a runner in this process until SIGTERM or SIGINT; both end it cleanly."""
    stop = threading.Event()
    before = {number: signal.signal(number, _setter(stop)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        Database(settings.resolved_database_url).migrate()
        Runner(settings).run(stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _setter(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, _frame: FrameType | None) -> None:
        log.info("ending: %s", signal.Signals(number).name)
        stop.set()

    return handle
