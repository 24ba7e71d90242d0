"""The event log: what changed, in one gapless order over the whole instance."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from athena.contract.events import EventKind
from athena.db.base import Base, now


class EventClockRow(Base):
    """One row: the last sequence number given out.

    A database sequence would leave gaps on roll-back and could become visible out of order; this row is locked
    from the event's insertion to its commit, so numbers appear in commit order and without gaps.
    """

    __tablename__ = "event_clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)


class EventRow(Base):
    """One change. ``recipient_id``: the user, or the members of the group, it is for (``EventKind.ACCESS_CHANGED``).

    The element may be gone by now; ``permission_set_id`` then says who might see it when it went.
    """

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_element", "element_id", "seq"), Index("ix_event_kind", "kind", "seq"))

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(40))
    time: Mapped[datetime] = mapped_column(default=now)
    element_id: Mapped[UUID | None] = mapped_column(default=None)
    index: Mapped[int | None] = mapped_column(default=None)
    version: Mapped[int | None] = mapped_column(BigInteger, default=None)
    permission_set_id: Mapped[UUID | None] = mapped_column(default=None)
    # no foreign key: a group's event must not become everybody's when the group goes
    recipient_id: Mapped[UUID | None] = mapped_column(default=None)


def append_event(
    session: Session,
    kind: EventKind,
    *,
    element_id: UUID | None = None,
    index: int | None = None,
    version: int | None = None,
    permission_set_id: UUID | None = None,
    recipient_id: UUID | None = None,
) -> int:
    """Add an event to the transaction; returns its sequence number. Call it last: it holds the clock until commit.

    ``permission_set_id`` is given where the element goes in the same transaction: who might see it is told so.
    """
    seq: int | None = session.scalar(
        update(EventClockRow)
        .where(EventClockRow.id == 1)
        .values(seq=EventClockRow.seq + 1)
        .returning(EventClockRow.seq)
    )
    if seq is None:
        raise RuntimeError("the event clock is missing: the database schema was not created by the migrations")
    session.add(
        EventRow(
            seq=seq,
            kind=kind.value,
            element_id=element_id,
            index=index,
            version=version,
            permission_set_id=permission_set_id,
            recipient_id=recipient_id,
        )
    )
    return seq


def last_seq(session: Session) -> int:
    """Number of the newest committed event; 0 when there is none."""
    return session.scalar(select(EventClockRow.seq).where(EventClockRow.id == 1)) or 0
