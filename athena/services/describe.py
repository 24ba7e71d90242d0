"""Element rows as the caller may see them: one query a page for each thing a row does not hold itself."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.elements import Element, ElementKind, State, Status, StepStatus
from athena.contract.people import Action, Principal
from athena.db.elements import ElementRow
from athena.db.people import UserRow
from athena.db.visibility import restrict, visible_counts
from athena.domain.permissions import actions_on
from athena.services.guard import Visible


def describe_element(session: Session, principal: Principal, visible: Visible) -> Element:
    """One element as the caller sees it."""
    return describe_elements(session, principal, [visible])[0]


def describe_elements(session: Session, principal: Principal, page: Sequence[Visible]) -> tuple[Element, ...]:
    """Elements as the caller sees them, in the order given."""
    if not page:
        return ()
    ids = [visible.row.id for visible in page]
    names = _usernames(session, {visible.row.creator_id for visible in page})
    steps = _steps(session, principal, [v.row.id for v in page if v.row.kind == ElementKind.WORKFLOW])
    counts = _child_counts(session, principal, ids)
    parents = _visible_ids(session, principal, {v.row.parent_id for v in page if v.row.parent_id is not None})
    return tuple(
        _element(
            visible,
            may=_may(principal, visible),
            parent_id=visible.row.parent_id if visible.row.parent_id in parents else None,
            creator=names[visible.row.creator_id],
            steps=steps.get(visible.row.id, ()),
            child_count=counts.get(visible.row.id, 0),
        )
        for visible in page
    )


def _may(principal: Principal, visible: Visible) -> tuple[Action, ...]:
    """What the caller may do with an element."""
    row, admin = visible.row, principal.is_admin
    creator = row.creator_id == principal.user_id
    allowed = actions_on(visible.role, ElementKind(row.kind), row.type, creator=creator, admin=admin)
    return tuple(action for action in Action if action in allowed)


def _element(visible: Visible, **found: Any) -> Element:
    row = visible.row
    return Element(
        id=row.id,
        kind=ElementKind(row.kind),
        name=row.name,
        type=row.type,
        status=Status(row.status),
        state=State(row.state),
        position=row.position,
        description=row.description,
        created=row.created,
        updated=row.updated,
        revision=row.revision,
        my_role=visible.role,
        **found,
    )


def _usernames(session: Session, ids: set[UUID]) -> dict[UUID, str]:
    query = select(UserRow.id, UserRow.username).where(UserRow.id.in_(ids))
    return dict(session.execute(query).all())


def _steps(session: Session, principal: Principal, workflows: list[UUID]) -> dict[UUID | None, tuple[StepStatus, ...]]:
    """Steps of each workflow in order."""
    if not workflows:
        return {}
    query = select(ElementRow.parent_id, ElementRow.id, ElementRow.name, ElementRow.status).where(
        ElementRow.parent_id.in_(workflows)
    )
    found: dict[UUID | None, tuple[StepStatus, ...]] = {}
    for workflow, step, name, status in session.execute(restrict(query, principal).order_by(ElementRow.position)):
        found[workflow] = (*found.get(workflow, ()), StepStatus(id=step, name=name, status=Status(status)))
    return found


def _child_counts(session: Session, principal: Principal, ids: list[UUID]) -> dict[UUID | None, int]:
    return dict(session.execute(visible_counts(principal, ElementRow.parent_id.in_(ids))).all())


def _visible_ids(session: Session, principal: Principal, ids: set[UUID]) -> set[UUID]:
    """Which of the ids the caller may see: a parent it may not see is not named."""
    if principal.is_admin or not ids:
        return ids
    return set(session.scalars(restrict(select(ElementRow.id).where(ElementRow.id.in_(ids)), principal)))
