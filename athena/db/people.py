"""Users, their platform roles, their tokens, and the passwords that were tried."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from athena.db.base import Base, HasId, now

BUILTIN_ADMIN = "athena-admin"
"""The account that every instance has from its first migration on."""


class UserRow(HasId, Base):
    """A person who may log in.

    ``password_hash`` is argon2, empty for people another service vouches for. ``display_name`` is how others see the
    person; it follows first and last name where these are set. ``seated``: since when the person
    holds a licence seat. A ``removed`` person is a name
    in the history of elements and nothing else; the user name is then free again.
    """

    __tablename__ = "user"
    __table_args__ = (
        CheckConstraint("source IN ('local', 'ldap', 'hub')", name="source"),
        CheckConstraint("removed IS NULL OR (NOT active AND seated IS NULL)", name="removed_is_out"),
    )

    username: Mapped[str] = mapped_column(String(200), unique=True)
    display_name: Mapped[str] = mapped_column(String(200), default="")
    password_hash: Mapped[str] = mapped_column(String(300), default="")
    created: Mapped[datetime] = mapped_column(default=now)
    email: Mapped[str] = mapped_column(String(320), default="", server_default="")
    first_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    last_name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    source: Mapped[str] = mapped_column(String(20), default="local", server_default="local")
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    seated: Mapped[datetime | None] = mapped_column(default=None)
    last_seen: Mapped[datetime | None] = mapped_column(default=None)
    removed: Mapped[datetime | None] = mapped_column(default=None)
    roles: Mapped[list["UserRoleRow"]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class UserRoleRow(Base):
    """A platform role of a user."""

    __tablename__ = "user_role"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(40), primary_key=True)


class TokenRow(HasId, Base):
    """A token of a user, kept as its SHA-256 only. ``kind`` is that of the principal it makes; ``start`` its beginning,
    by which its person tells it from others."""

    __tablename__ = "token"
    __table_args__ = (
        CheckConstraint("kind IN ('local', 'hub', 'service', 'token')", name="kind"),
        CheckConstraint("scope IN ('read', 'write', 'admin')", name="scope"),
        Index("ix_token_user", "user_id"),
        Index(
            "ix_token_name",
            "user_id",
            "name",
            unique=True,
            sqlite_where=text("kind = 'token'"),
            postgresql_where=text("kind = 'token'"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20), default="local")
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime | None] = mapped_column(default=None)
    scope: Mapped[str] = mapped_column(String(20), default="admin", server_default="admin")
    start: Mapped[str] = mapped_column(String(20), default="", server_default="")
    last_used: Mapped[datetime | None] = mapped_column(default=None)


class LoginAttemptRow(HasId, Base):
    """A password that was tried: what the limits on log-in count. ``peer`` is the address it came from.

    The name is kept as SHA-256: people type passwords into the wrong field.
    """

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("ix_login_attempt_name", "name_sha256", "time"),
        Index("ix_login_attempt_peer", "peer", "time"),
        Index("ix_login_attempt_time", "time"),
    )

    name_sha256: Mapped[str] = mapped_column(String(64))
    peer: Mapped[str] = mapped_column(String(64))
    time: Mapped[datetime] = mapped_column(default=now)
    succeeded: Mapped[bool] = mapped_column(default=False)
