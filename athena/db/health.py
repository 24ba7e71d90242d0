"""Services: one row for each process that says it lives."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Float, Index, String, Text, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from athena.contract.health import ServiceReport
from athena.db.base import Base, HasId, now

REMEMBERED = timedelta(days=1)
"""How long a service that fell silent is still shown as down."""


class ServiceRow(HasId, Base):
    """One start of one process, with its last heartbeat. A clean stop removes it; a crash leaves it behind."""

    __tablename__ = "service"
    __table_args__ = (
        CheckConstraint("kind IN ('api', 'portal', 'runner')", name="kind"),
        CheckConstraint("period_s > 0", name="period"),
        Index("ix_service_kind", "kind", "host"),
    )

    kind: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(100))
    host: Mapped[str] = mapped_column(String(100))
    pid: Mapped[int]
    started: Mapped[datetime]
    seen: Mapped[datetime] = mapped_column(default=now)
    period_s: Mapped[float] = mapped_column(Float)
    message: Mapped[str] = mapped_column(Text, default="")
    cluster: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)


def note_alive(session: Session, report: ServiceReport) -> None:
    """Record a heartbeat, and forget services that have been silent for ``REMEMBERED``."""
    moment = now()
    said = report.model_dump(mode="json", include={"cluster"})
    session.merge(
        ServiceRow(
            id=report.id,
            kind=report.kind.value,
            version=report.version,
            host=report.host,
            pid=report.pid,
            started=report.started,
            seen=moment,
            period_s=report.period_s,
            message=report.message,
            cluster=said["cluster"],
        )
    )
    session.flush()
    session.execute(delete(ServiceRow).where(ServiceRow.seen < moment - REMEMBERED))


def forget_service(session: Session, service_id: UUID) -> None:
    """Remove a service that stops as it should."""
    session.execute(delete(ServiceRow).where(ServiceRow.id == service_id))


def forget_processes(session: Session, kind: str, host: str, pids: set[int]) -> None:
    """Remove services of a machine whose processes are known to be gone."""
    session.execute(
        delete(ServiceRow).where(ServiceRow.kind == kind, ServiceRow.host == host, ServiceRow.pid.in_(pids))
    )
