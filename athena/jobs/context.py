"""What a job's function gets: its parameters, where it left off, and the only way to write on its lease's behalf."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from athena.contract.events import EventKind
from athena.contract.jobs import JobState
from athena.db.base import now
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.domain.job_kinds import JobSpec
from athena.domain.job_life import JobMove, after
from athena.jobs.executors import Executor
from athena.jobs.leases import JobLease, hold
from athena.settings import Settings

SAVE_SECONDS = 0.5
"""Progress is written at most this often; what is done between two writes is done again after a kill."""
EVENT_SECONDS = 1.0


class JobStopped(Exception):
    """The runner ends: the job goes on elsewhere, or later, from its last checkpoint."""


class JobCancelled(Exception):
    """The job was called off: it ends here."""


class JobContext:
    """One leased job as its function sees it.

    Attributes
    ----------
    checkpoint : what was last saved; change it, then :meth:`progress` saves it with the numbers.
    result : what the job made, as the API shows it; saved likewise.
    executor : the runner's, where movies are processed.
    item : name of what is being worked on; it is shown when the job fails.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        lease: JobLease,
        *,
        spec: JobSpec,
        row: JobRow,
        executor: Executor | None = None,
    ) -> None:
        self.settings = settings
        self.database = database
        self.lease = lease
        self.executor = executor
        self.parameters: Any = spec.parameters.model_validate(row.parameters)
        self.initiator_id: UUID = row.initiator_id
        self.checkpoint: dict[str, Any] = dict(row.checkpoint)
        self.result: dict[str, Any] = dict(row.result)
        self.item = ""
        self.finished = False
        self._cancellable = spec.cancellable
        self._done, self._total, self._message = row.done, row.total, row.message
        self._saved_at = self._told_at = -SAVE_SECONDS
        self._stop = threading.Event()
        self._cancelled = row.cancelling

    def refresh_parameters(self) -> None:
        """Take the parameters as they are now: of some kinds they may change on the way."""
        with self.reading() as session:
            row = session.get_one(JobRow, self.lease.job_id)
            self.parameters = type(self.parameters).model_validate(row.parameters)

    @property
    def element_id(self) -> UUID:
        """Element the job works on."""
        return self.lease.run_id

    def stop(self) -> None:
        """Ask the function to end at its next look; it goes on later. Any thread may call it."""
        self._stop.set()

    def cancel(self) -> None:
        """Ask the function to end for good at its next look. Any thread may call it."""
        self._cancelled = True

    def check(self) -> None:
        """Look whether to end; call it between items.

        Raises
        ------
        JobStopped, JobCancelled : let them pass.
        """
        if self._stop.is_set():
            raise JobStopped
        if self._cancelled and self._cancellable:
            raise JobCancelled

    def wait(self, seconds: float) -> None:
        """Sleep, but end at once when asked to."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check()
            self._stop.wait(min(left, SAVE_SECONDS))
        self.check()

    def past_cancelling(self) -> None:
        """From here on the job can only go forward; a wish to cancel it comes too late."""
        self.check()
        self._cancellable = False

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that is committed only while the lease is ours: whatever the function writes goes through one.

        Raises
        ------
        LeaseLost : another runner has taken over.
        """
        self.check()
        with self.database.session() as session:
            if hold(session, self.lease):
                self._cancelled = True
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with self.database.session(read_only=True) as session:
            yield session

    def progress(
        self, done: int | None = None, total: int | None = None, *, message: str | None = None, save: bool = False
    ) -> None:
        """Say how far the work is. Written now and then; ``save``: at once, with the checkpoint."""
        self._done = self._done if done is None else done
        self._total = self._total if total is None else total
        self._message = self._message if message is None else message
        self.check()
        if not save and time.monotonic() - self._saved_at < SAVE_SECONDS:
            return
        with self.transaction() as session:
            self._write(session)
            if time.monotonic() - self._told_at >= EVENT_SECONDS:
                self._told_at = time.monotonic()
                append_event(session, EventKind.JOB_CHANGED, element_id=self.lease.element_id)
        self._saved_at = time.monotonic()

    def save(self, session: Session, *, done: int) -> None:
        """Write progress and checkpoint in a transaction of the function's own, together with what they stand for."""
        self._done = done
        self._total = max(self._total, done)
        self._write(session)

    def tell(self, session: Session, *, done: int, total: int, message: str) -> None:
        """Write how far the work is in a transaction of the function's own."""
        self._done, self._total, self._message = done, total, message
        self._write(session)

    def progress_of_nothing(self) -> None:
        """Forget what was done: it was taken back."""
        self._done = self._total = 0
        self.checkpoint.clear()

    def finish(self, session: Session, *, message: str, permission_set_id: UUID | None = None) -> None:
        """End the job well within a transaction of its own making; else it ends when the function returns.

        ``permission_set_id`` : where the element goes in the same transaction, of those who might see it.
        """
        self._done, self._message = self._total, message
        self._end(session, JobMove.FINISH, permission_set_id=permission_set_id)
        self.finished = True

    def end(self, move: JobMove, *, message: str | None = None, item: str = "", values: Mapping[str, Any]) -> None:
        """Write the end of a try; ``values`` are further columns."""
        self._message = self._message if message is None else message
        with self.database.session() as session:
            hold(session, self.lease)
            self._end(session, move, item=item, **values)

    def _end(
        self,
        session: Session,
        move: JobMove,
        *,
        item: str = "",
        permission_set_id: UUID | None = None,
        **values: Any,
    ) -> None:
        row = self._write(session)
        state = after(JobState(row.state), move)
        assert state is not None
        row.state = state.value
        row.item = item
        row.finished = None if state is JobState.PENDING else now()
        row.cancelling = False
        for name, value in values.items():
            setattr(row, name, value)
        session.flush()
        append_event(
            session, EventKind.JOB_CHANGED, element_id=self.lease.element_id, permission_set_id=permission_set_id
        )

    def _write(self, session: Session) -> JobRow:
        row = session.get_one(JobRow, self.lease.job_id)
        row.done, row.total, row.message = self._done, self._total, self._message
        row.checkpoint, row.result = dict(self.checkpoint), dict(self.result)
        session.flush()
        return row
