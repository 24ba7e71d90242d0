"""The one SQL filter for what a principal may see or do, built from the table in ``athena.domain.permissions``."""

from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import aliased

from athena.contract.people import Principal, Role
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.domain.permissions import Action, roles_allowing, strongest

Columns = TypeVarTuple("Columns")
Permissions = type[PermissionSetRow]
Grant = type[GrantRow]


def restrict(
    query: Select[*Columns],
    principal: Principal,
    *,
    element: type[ElementRow] = ElementRow,
    action: Action = Action.VIEW,
) -> Select[*Columns]:
    """Keep the rows whose element the principal may do ``action`` with.

    One join through the element's permission set, whatever the query lists or counts. ``element`` is the entity or
    alias that the query already selects from. Administrators keep every row.
    """
    if principal.is_admin:
        return query
    permissions, grant = aliased(PermissionSetRow), aliased(GrantRow)
    return _join(query, principal, element=element, permissions=permissions, grant=grant).where(
        _allowed(action, permissions=permissions, grant=grant)
    )


def visible_with_roles(principal: Principal) -> Select[ElementRow, str, str | None]:
    """Select the visible elements, each with the caller's own role in its set and the set's public role.

    ``effective_role`` makes one role of the two.
    """
    query = _join(
        select(ElementRow, GrantRow.role, PermissionSetRow.public_role),
        principal,
        element=ElementRow,
        permissions=PermissionSetRow,
        grant=GrantRow,
    )
    if principal.is_admin:
        return query
    return query.where(_allowed(Action.VIEW, permissions=PermissionSetRow, grant=GrantRow))


def effective_role(principal: Principal, *, own: str | None, public: str | None) -> Role | None:
    """Role that counts for the principal: the stronger of its grant and the public role; administrators own all."""
    if principal.is_admin:
        return Role.OWNER
    return strongest(Role(role) if role else None for role in (own, public))


def _join(
    query: Select[*Columns], principal: Principal, *, element: type[ElementRow], permissions: Permissions, grant: Grant
) -> Select[*Columns]:
    return query.join(permissions, permissions.id == element.permission_set_id).outerjoin(
        grant, and_(grant.permission_set_id == element.permission_set_id, grant.user_id == principal.user_id)
    )


def _allowed(action: Action, *, permissions: Permissions, grant: Grant) -> ColumnElement[bool]:
    roles = roles_allowing(action)
    return or_(grant.role.in_(roles), permissions.public_role.in_(roles))
