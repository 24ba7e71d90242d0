"""Leases: which runner follows which source and works which job.

A lease is taken by one conditional UPDATE, so that of two runners one gets it. It lapses when its holder has been
silent for ``lease_seconds``, or at once when the holder was a process of this machine that is no more.
"""

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psutil
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from athena.contract.jobs import JobKind, JobState
from athena.contract.runs import SourceState
from athena.db.acquisitions import SourceRow
from athena.db.base import now
from athena.db.jobs import JobRow

_OPEN_SOURCES = (SourceState.WATCHING.value, SourceState.IMPORTING.value)
_OPEN_JOBS = (JobState.PENDING.value, JobState.RUNNING.value)
_CANDIDATES = 20
"""Free rows looked at a time; the rest wait for the next look."""


class LeaseLost(Exception):
    """Another runner has taken over, or the job was cancelled: whatever this one still knows is void."""


@dataclass(frozen=True)
class SourceLease:
    """The right to scan a run's source."""

    run_id: UUID
    owner: str
    seconds: float


@dataclass(frozen=True)
class JobLease:
    """The right to work a job; ``fence`` tells this holding from any later one."""

    job_id: UUID
    element_id: UUID | None
    owner: str
    fence: int
    seconds: float
    kind: str = JobKind.PROCESSING.value

    @property
    def run_id(self) -> UUID:
        """Element of a processing job."""
        if self.element_id is None:
            raise LeaseLost(f"the element of job {self.job_id} has gone")
        return self.element_id


def _machine() -> str:
    """Name of the space in which process ids mean something: two containers may share a host name."""
    namespace = Path("/proc/self/ns/pid")
    inode = namespace.stat().st_ino if namespace.exists() else 0
    return f"{socket.gethostname()[:50]}.{inode}"


def owner_name() -> str:
    """Name for a runner of this process: machine, process, the process's start and a random part."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{psutil.Process(pid).create_time():.2f}:{uuid4().hex[:8]}"


def owner_is_gone(owner: str) -> bool:
    """Whether the owner surely lives no more; False for owners on other machines, which cannot be asked."""
    machine, _, rest = owner.partition(":")
    pid, _, rest = rest.partition(":")
    started = rest.partition(":")[0]
    if machine != _machine() or not pid.isdigit():
        return False
    try:
        process = psutil.Process(int(pid))
        return f"{process.create_time():.2f}" != started or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def take_source(session: Session, *, owner: str, seconds: float) -> SourceLease | None:
    """Take a source nobody follows; None when there is none."""
    open_source = SourceRow.state.in_(_OPEN_SOURCES)
    found = session.execute(
        select(SourceRow.run_id, SourceRow.lease_owner)
        .where(open_source, _of_another(SourceRow, owner))
        .order_by(SourceRow.lease_until.nulls_first())
        .limit(_CANDIDATES)
    )
    for run_id, holder in found.all():
        taken = session.execute(
            update(SourceRow)
            .where(SourceRow.run_id == run_id, open_source, _takeable(SourceRow, holder))
            .values(lease_owner=owner, lease_until=now() + timedelta(seconds=seconds))
            .returning(SourceRow.run_id)
        )
        if taken.first() is not None:
            return SourceLease(run_id=run_id, owner=owner, seconds=seconds)
    return None


def take_job(
    session: Session,
    *,
    owner: str,
    seconds: float,
    run_id: UUID | None = None,
    kinds: Collection[str] = (JobKind.PROCESSING.value,),
) -> JobLease | None:
    """Take a job of these kinds that nobody works (of ``run_id`` if given); None when there is none."""
    open_job = JobRow.state.in_(_OPEN_JOBS)
    query = select(JobRow.id, JobRow.element_id, JobRow.kind, JobRow.lease_owner).where(
        open_job,
        JobRow.kind.in_(kinds),
        or_(JobRow.not_before.is_(None), JobRow.not_before <= now()),
        _of_another(JobRow, owner),
    )
    if run_id is not None:
        query = query.where(JobRow.element_id == run_id)
    for job_id, element_id, kind, holder in session.execute(
        query.order_by(JobRow.lease_until.nulls_first(), JobRow.created).limit(_CANDIDATES)
    ).all():
        moment = now()
        fence = session.scalar(
            update(JobRow)
            .where(JobRow.id == job_id, open_job, _takeable(JobRow, holder))
            .values(
                state=JobState.RUNNING.value,
                lease_owner=owner,
                lease_until=moment + timedelta(seconds=seconds),
                fence=JobRow.fence + 1,
                attempts=JobRow.attempts + 1,
            )
            .returning(JobRow.fence)
        )
        if fence is not None:
            session.execute(update(JobRow).where(JobRow.id == job_id, JobRow.started.is_(None)).values(started=moment))
            return JobLease(job_id, element_id, owner, fence, seconds, kind)
    return None


def hold(session: Session, lease: SourceLease | JobLease) -> bool:
    """Renew a lease and lock its row until the transaction ends, so that nobody can take over meanwhile.

    Call it first in every transaction that acts on the lease. Returns whether the job was asked to end.

    Raises
    ------
    LeaseLost
        when it is no longer ours.
    """
    until = now() + timedelta(seconds=lease.seconds)
    if isinstance(lease, JobLease):
        mine = session.execute(
            update(JobRow)
            .where(JobRow.id == lease.job_id, JobRow.fence == lease.fence, JobRow.state == JobState.RUNNING.value)
            .values(lease_until=until)
            .returning(JobRow.cancelling)
        ).first()
    else:
        mine = session.execute(
            update(SourceRow)
            .where(SourceRow.run_id == lease.run_id, SourceRow.lease_owner == lease.owner)
            .values(lease_until=until)
            .returning(SourceRow.follow)
        ).first()
    if mine is None:
        raise LeaseLost(f"{lease} is held by another runner, or its work was called off")
    return isinstance(lease, JobLease) and bool(mine[0])


def release(session: Session, lease: SourceLease | JobLease) -> None:
    """Give a lease back; nothing happens when it is already another's."""
    free = {"lease_owner": None, "lease_until": None}
    if isinstance(lease, JobLease):
        session.execute(update(JobRow).where(JobRow.id == lease.job_id, JobRow.fence == lease.fence).values(free))
    else:
        mine = (SourceRow.run_id == lease.run_id, SourceRow.lease_owner == lease.owner)
        session.execute(update(SourceRow).where(*mine).values(free))


def _free(table: type[SourceRow] | type[JobRow]) -> ColumnElement[bool]:
    return or_(table.lease_until.is_(None), table.lease_until < now())


def _of_another(table: type[SourceRow] | type[JobRow], owner: str) -> ColumnElement[bool]:
    """Nobody's or another's: a lease of our own that has lapsed is renewed by its heartbeat, not taken again."""
    return or_(table.lease_owner.is_(None), table.lease_owner != owner)


def _takeable(table: type[SourceRow] | type[JobRow], holder: str | None) -> ColumnElement[bool]:
    """Free, or still in the name of a holder that is gone."""
    if holder is not None and owner_is_gone(holder):
        return or_(_free(table), table.lease_owner == holder)
    return _free(table)
