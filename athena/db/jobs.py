"""Jobs: long work kept as rows, with the lease of the runner that does it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Select, String, Text, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from athena.contract.jobs import JobKind, JobState
from athena.db.base import Base, HasId, now

_TAKEN = text("slot <> '' AND state IN ('pending', 'running')")


class JobRow(HasId, Base):
    """A job. Whoever holds the lease does it; ``fence`` grows with every take-over: a stale runner's word is void.

    A run has at most one processing job (``uq_job_processing``): attaching a source again wakes the one there is.
    Open jobs of one slot exclude each other on an element (``uq_job_slot``). ``subject`` is the element's name when the
    job was made, for when the element is gone; ``checkpoint`` is what the work goes on from after an interruption.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'running', 'finished', 'failed', 'cancelled')", name="state"),
        Index("ix_job_state", "state", "kind"),
        Index("ix_job_element", "element_id"),
        Index(
            "uq_job_processing",
            "element_id",
            unique=True,
            sqlite_where=text("kind = 'processing'"),
            postgresql_where=text("kind = 'processing'"),
        ),
        Index("uq_job_slot", "element_id", "slot", unique=True, sqlite_where=_TAKEN, postgresql_where=_TAKEN),
    )

    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20), default="pending")
    element_id: Mapped[UUID | None] = mapped_column(ForeignKey("element.id", ondelete="SET NULL"), default=None)
    subject: Mapped[str] = mapped_column(String(200), default="")
    slot: Mapped[str] = mapped_column(String(40), default="")
    initiator_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    checkpoint: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    unit: Mapped[str] = mapped_column(String(40), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    item: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    cancelling: Mapped[bool] = mapped_column(default=False)
    not_before: Mapped[datetime | None] = mapped_column(default=None)
    lease_owner: Mapped[str | None] = mapped_column(String(100), default=None)
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    fence: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None] = mapped_column(default=None)
    finished: Mapped[datetime | None] = mapped_column(default=None)


class JobItemRow(Base):
    """One item that a job has settled: what was copied, with its size and SHA-256, or was not to be (``left_out``)."""

    __tablename__ = "job_item"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    left_out: Mapped[bool] = mapped_column(default=False)


def processing_job(run_id: UUID) -> Select[UUID]:
    """Select the id of a run's processing job."""
    return select(JobRow.id).where(JobRow.element_id == run_id, JobRow.kind == JobKind.PROCESSING.value)


def reopen_processing(session: Session, run_id: UUID, *, cancelled_too: bool = False) -> bool:
    """Set the run's processing job to pending if it had ended, for there is more to do; whether it had.

    A cancelled job stays cancelled when data merely arrive; ``cancelled_too``: a person has asked for it anew.
    """
    ended = [JobState.FINISHED.value, JobState.FAILED.value] + cancelled_too * [JobState.CANCELLED.value]
    reopened = session.execute(
        update(JobRow)
        .where(JobRow.element_id == run_id, JobRow.kind == JobKind.PROCESSING.value, JobRow.state.in_(ended))
        .values(state=JobState.PENDING.value, finished=None, lease_owner=None, lease_until=None, message="")
        .returning(JobRow.id)
    )
    return reopened.first() is not None
