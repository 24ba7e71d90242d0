"""Who may do what with an element: the one table that both Python and SQL read (SH-02)."""

from collections.abc import Iterable
from types import MappingProxyType

from athena.contract.elements import ElementKind
from athena.contract.people import Action, Role

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


def actions_on(role: Role, kind: ElementKind, type_: str, *, creator: bool, admin: bool) -> frozenset[Action]:
    """What may be done with an element of this kind and type in a role.

    Only its creator or an administrator deletes a folder: what lies in it may be other people's (WS-13). A step stays
    in its workflow, and one that came with the workflow's template is not deleted by itself.

    Parameters
    ----------
    creator, admin : whether who asks made the element, or is an administrator.
    """
    allowed = set(PERMISSIONS[role])
    if kind is ElementKind.FOLDER and not (creator or admin):
        allowed.discard(Action.DELETE)
    if kind is ElementKind.STEP:
        allowed.discard(Action.MOVE)
        if type_:
            allowed.discard(Action.DELETE)
    return frozenset(allowed)


def roles_allowing(action: Action) -> tuple[Role, ...]:
    """Roles with which the action is allowed, weakest first: what the SQL filter compares with."""
    return tuple(role for role, actions in PERMISSIONS.items() if action in actions)


def strongest(roles: Iterable[Role | None]) -> Role | None:
    """Role that counts where several apply (one's own grant and the public one); ``None`` without any."""
    return max((role for role in roles if role is not None), key=_RANK.__getitem__, default=None)
