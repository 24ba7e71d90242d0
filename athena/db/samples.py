"""Samples, and what was made of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, validates

from athena.db.base import BYTE_ORDERED, Base, HasId, now
from athena.domain.tree import sort_key


class SampleRow(HasId, Base):
    """A sample. ``entries`` are its metadata, as they travel; ``sort_key`` follows ``name``."""

    __tablename__ = "sample"
    __table_args__ = (
        CheckConstraint("length(name) > 0", name="named"),
        Index("ix_sample_creator", "creator_id"),
        Index("ix_sample_sorted", "sort_key", "id"),
    )

    name: Mapped[str] = mapped_column(String(200))
    sort_key: Mapped[str] = mapped_column(BYTE_ORDERED)
    type: Mapped[str] = mapped_column(String(100), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    barcode: Mapped[str] = mapped_column(String(100), default="")
    cassette: Mapped[str] = mapped_column(String(100), default="")
    slot: Mapped[int | None] = mapped_column(default=None)
    entries: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    creator_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    @validates("name")
    def _order_by_name(self, _attribute: str, name: str) -> str:
        self.sort_key = sort_key(name)
        return name


class SampleLinkRow(Base):
    """A step or dataset made of a sample."""

    __tablename__ = "sample_link"
    __table_args__ = (Index("ix_sample_link_element", "element_id"),)

    sample_id: Mapped[UUID] = mapped_column(ForeignKey("sample.id", ondelete="CASCADE"), primary_key=True)
    element_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"), primary_key=True)
