"""Jobs: long work kept as rows, with the lease of the runner that does it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from athena.contract.jobs import JobKind, JobState
from athena.db.base import Base, HasId, now


class JobRow(HasId, Base):
    """A job. Whoever holds the lease does it; ``fence`` grows with every take-over: a stale runner's word is void.

    A run has at most one processing job (``uq_job_processing``): attaching a source again wakes the one there is.
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
    )

    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20), default="pending")
    element_id: Mapped[UUID | None] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"), default=None)
    initiator_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    lease_owner: Mapped[str | None] = mapped_column(String(100), default=None)
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    fence: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None] = mapped_column(default=None)
    finished: Mapped[datetime | None] = mapped_column(default=None)


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
