"""Groups of users, and the roles they have in permission sets (BY-08)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from athena.db.base import Base, HasId, now


class GroupRow(HasId, Base):
    """People who are shared with as one."""

    __tablename__ = "group"

    name: Mapped[str] = mapped_column(String(200), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[datetime] = mapped_column(default=now)


class GroupMemberRow(Base):
    """A user in a group."""

    __tablename__ = "group_member"
    __table_args__ = (Index("ix_group_member_user_id", "user_id", "group_id"),)

    group_id: Mapped[UUID] = mapped_column(ForeignKey("group.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)


class GroupGrantRow(Base):
    """A group's role in a permission set: each member has it, beside what it has by itself.

    A table of its own, not rows of ``grant``: a user has one grant in a set, so joining ``grant`` never doubles a row
    of a listing.
    """

    __tablename__ = "group_grant"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'collaborator', 'owner')", name="role"),
        Index("ix_group_grant_group_id", "group_id", "permission_set_id"),
    )

    permission_set_id: Mapped[UUID] = mapped_column(
        ForeignKey("permission_set.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[UUID] = mapped_column(ForeignKey("group.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
