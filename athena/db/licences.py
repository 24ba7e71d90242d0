"""The platform's own identity, and the licence keys installed on it."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from athena.db.base import Base, HasId, now


class PlatformRow(Base):
    """One row, made by the migration: the id that licences are issued for.

    Whoever gives or takes licence seats locks it, so that seats are counted one change at a time.
    """

    __tablename__ = "platform"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    platform_id: Mapped[UUID] = mapped_column(default=uuid4)


class LicenceRow(HasId, Base):
    """An installed licence key; its id is the licence's own, so that installing a key again changes nothing."""

    __tablename__ = "licence"

    key: Mapped[str] = mapped_column(Text)
    installed: Mapped[datetime] = mapped_column(default=now)
    installed_by: Mapped[str] = mapped_column(String(200))
