"""The audit trail: who did what to which element, when (BY-11)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from athena.db.base import Base, now


class AuditRow(Base):
    """One deed. The table only grows: triggers of the database refuse changes and deletions.

    Neither the user nor the element is a foreign key: the trail outlives both, so it keeps their names.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_element_id", "element_id", "id"),)

    # SQLite numbers rows only in columns of its own INTEGER
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    time: Mapped[datetime] = mapped_column(default=now)
    user_id: Mapped[UUID]
    username: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    element_id: Mapped[UUID]
    element_kind: Mapped[str] = mapped_column(String(20))
    element_name: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
