"""What a permission set says, read and written row by row, and the events that follow. Guards are the callers'."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from athena.contract.events import EventKind
from athena.contract.people import Role
from athena.contract.sharing import Grant, Grantee, GranteeKind
from athena.db.elements import GrantRow, PermissionSetRow
from athena.db.events import append_event
from athena.db.groups import GroupGrantRow, GroupRow
from athena.db.people import BUILTIN_ADMIN, UserRow
from athena.domain.permissions import PERMISSIONS
from athena.errors import NotFound

_STRONGEST_FIRST = {role: -rank for rank, role in enumerate(PERMISSIONS)}


@dataclass(frozen=True)
class Access:
    """A permission set: roles by user and by group, and Everybody's."""

    revision: int
    public: Role | None
    users: dict[UUID, Role]
    groups: dict[UUID, Role]

    def described(self, session: Session) -> tuple[Grant, ...]:
        """Grants with names: strongest role first, then by name."""
        people = session.execute(
            select(UserRow.id, UserRow.username, UserRow.display_name).where(UserRow.id.in_(self.users))
        )
        groups = session.execute(select(GroupRow.id, GroupRow.name).where(GroupRow.id.in_(self.groups)))
        grants = [
            Grant(grantee=Grantee(kind=GranteeKind.USER, id=id_, name=name, label=label), role=self.users[id_])
            for id_, name, label in people
        ] + [
            Grant(grantee=Grantee(kind=GranteeKind.GROUP, id=id_, name=name), role=self.groups[id_])
            for id_, name in groups
        ]
        return tuple(
            sorted(grants, key=lambda grant: (_STRONGEST_FIRST[grant.role], grant.grantee.name, grant.grantee.kind))
        )


def access_of(session: Session, set_id: UUID) -> Access:
    """What a permission set says at this moment."""
    revision, public = session.execute(
        select(PermissionSetRow.revision, PermissionSetRow.public_role).where(PermissionSetRow.id == set_id)
    ).one()
    users = session.execute(select(GrantRow.user_id, GrantRow.role).where(GrantRow.permission_set_id == set_id))
    groups = session.execute(
        select(GroupGrantRow.group_id, GroupGrantRow.role).where(GroupGrantRow.permission_set_id == set_id)
    )
    return Access(
        revision=revision,
        public=Role(public) if public else None,
        users={id_: Role(role) for id_, role in users},
        groups={id_: Role(role) for id_, role in groups},
    )


def find_grantee(session: Session, kind: GranteeKind, name: str) -> Grantee:
    """User or group of this name, else NotFound."""
    if kind is GranteeKind.USER:
        user = session.scalar(select(UserRow).where(UserRow.username == name, UserRow.removed.is_(None)))
        if user is not None:
            return Grantee(kind=kind, id=user.id, name=user.username, label=user.display_name)
    else:
        group = session.scalar(select(GroupRow).where(GroupRow.name == name))
        if group is not None:
            return Grantee(kind=kind, id=group.id, name=group.name)
    raise NotFound(f"There is no {kind.value} “{name}”.")


def put_role(session: Session, set_id: UUID, grantee: Grantee, role: Role | None) -> None:
    """Give somebody a role in a set, or take away the one it has; NotFound if there is none to take away."""
    table: type[GrantRow] | type[GroupGrantRow]
    row: GrantRow | GroupGrantRow
    if grantee.kind is GranteeKind.USER:
        table, row = GrantRow, GrantRow(permission_set_id=set_id, user_id=grantee.id)
        this = (GrantRow.permission_set_id == set_id) & (GrantRow.user_id == grantee.id)
    else:
        table, row = GroupGrantRow, GroupGrantRow(permission_set_id=set_id, group_id=grantee.id)
        this = (GroupGrantRow.permission_set_id == set_id) & (GroupGrantRow.group_id == grantee.id)
    if role is not None:
        row.role = role.value
        session.merge(row)
        session.flush()
    elif session.execute(delete(table).where(this).returning(table.role)).first() is None:
        raise NotFound(f"The {grantee.kind.value} “{grantee.name}” has no role here.")


def tell(session: Session, element_id: UUID, before: Access, after: Access) -> None:
    """Append the events of a change of permissions; call it last.

    Whoever still sees the element, or sees it now, is told of the element. Those who may have lost it are told only
    that what they see has changed: an event that named what they may no longer see would itself be a leak.
    """
    append_event(session, EventKind.PERMISSIONS_CHANGED, element_id=element_id)
    if before.public is not None and after.public is None:
        append_event(session, EventKind.ACCESS_CHANGED)
        return
    for grantee in [*(before.users.keys() - after.users.keys()), *(before.groups.keys() - after.groups.keys())]:
        append_event(session, EventKind.ACCESS_CHANGED, recipient_id=grantee)


def complete_names(session: Session, text: str, *, limit: int) -> tuple[Grantee, ...]:
    """Users (by user name or display name) and groups whose name begins with a text, in order of name."""
    start = text.casefold()
    users = session.execute(
        select(UserRow.id, UserRow.username, UserRow.display_name)
        .where(
            UserRow.removed.is_(None),
            UserRow.username != BUILTIN_ADMIN,
            or_(
                func.lower(UserRow.username).startswith(start, autoescape=True),
                func.lower(UserRow.display_name).startswith(start, autoescape=True),
            ),
        )
        .order_by(UserRow.username)
        .limit(limit)
    )
    groups = session.execute(
        select(GroupRow.id, GroupRow.name)
        .where(func.lower(GroupRow.name).startswith(start, autoescape=True))
        .order_by(GroupRow.name)
        .limit(limit)
    )
    found = [Grantee(kind=GranteeKind.USER, id=id_, name=name, label=label) for id_, name, label in users]
    found += [Grantee(kind=GranteeKind.GROUP, id=id_, name=name) for id_, name in groups]
    return tuple(sorted(found, key=lambda grantee: (grantee.name, grantee.kind))[:limit])
