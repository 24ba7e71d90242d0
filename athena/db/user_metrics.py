"""User metrics of runs, and why they have no value where they have none."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, ForeignKeyConstraint, String, Text, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from athena.contract.jobs import JobKind, JobState
from athena.db.base import Base, now
from athena.db.jobs import JobRow


class UserMetricRow(Base):
    """A metric that people added to a run. The API keeps its source and never runs it."""

    __tablename__ = "user_metric"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    label: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(20), default="")
    digits: Mapped[int] = mapped_column(default=2)
    lower_is_better: Mapped[bool | None] = mapped_column(Boolean, default=None)
    image: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    creator_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), default=None)
    created: Mapped[datetime] = mapped_column(default=now)


class MetricFailureRow(Base):
    """Why a user metric gives no number for an acquisition of a branch."""

    __tablename__ = "metric_failure"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "name"], ["user_metric.run_id", "user_metric.name"], ondelete="CASCADE"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    branch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(Text)


def metrics_of(session: Session, run_id: UUID) -> list[UserMetricRow]:
    """User metrics of a run, by name."""
    return list(
        session.scalars(select(UserMetricRow).where(UserMetricRow.run_id == run_id).order_by(UserMetricRow.name))
    )


def wake_user_metrics(session: Session, run_id: UUID) -> bool:
    """Have the job that computes a run's user metrics look again if it had ended; whether it had.

    A cancelled job stays cancelled. It locks the job's row, so that the job cannot end unseen meanwhile.
    """
    row = session.scalar(
        select(JobRow)
        .where(
            JobRow.element_id == run_id,
            JobRow.kind == JobKind.USER_METRICS.value,
            JobRow.state != JobState.CANCELLED.value,
        )
        .order_by(JobRow.created.desc())
        .limit(1)
        .with_for_update()
    )
    if row is None or row.state != JobState.FINISHED.value:
        return False
    reopened = session.execute(
        update(JobRow)
        .where(JobRow.id == row.id)
        .values(state=JobState.PENDING.value, finished=None, lease_owner=None, lease_until=None, attempts=0)
    )
    return bool(reopened)
