"""Groups of users: made and filled by user managers, shared with by everybody (BY-08)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from athena.contract.events import EventKind
from athena.contract.groups import Group, GroupCreate, GroupUpdate
from athena.contract.people import Principal
from athena.db.events import append_event
from athena.db.groups import GroupMemberRow, GroupRow
from athena.db.people import UserRow
from athena.errors import Conflict, NotFound
from athena.services.guard import may_manage_users, require_user_manager


def list_groups(session: Session, principal: Principal) -> tuple[Group, ...]:
    """Groups with their members, by name: for user managers all, for others those they are in."""
    query = select(GroupRow).order_by(GroupRow.name)
    if not may_manage_users(principal):
        mine = select(GroupMemberRow.group_id).where(GroupMemberRow.user_id == principal.user_id)
        query = query.where(GroupRow.id.in_(mine))
    return _describe(session, session.scalars(query).all())


def create_group(session: Session, principal: Principal, wanted: GroupCreate) -> Group:
    """Make a group; Forbidden to others than user managers, Conflict if the name is taken, NotFound for members."""
    require_user_manager(principal)
    row = GroupRow(name=wanted.name, description=wanted.description)
    _save(session, row, wanted.name)
    _tell(session, _take_in(session, row, wanted.members))
    return _describe(session, [row])[0]


def update_group(session: Session, principal: Principal, group_id: UUID, change: GroupUpdate) -> Group:
    """Rename or describe a group, take users in or out; those who were in or out already stay so.

    Raises Forbidden, NotFound (the group, a user), Conflict (the name is taken).
    """
    require_user_manager(principal)
    row = _known(session, group_id)
    if change.description is not None:
        row.description = change.description
    if change.name is not None:
        _save(session, row, change.name)
    _tell(session, [*_take_in(session, row, change.add), *_take_out(session, row, change.remove)])
    return _describe(session, [row])[0]


def delete_group(session: Session, principal: Principal, group_id: UUID) -> None:
    """Delete a group, and with it the roles it had; its members stay. Raises Forbidden, NotFound."""
    require_user_manager(principal)
    row = _known(session, group_id)
    members = session.scalars(select(GroupMemberRow.user_id).where(GroupMemberRow.group_id == group_id)).all()
    session.execute(delete(GroupRow).where(GroupRow.id == row.id))
    _tell(session, members)


def _take_in(session: Session, group: GroupRow, usernames: Iterable[str]) -> list[UUID]:
    users = _users(session, usernames)
    held = set(session.scalars(select(GroupMemberRow.user_id).where(GroupMemberRow.group_id == group.id)))
    new = [user for user in users if user not in held]
    session.add_all(GroupMemberRow(group_id=group.id, user_id=user) for user in new)
    session.flush()
    return new


def _take_out(session: Session, group: GroupRow, usernames: Iterable[str]) -> list[UUID]:
    users = _users(session, usernames)
    gone = session.scalars(
        delete(GroupMemberRow)
        .where(GroupMemberRow.group_id == group.id, GroupMemberRow.user_id.in_(users))
        .returning(GroupMemberRow.user_id)
    )
    return list(gone)


def _tell(session: Session, users: Iterable[UUID]) -> None:
    """Let users know that what they may see is not what it was; call it last."""
    for user in users:
        append_event(session, EventKind.ACCESS_CHANGED, recipient_id=user)


def _users(session: Session, usernames: Iterable[str]) -> list[UUID]:
    wanted = set(usernames)
    found = dict(session.execute(select(UserRow.username, UserRow.id).where(UserRow.username.in_(wanted))).all())
    if missing := sorted(wanted - found.keys()):
        raise NotFound(f"There is no user “{'”, “'.join(missing[:5])}”.")
    return sorted(found.values())


def _known(session: Session, group_id: UUID) -> GroupRow:
    # locked, so that two who change the members at once do so one after the other
    row = session.get(GroupRow, group_id, with_for_update={"key_share": True}, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no group {group_id}.")
    return row


def _save(session: Session, row: GroupRow, name: str) -> None:
    try:
        with session.begin_nested():
            # within the savepoint: what was changed before it would be written outside, where a conflict ends all
            row.name = name
            session.add(row)
    except IntegrityError:
        raise Conflict(f"There is already a group “{name}”.") from None


def _describe(session: Session, rows: Iterable[GroupRow]) -> tuple[Group, ...]:
    groups = list(rows)
    members: dict[UUID, list[str]] = {group.id: [] for group in groups}
    query = (
        select(GroupMemberRow.group_id, UserRow.username)
        .join(UserRow, UserRow.id == GroupMemberRow.user_id)
        .where(GroupMemberRow.group_id.in_(members))
        .order_by(UserRow.username)
    )
    for group_id, username in session.execute(query):
        members[group_id].append(username)
    return tuple(
        Group(
            id=group.id,
            name=group.name,
            description=group.description,
            members=tuple(members[group.id]),
            created=group.created,
        )
        for group in groups
    )
