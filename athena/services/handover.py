"""What becomes of a person's elements when the person leaves: an element always keeps an owner."""

from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from athena.contract.events import EventKind
from athena.contract.people import Role
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.events import append_event


def count_solely_owned(session: Session, user_id: UUID) -> int:
    """Permission sets in use that nobody else owns."""
    return len(_solely_owned(session, user_id))


def hand_over(session: Session, user_id: UUID, heir_id: UUID | None) -> None:
    """Take all of a person's roles on elements; where nobody else is owner, the heir becomes it.

    The guard is the caller's, who also makes sure of an heir where one is needed.
    """
    alone = _solely_owned(session, user_id, lock=True)
    if alone and heir_id is None:
        raise AssertionError("elements would be left without an owner")
    session.execute(delete(GrantRow).where(GrantRow.user_id == user_id))
    for set_id in alone:
        session.merge(GrantRow(permission_set_id=set_id, user_id=heir_id, role=Role.OWNER.value))
    session.flush()
    session.expire_all()
    tops = select(ElementRow.id).where(ElementRow.permission_set_id.in_(alone), ~ElementRow.inherits)
    for element_id in session.scalars(tops.order_by(ElementRow.id)).all():
        append_event(session, EventKind.ELEMENT_UPDATED, element_id=element_id)


def _solely_owned(session: Session, user_id: UUID, *, lock: bool = False) -> list[UUID]:
    other = aliased(GrantRow)
    owner = Role.OWNER.value
    query = (
        select(PermissionSetRow.id)
        .join(GrantRow, GrantRow.permission_set_id == PermissionSetRow.id)
        .where(
            GrantRow.user_id == user_id,
            GrantRow.role == owner,
            ~exists().where(
                other.permission_set_id == PermissionSetRow.id, other.user_id != user_id, other.role == owner
            ),
            exists().where(ElementRow.permission_set_id == PermissionSetRow.id),
        )
        .order_by(PermissionSetRow.id)
    )
    return list(session.scalars(query.with_for_update(of=PermissionSetRow) if lock else query))
