"""Storages, and the uploads on their way into them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from athena.db.base import Base, HasId, now


class StorageRow(HasId, Base):
    """A place for files. ``options`` may be shown to administrators, ``secrets`` to nobody.

    ``chosen``: new files of its role go there; at most one of a role. The columns from ``state`` on are what the
    background check found.
    """

    __tablename__ = "storage"
    __table_args__ = (
        CheckConstraint("role IN ('primary', 'acquisition', 'export', 'archive')", name="role"),
        CheckConstraint("state IN ('unknown', 'stable', 'down')", name="state"),
        CheckConstraint("NOT chosen OR role <> 'acquisition'", name="acquisition_is_not_chosen"),
        Index(
            "uq_storage_chosen", "role", unique=True, sqlite_where=text("chosen = 1"), postgresql_where=text("chosen")
        ),
    )

    name: Mapped[str] = mapped_column(String(100), unique=True)
    url: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(20))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    secrets: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    quota_bytes: Mapped[int | None] = mapped_column(BigInteger, default=None)
    chosen: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[str] = mapped_column(String(20), default="unknown")
    message: Mapped[str] = mapped_column(Text, default="")
    checked: Mapped[datetime | None] = mapped_column(default=None)
    file_count: Mapped[int] = mapped_column(default=0)
    used_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    total_bytes: Mapped[int | None] = mapped_column(BigInteger, default=None)
    free_bytes: Mapped[int | None] = mapped_column(BigInteger, default=None)


class UploadRow(HasId, Base):
    """An upload that is not finished; its bytes so far lie in the staging folder, under its id.

    How far it is, is the size of that file: there is no number here that could disagree with it. The file it becomes
    keeps the id. ``sha256`` is what the sender said the whole must have, empty where it said nothing.
    """

    __tablename__ = "upload"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size_not_negative"),
        Index("ix_upload_element", "element_id"),
        Index("ix_upload_expires", "expires"),
    )

    element_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    storage_id: Mapped[UUID] = mapped_column(ForeignKey("storage.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
