"""The one SQL filter for what a principal may see or do, built from the table in ``athena.domain.permissions``."""

from functools import cache
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    ScalarSelect,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from athena.contract.people import Action, Principal, Role
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.groups import GroupGrantRow, GroupMemberRow
from athena.domain.permissions import PERMISSIONS, roles_allowing, strongest

Columns = TypeVarTuple("Columns")
Permissions = type[PermissionSetRow]
Grant = type[GrantRow]
SetReference = InstrumentedAttribute[UUID] | ColumnElement[UUID]
Me = UUID | BindParameter[UUID]
"""Id of the caller, or the parameter that stands for it."""


def restrict(
    query: Select[*Columns],
    principal: Principal,
    *,
    of: SetReference = ElementRow.permission_set_id,
    action: Action = Action.VIEW,
) -> Select[*Columns]:
    """Keep the rows whose element the principal may do ``action`` with.

    One join through the element's permission set, whatever the query lists. ``of`` is the column of the query that
    refers to the permission set. Administrators keep every row.
    """
    if principal.is_admin:
        return query
    permissions, grant = aliased(PermissionSetRow), aliased(GrantRow)
    me = principal.user_id
    return _join(query, me, of=of, permissions=permissions, grant=grant).where(
        _allowed(action, me, of=of, permissions=permissions, grant=grant)
    )


def visible_with_roles(principal: Principal) -> Select[ElementRow, str | None, str | None, str | None]:
    """Select the visible elements, each with the caller's own role in its set, that of its groups, and the public one.

    ``effective_role`` makes one role of the three.
    """
    return _with_roles(principal.user_id, is_admin=principal.is_admin)


@cache
def one_visible(*, is_admin: bool) -> Select[ElementRow, str | None, str | None, str | None]:
    """The same of one element, with the parameters ``me`` and ``element``: built once, since every request asks it."""
    me, element = (bindparam(name, type_=Uuid()) for name in ("me", "element"))
    return _with_roles(me, is_admin=is_admin).where(ElementRow.id == element)


def _with_roles(me: Me, *, is_admin: bool) -> Select[ElementRow, str | None, str | None, str | None]:
    of = ElementRow.permission_set_id
    query = _join(
        select(ElementRow, GrantRow.role, _role_through_groups(me, of), PermissionSetRow.public_role),
        me,
        of=of,
        permissions=PermissionSetRow,
        grant=GrantRow,
    )
    if is_admin:
        return query
    return query.where(_allowed(Action.VIEW, me, of=of, permissions=PermissionSetRow, grant=GrantRow))


def visible_counts(principal: Principal, place: ColumnElement[bool]) -> Select[UUID | None, int]:
    """Select (parent, number of its visible children) for the elements in ``place``.

    Elements are counted by permission set before the join, which an index alone can do: thousands of siblings mostly
    share one set.
    """
    sets = (
        select(ElementRow.parent_id, ElementRow.permission_set_id, func.count().label("members"))
        .where(place)
        .group_by(ElementRow.parent_id, ElementRow.permission_set_id)
        .subquery()
    )
    # a sum of integers is a decimal number on PostgreSQL
    members: ColumnElement[int] = cast(func.sum(sets.c.members), Integer)
    query = select(sets.c.parent_id, members).group_by(sets.c.parent_id)
    return restrict(query, principal, of=sets.c.permission_set_id)


def visible_sets(principal: Principal) -> CompoundSelect[UUID]:
    """Select the permission sets that let the caller see what refers to them, starting from its own few grants."""
    roles = roles_allowing(Action.VIEW)
    own = select(GrantRow.permission_set_id).where(GrantRow.user_id == principal.user_id, GrantRow.role.in_(roles))
    through_groups = (
        select(GroupGrantRow.permission_set_id)
        .join(GroupMemberRow, GroupMemberRow.group_id == GroupGrantRow.group_id)
        .where(GroupMemberRow.user_id == principal.user_id, GroupGrantRow.role.in_(roles))
    )
    return union(own, through_groups, select(PermissionSetRow.id).where(PermissionSetRow.public_role.in_(roles)))


def effective_role(principal: Principal, *roles: str | None) -> Role | None:
    """Role that counts for the principal: the strongest that applies; administrators own all."""
    if principal.is_admin:
        return Role.OWNER
    return strongest(Role(role) if role else None for role in roles)


def _join(
    query: Select[*Columns], me: Me, *, of: SetReference, permissions: Permissions, grant: Grant
) -> Select[*Columns]:
    return query.join(permissions, permissions.id == of).outerjoin(
        grant, and_(grant.permission_set_id == of, grant.user_id == me)
    )


def _allowed(
    action: Action, me: Me, *, of: SetReference, permissions: Permissions, grant: Grant
) -> ColumnElement[bool]:
    roles = roles_allowing(action)
    through_groups = _group_grants(me, of).where(GroupGrantRow.role.in_(roles)).exists()
    return or_(grant.role.in_(roles), permissions.public_role.in_(roles), through_groups)


def _role_through_groups(me: Me, of: SetReference) -> ScalarSelect[str]:
    """Strongest role that the caller's groups have in a set; NULL without any."""
    ranks = {role.value: rank for rank, role in enumerate(PERMISSIONS)}
    highest = func.max(case(ranks, value=GroupGrantRow.role))
    strongest_role = case({rank: role for role, rank in ranks.items()}, value=highest)
    return _group_grants(me, of).with_only_columns(strongest_role).scalar_subquery()


def _group_grants(me: Me, of: SetReference) -> Select[str]:
    # a subquery, not a join: several groups of one user in a set would double the rows of a listing
    return (
        select(GroupGrantRow.role)
        .join(GroupMemberRow, GroupMemberRow.group_id == GroupGrantRow.group_id)
        .where(GroupGrantRow.permission_set_id == of, GroupMemberRow.user_id == me)
        .correlate_except(GroupGrantRow, GroupMemberRow)
    )
