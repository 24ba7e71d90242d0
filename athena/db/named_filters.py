"""Filters that a workflow keeps under a name (ADR 0175)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from athena.db.base import BYTE_ORDERED, Base, HasId, now


class NamedFilterRow(HasId, Base):
    """A filter of a workflow; ``rules`` are those of ``athena.contract.filters``, ``key`` follows ``name``."""

    __tablename__ = "named_filter"
    __table_args__ = (UniqueConstraint("workflow_id", "key"), CheckConstraint("length(name) > 0", name="named"))

    workflow_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    key: Mapped[str] = mapped_column(BYTE_ORDERED)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(default=1)
    creator_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), default=None)
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @validates("name")
    def _told_apart_by(self, _attribute: str, name: str) -> str:
        self.key = name.casefold()
        return name
