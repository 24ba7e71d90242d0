"""The event log as a caller may see it."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.events import Event, EventKind, EventPage
from athena.contract.people import Principal
from athena.db.elements import ElementRow
from athena.db.events import EventRow, last_seq
from athena.db.visibility import restrict
from athena.errors import Invalid

MAX_PAGE = 10_000


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
    if not principal.is_admin:
        # an event that names no element is about the platform as a whole: administrators only
        known = query.outerjoin(ElementRow, ElementRow.id == EventRow.element_id)
        query = restrict(known, principal, of=func.coalesce(ElementRow.permission_set_id, EventRow.permission_set_id))
    rows = session.scalars(query).all()
    events = tuple(
        Event(
            seq=row.seq,
            kind=EventKind(row.kind),
            time=row.time,
            element_id=row.element_id,
            index=row.index,
            version=row.version,
        )
        for row in rows
    )
    return EventPage(events=events, last_seq=events[-1].seq if len(events) == limit else newest)
