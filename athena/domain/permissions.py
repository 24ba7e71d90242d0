"""Who may do what with an element: the one table that both Python and SQL read (SH-02)."""

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType

from athena.contract.people import Role


class Action(StrEnum):
    """What can be done with an element."""

    VIEW = "view"
    WRITE = "write"
    DELETE = "delete"
    SHARE = "share"
    MOVE = "move"
    AUDIT = "audit"


PERMISSIONS: MappingProxyType[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Action.VIEW}),
        Role.COLLABORATOR: frozenset({Action.VIEW, Action.WRITE}),
        Role.OWNER: frozenset({Action.VIEW, Action.WRITE, Action.DELETE, Action.SHARE, Action.MOVE, Action.AUDIT}),
    }
)
"""What each role allows, weakest role first."""

_RANK = {role: rank for rank, role in enumerate(PERMISSIONS)}


def can(action: Action, role: Role | None) -> bool:
    """Whether a role allows an action; ``None`` is a stranger, who may do nothing."""
    return role is not None and action in PERMISSIONS[role]


def roles_allowing(action: Action) -> tuple[Role, ...]:
    """Roles with which the action is allowed, weakest first: what the SQL filter compares with."""
    return tuple(role for role, actions in PERMISSIONS.items() if action in actions)


def strongest(roles: Iterable[Role | None]) -> Role | None:
    """Role that counts where several apply (one's own grant and the public one); ``None`` without any."""
    return max((role for role in roles if role is not None), key=_RANK.__getitem__, default=None)
