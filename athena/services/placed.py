"""Elements with the way to them; and what a user opened last (WS-09, WS-19)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.elements import Crumb, ElementKind, State
from athena.contract.people import Principal
from athena.contract.search import Placed
from athena.db.elements import ElementRow, LastUseRow
from athena.db.visibility import restrict, visible_with_roles
from athena.domain.tree import path_ids
from athena.services.describe import describe_elements
from athena.services.elements import visible_rows
from athena.services.guard import Visible

MAX_RECENT = 50
_AT_ONCE = 500


def list_recent(
    session: Session, principal: Principal, *, kind: ElementKind | None = None, limit: int = 10
) -> tuple[Placed, ...]:
    """Visible elements that the caller opened, the last first; of one kind or of all."""
    query = (
        visible_with_roles(principal)
        .join(LastUseRow, LastUseRow.element_id == ElementRow.id)
        .where(LastUseRow.user_id == principal.user_id, ElementRow.state != State.DELETING.value)
        .order_by(LastUseRow.opened.desc(), ElementRow.id)
        .limit(min(limit, MAX_RECENT))
    )
    if kind is not None:
        query = query.where(ElementRow.kind == kind.value)
    return place_elements(session, principal, visible_rows(session, principal, query))


def place_elements(session: Session, principal: Principal, page: Sequence[Visible]) -> tuple[Placed, ...]:
    """Elements with their breadcrumbs, in the order given; for callers that have checked what may be seen."""
    crumbs = _crumbs(session, principal, {step for visible in page for step in path_ids(visible.row.path)})
    return tuple(
        Placed(
            element=element,
            breadcrumb=tuple(crumbs[step] for step in path_ids(visible.row.path) if step in crumbs),
        )
        for visible, element in zip(page, describe_elements(session, principal, page), strict=True)
    )


def _crumbs(session: Session, principal: Principal, ids: set[UUID]) -> dict[UUID, Crumb]:
    """Crumbs of those of the ids that the caller may see."""
    found: dict[UUID, Crumb] = {}
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        query = select(ElementRow.id, ElementRow.kind, ElementRow.name).where(
            ElementRow.id.in_(ordered[start : start + _AT_ONCE])
        )
        for crumb_id, kind, name in session.execute(restrict(query, principal)):
            found[crumb_id] = Crumb(id=crumb_id, kind=ElementKind(kind), name=name)
    return found
