"""What becomes of a person's elements when the person leaves: an element always keeps an owner."""

from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.people import Principal, Role
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.events import append_event
from athena.db.groups import GroupMemberRow
from athena.db.people import UserRow
from athena.db.samples import SampleLinkRow, SampleRow
from athena.services.audit import record


def count_solely_owned(session: Session, user_id: UUID) -> int:
    """Permission sets in use that no other user owns; groups do not count, as in sharing."""
    return len(_solely_owned(session, user_id))


def hand_over(session: Session, principal: Principal, user_id: UUID, heir: UserRow | None) -> None:
    """Take all of a person's roles on elements and groups; where nobody else is owner, the heir becomes it.

    Samples that no element is linked to go to the heir as well; without one they are left to administrators.

    The guard is the caller's, who also makes sure of an heir where one is needed, and holds the tree alone, so that
    nobody shares or gives up an ownership meanwhile.
    """
    alone = _solely_owned(session, user_id)
    if alone and heir is None:
        raise AssertionError("elements would be left without an owner")
    held = session.scalars(select(GrantRow.permission_set_id).where(GrantRow.user_id == user_id)).all()
    session.execute(delete(GrantRow).where(GrantRow.user_id == user_id))
    session.execute(delete(GroupMemberRow).where(GroupMemberRow.user_id == user_id))
    for set_id in alone:
        session.merge(GrantRow(permission_set_id=set_id, user_id=heir.id, role=Role.OWNER.value))  # type: ignore[union-attr]
    if heir is not None:
        # a sample that nothing was made of yet is known to who registered it alone
        linked = exists().where(SampleLinkRow.sample_id == SampleRow.id)
        session.execute(
            update(SampleRow)
            .where(SampleRow.creator_id == user_id, ~linked)
            .values(creator_id=heir.id)
            .execution_options(synchronize_session=False)
        )
    session.execute(
        update(PermissionSetRow)
        .where(PermissionSetRow.id.in_(held))
        .values(revision=PermissionSetRow.revision + 1)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    session.expire_all()
    shared = select(ElementRow).where(ElementRow.permission_set_id.in_(held), ~ElementRow.inherits)
    rows = session.scalars(shared.order_by(ElementRow.id)).all()
    for row in rows:
        if row.permission_set_id in alone:
            grants = [["user", heir.username, Role.OWNER.value]]  # type: ignore[union-attr]
            record(session, principal, AuditAction.SHARED, row, grants=grants)
    session.flush()
    for row in rows:
        append_event(session, EventKind.PERMISSIONS_CHANGED, element_id=row.id)


def _solely_owned(session: Session, user_id: UUID) -> set[UUID]:
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
    )
    return set(session.scalars(query))
