"""Who may do what with an element: its permissions, and changes of them (SH-01…05)."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire
from athena.contract.elements import Crumb
from athena.contract.people import Role

PublicRole = Literal[Role.VIEWER, Role.COLLABORATOR]


class GranteeKind(StrEnum):
    """Whom a role is granted to."""

    USER = "user"
    GROUP = "group"


class Grantee(Wire):
    """A user or group as others may see it: by name, and no more."""

    kind: GranteeKind
    id: UUID
    name: str
    label: str = Field("", description="A user's display name; else empty.")


class Grant(Wire):
    """A role that somebody has in a permission set."""

    grantee: Grantee
    role: Role


class Permissions(Wire):
    """Who may do what with an element."""

    element_id: UUID
    source: Crumb = Field(description="The folder or workflow these permissions are set on; the element or one above.")
    inherits: bool = Field(description="Whether they are those of an element above.")
    revision: int = Field(description="Grows with each change of them.")
    public: Role | None = Field(description="What Everybody may do; null: it is private.")
    grants: tuple[Grant, ...] = Field(description="Owners first, then by name.")
    my_role: Role
    may_edit: bool = Field(description="Whether the caller may change them here.")

    @property
    def owners(self) -> tuple[Grant, ...]:
        """Who owns it."""
        return tuple(grant for grant in self.grants if grant.role is Role.OWNER)


class GrantChange(Wire):
    """Give a user or group a role, or (null) take it away."""

    kind: GranteeKind = GranteeKind.USER
    name: str = Field(min_length=1, max_length=200, description="User name, or name of a group.")
    role: Role | None


class PublicChange(Wire):
    """Make an element public for reading, or for reading and writing, or (null) private."""

    role: PublicRole | None


class PermissionsReplace(Wire):
    """All permissions at once."""

    grants: tuple[GrantChange, ...] = Field(max_length=1000)
    public: PublicRole | None = None
    revision: int | None = Field(
        None, description="Revision of the permissions this was made from: Conflict if it is not the present one."
    )
