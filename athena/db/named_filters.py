"""Filters that a workflow keeps under a name (ADR 0175)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
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


class FilterVersionRow(Base):
    """What a named filter was once. It stays when the filter goes, for whatever names it; ``number`` is a revision.

    ``rules_hash`` is that of ``athena.domain.filters``: equal rules are found by it, in whatever order they are.
    """

    __tablename__ = "filter_version"
    __table_args__ = (Index("ix_filter_version_rules", "workflow_id", "rules_hash"),)

    filter_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    workflow_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    rules_hash: Mapped[str] = mapped_column(String(64))
    username: Mapped[str] = mapped_column(String(200))
    time: Mapped[datetime] = mapped_column(default=now)
