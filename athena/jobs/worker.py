"""Working one leased job of any kind but processing, on a thread of a runner."""

import logging
import pkgutil
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from athena.db.base import now
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.domain.job_life import JobMove, pause_seconds
from athena.errors import AthenaError, Unavailable
from athena.jobs.context import JobCancelled, JobContext, JobStopped
from athena.jobs.executors import Executor
from athena.jobs.failures import JobFailed
from athena.jobs.leases import JobLease, LeaseLost, SourceLease, hold, release
from athena.jobs.work import explain_os_error
from athena.services.job_kinds import load_kind
from athena.settings import Settings

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
MAX_BEGINNINGS = 20
"""A job begun this often without an end is given up: it seems to bring down the runner itself."""


class Worker(Protocol):
    """What a runner holds for each of its leases."""

    @property
    def lease(self) -> SourceLease | JobLease:
        """The right it works on."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it still works."""
        ...

    def stop(self) -> None:
        """Ask it to end."""
        ...

    def cancel(self) -> None:
        """Tell it that its job was called off."""
        ...

    def join(self) -> None:
        """Wait for the end and give the lease back."""
        ...


class JobWorker:
    """Runs the function of one job until it ends, fails, is cancelled, stopped or overtaken."""

    def __init__(
        self, settings: Settings, database: Database, lease: JobLease, *, executor: Executor | None = None
    ) -> None:
        self.lease = lease
        self._database = database
        self._spec = load_kind(lease.kind)
        with database.session(read_only=True) as session:
            row = session.get_one(JobRow, lease.job_id)
        self._attempts = row.attempts
        self._context = JobContext(settings, database, lease, spec=self._spec, row=row, executor=executor)
        self._interrupted = False
        self._thread = threading.Thread(target=self._run, name=f"{lease.kind} {lease.job_id}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; the job goes on from its checkpoint, here or elsewhere."""
        self._context.stop()

    def cancel(self) -> None:
        """Ask it to end for good."""
        self._context.cancel()

    def join(self) -> None:
        """Wait for the end and give the lease back."""
        self._thread.join()
        with self._database.session() as session:
            if self._interrupted:  # by us, not by a fault: it does not count as a beginning
                mine = (JobRow.id == self.lease.job_id, JobRow.fence == self.lease.fence, JobRow.attempts > 0)
                session.execute(update(JobRow).where(*mine).values(attempts=JobRow.attempts - 1))
            release(session, self.lease)

    def _run(self) -> None:
        try:
            while not self._try():
                self._context.wait(RETRY_SECONDS)
        except LeaseLost:
            log.info("job %s (%s) has been taken over", self.lease.job_id, self.lease.kind)
        except JobStopped:
            self._interrupted = True
        except JobCancelled:
            self._call_off()

    def _try(self) -> bool:
        """Run the function once and write how it ended; False when the database did not answer."""
        context = self._context
        try:
            context.check()
            if self._attempts > MAX_BEGINNINGS:
                self._fail(f"It was begun {self._attempts - 1} times and never ended; see the runner's log.", item="")
                return True
            _function(self._spec.run)(context)
            if not context.finished:
                context.end(JobMove.FINISH, values={})
        except (JobStopped, JobCancelled, LeaseLost):
            raise
        except OperationalError as error:
            log.warning("job %s: the database does not answer, trying again: %s", self.lease.job_id, error)
            return False
        except JobFailed as error:
            self._fail(error.message, item=error.item, transient=error.transient)
        except AthenaError as error:
            self._fail(str(error), item=context.item, transient=isinstance(error, Unavailable))
        except OSError as error:
            log.exception("job %s (%s)", self.lease.job_id, self.lease.kind)
            self._fail(explain_os_error(error), item=context.item, transient=True)
        except Exception as error:  # a kind may be foreign code: whatever it raises concerns this job only
            log.exception("job %s (%s)", self.lease.job_id, self.lease.kind)
            self._fail(f"{type(error).__name__}: {error}", item=context.item)
        return True

    def _fail(self, reason: str, *, item: str, transient: bool = False) -> None:
        limit = self._spec.automatic_attempts
        if transient and (limit == 0 or self._attempts < limit):
            pause = pause_seconds(self._attempts)
            self._context.end(
                JobMove.POSTPONE,
                message=f"{reason} It is tried again in {pause:.0f} s.",
                item=item,
                values={"not_before": now() + timedelta(seconds=pause)},
            )
            return
        self._context.end(JobMove.FAIL, message=reason, item=item, values={})

    def _call_off(self) -> None:
        """Tidy up and end the job as cancelled; where that fails, whoever takes over tries again."""
        try:
            with self._database.session() as session:
                hold(session, self.lease)
            if self._spec.tidy:
                _function(self._spec.tidy)(self._context)
            self._context.end(JobMove.CALL_OFF, message="Cancelled.", values={})
        except (LeaseLost, OperationalError) as error:
            log.warning("job %s was not called off here: %s", self.lease.job_id, error)
        except Exception as error:
            log.exception("job %s (%s) was cancelled, but not tidied up", self.lease.job_id, self.lease.kind)
            self._context.end(
                JobMove.CALL_OFF, message=f"Cancelled, but something was left behind: {error}", item="", values={}
            )


def _function(reference: str) -> Callable[[JobContext], Any]:
    function: Callable[[JobContext], Any] = pkgutil.resolve_name(reference)
    return function
