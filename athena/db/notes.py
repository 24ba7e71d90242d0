"""Notes on elements."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from athena.db.base import Base, HasId, now


class NoteRow(HasId, Base):
    """A note: markdown, and links as ``{"element_id": …}`` or ``{"url": …, "title": …}``.

    A link is no foreign key: the element may go while the note stays, and then it shows as one that cannot be seen.
    """

    __tablename__ = "note"
    __table_args__ = (
        CheckConstraint("length(text) > 0", name="says_something"),
        Index("ix_note_element", "element_id"),
    )

    element_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"))
    author_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str] = mapped_column(Text)
    links: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now, onupdate=now)
