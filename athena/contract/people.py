"""Users, and the principal a request acts as."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from athena.contract.base import Wire


class PlatformRole(StrEnum):
    """What a person may do on the platform as a whole (AD-05)."""

    ADMIN = "admin"
    LICENSE_MANAGER = "license-manager"
    USER_MANAGER = "user-manager"
    CUSTOMER_ROLE_MANAGER = "customer-role-manager"
    CUSTOMER_ADMIN = "customer-admin"


class Role(StrEnum):
    """What a person may do with an element (SH-02); each includes those before it."""

    VIEWER = "viewer"
    COLLABORATOR = "collaborator"
    OWNER = "owner"


class PrincipalKind(StrEnum):
    """Whose word the identity rests on: this instance's token, the hub's, or one of Athena's own services."""

    LOCAL = "local"
    HUB = "hub"
    SERVICE = "service"


class Principal(Wire):
    """Who a request acts as. Nothing else about the credential reaches the services."""

    user_id: UUID
    username: str
    roles: frozenset[PlatformRole] = frozenset()
    kind: PrincipalKind = PrincipalKind.LOCAL

    @property
    def is_admin(self) -> bool:
        """Whether every element is open to this principal."""
        return PlatformRole.ADMIN in self.roles


class User(Wire):
    """A person, as others may see it."""

    id: UUID
    username: str
    display_name: str = ""
    roles: frozenset[PlatformRole] = frozenset()
    created: datetime


class PasswordCheck(Wire):
    """A user name and password to be verified; only Athena's own services may ask."""

    username: str
    password: str
