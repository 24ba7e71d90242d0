"""Platform roles: who may do what on the platform as a whole, the one table (AD-05, AD-06, AD-08)."""

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType

from athena.contract.people import PlatformRole


class PlatformAction(StrEnum):
    """What can be done on the platform beyond one's own elements; the value ends the sentence "You may not …"."""

    OPEN_EVERY_ELEMENT = "open every element"
    SEE_USERS = "see the list of users"
    MANAGE_USERS = "add, change or remove users"
    ASSIGN_ROLES = "give or take platform roles"
    APPOINT_ADMINS = "make or unmake a customer-admin"
    MANAGE_LICENCES = "install licences or give and take seats"


PLATFORM_ROLES: MappingProxyType[PlatformRole, frozenset[PlatformAction]] = MappingProxyType(
    {
        PlatformRole.ADMIN: frozenset({PlatformAction.OPEN_EVERY_ELEMENT}),
        PlatformRole.LICENSE_MANAGER: frozenset({PlatformAction.SEE_USERS, PlatformAction.MANAGE_LICENCES}),
        PlatformRole.USER_MANAGER: frozenset({PlatformAction.SEE_USERS, PlatformAction.MANAGE_USERS}),
        PlatformRole.CUSTOMER_ROLE_MANAGER: frozenset({PlatformAction.SEE_USERS, PlatformAction.ASSIGN_ROLES}),
        PlatformRole.CUSTOMER_ADMIN: frozenset(PlatformAction),
    }
)
"""What each role allows; somebody with several roles may do what any of them allows."""


def actions_of(roles: Iterable[PlatformRole]) -> frozenset[PlatformAction]:
    """All that somebody with these roles may do."""
    return frozenset[PlatformAction]().union(*(PLATFORM_ROLES[role] for role in roles))


def may(action: PlatformAction, roles: Iterable[PlatformRole]) -> bool:
    """Whether one of the roles allows the action."""
    return any(action in PLATFORM_ROLES[role] for role in roles)


def roles_allowing_on_platform(action: PlatformAction) -> tuple[PlatformRole, ...]:
    """Roles with which the action is allowed, in the order of the table: what an error names."""
    return tuple(role for role, actions in PLATFORM_ROLES.items() if action in actions)


def may_assign(role: PlatformRole, actor: Iterable[PlatformRole]) -> bool:
    """Whether somebody may give or take this role; that of customer-admin is in the hands of customer-admins alone."""
    needed = PlatformAction.APPOINT_ADMINS if role is PlatformRole.CUSTOMER_ADMIN else PlatformAction.ASSIGN_ROLES
    return may(needed, actor)


def may_take_over(target: Iterable[PlatformRole], actor: Iterable[PlatformRole]) -> bool:
    """Whether somebody may do to an account what gives power over it: reset its password, switch it off, remove it.

    Only to those who may do nothing the actor may not: a user manager who resets a customer-admin's password would be
    a customer-admin a moment later.
    """
    return actions_of(target) <= actions_of(actor)
