"""The event log as a caller may see it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from athena.contract.events import Event, EventKind, EventPage
from athena.contract.people import Principal
from athena.db.elements import ElementRow
from athena.db.events import EventRow, last_seq
from athena.db.groups import GroupMemberRow
from athena.db.visibility import restrict
from athena.errors import Invalid

MAX_PAGE = 10_000
_TOLD_WITH_PARENT = frozenset({EventKind.ELEMENT_CREATED.value, EventKind.ELEMENT_UPDATED.value})


def list_events(session: Session, principal: Principal, after: int, *, limit: int = 1000) -> EventPage:
    """Events after number ``after`` that the caller may see, oldest first; ``after=-1``: only where the log stands.

    The page's ``last_seq`` is where to go on from. It also passes over events the caller may not see, so it may be
    larger than ``after`` with an empty page. Where ``after`` is past the log's end (the database was replaced),
    ``last_seq`` is smaller than ``after``.
    """
    if after < -1 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"Events are asked for after -1 or a number given before, 1 to {MAX_PAGE} at a time.")
    # read before the events: every event up to this number is committed, later ones wait for the next page
    newest = last_seq(session)
    if after == -1 or after >= newest:
        return EventPage(events=(), last_seq=newest)
    query = select(EventRow).where(EventRow.seq > after, EventRow.seq <= newest).order_by(EventRow.seq).limit(limit)
    if principal.is_admin:
        rows = session.scalars(query).all()
    else:
        # an event that names no element is about the platform as a whole (administrators only) or addressed
        named = session.scalars(_of_seen(query, principal))
        addressed = session.scalars(query.where(_addressed_to(principal)))
        rows = sorted([*named, *addressed], key=lambda row: row.seq)[:limit]
    parents = _parents(session, principal, rows)
    events = tuple(
        Event(
            seq=row.seq,
            kind=EventKind(row.kind),
            time=row.time,
            element_id=row.element_id,
            parent_id=parents.get(row.element_id) if row.kind in _TOLD_WITH_PARENT else None,
            index=row.index,
            version=row.version,
        )
        for row in rows
    )
    return EventPage(events=events, last_seq=events[-1].seq if len(events) == limit else newest)


def _parents(session: Session, principal: Principal, rows: Sequence[EventRow]) -> dict[UUID | None, UUID]:
    """Where the elements that came or changed lie now; a parent the caller may not see is not named."""
    ids = {row.element_id for row in rows if row.kind in _TOLD_WITH_PARENT and row.element_id is not None}
    if not ids:
        return {}
    parent = aliased(ElementRow)
    query = (
        select(ElementRow.id, parent.id).join(parent, parent.id == ElementRow.parent_id).where(ElementRow.id.in_(ids))
    )
    return dict(session.execute(restrict(query, principal, of=parent.permission_set_id)).all())


def _addressed_to(principal: Principal) -> ColumnElement[bool]:
    """Condition on ``EventRow``: it is for the caller, for a group of the caller's, or for everybody."""
    groups = select(GroupMemberRow.group_id).where(GroupMemberRow.user_id == principal.user_id)
    recipient = EventRow.recipient_id
    mine = or_(recipient.is_(None), recipient == principal.user_id, recipient.in_(groups))
    return and_(EventRow.kind == EventKind.ACCESS_CHANGED.value, mine)


def _of_seen(query: Select[EventRow], principal: Principal) -> Select[EventRow]:
    """Events of elements the caller may see, or might see when they went."""
    known = query.outerjoin(ElementRow, ElementRow.id == EventRow.element_id)
    return restrict(known, principal, of=func.coalesce(ElementRow.permission_set_id, EventRow.permission_set_id))
