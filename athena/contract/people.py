"""Users, and the principal a request acts as."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from athena.contract.base import Wire

MIN_PASSWORD = 8
MAX_PASSWORD = 1000
"""Hashing takes time that grows with the length: nobody may have a megabyte hashed."""

Username = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f\x7f]+$")
]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=320, pattern=r"^([^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+)?$")
]
Password = Annotated[str, StringConstraints(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]


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


class Action(StrEnum):
    """What can be done with an element."""

    VIEW = "view"
    WRITE = "write"
    DELETE = "delete"
    SHARE = "share"
    MOVE = "move"
    AUDIT = "audit"


class PrincipalKind(StrEnum):
    """What the identity rests on.

    The instance's own token, the hub's word, one of Athena's own services, a token a person made for a script, or being
    on the machine itself with its database at hand.
    """

    LOCAL = "local"
    HUB = "hub"
    SERVICE = "service"
    TOKEN = "token"
    OPERATOR = "operator"


class TokenScope(StrEnum):
    """How far a token reaches; each includes those before it.

    ``read`` changes nothing. ``write`` changes what is shared with its person. ``admin`` does all that its person may
    do: it alone carries the person's platform roles.
    """

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class UserSource(StrEnum):
    """Who knows a person's password: Athena, the site's directory, or whoever logs people in at the hub."""

    LOCAL = "local"
    LDAP = "ldap"
    HUB = "hub"


class Principal(Wire):
    """Who a request acts as. Nothing else about the credential reaches the services."""

    user_id: UUID
    username: str
    roles: frozenset[PlatformRole] = frozenset()
    kind: PrincipalKind = PrincipalKind.LOCAL
    scope: TokenScope = TokenScope.ADMIN

    @property
    def is_admin(self) -> bool:
        """Whether every element is open to this principal (as the table in ``athena.domain.roles`` says)."""
        return not self.roles.isdisjoint({PlatformRole.ADMIN, PlatformRole.CUSTOMER_ADMIN})


class User(Wire):
    """A person, as others may see it."""

    id: UUID
    username: str
    display_name: str = ""
    roles: frozenset[PlatformRole] = frozenset()
    created: datetime


class Account(User):
    """A person, as those who manage people see them."""

    email: str
    first_name: str
    last_name: str
    source: UserSource
    active: bool = Field(description="Whether the person may log in.")
    licensed: bool = Field(description="Whether the person holds a licence seat.")
    last_seen: datetime | None = Field(description="Last log-in or use of a token, to five minutes.")
    builtin: bool = Field(description="The account that comes with Athena: not counted as a user, not removable.")


class AccountPage(Wire):
    """Accounts by user name, and the counts of the users page (AD-06)."""

    items: tuple[Account, ...]
    total: int = Field(description="Accounts that the search found.")
    users: int = Field(description="Users there are, without the built-in account.")
    active_users: int
    free_seats: int | None = Field(description="Licence seats nobody holds; null where no licence is needed.")


class UserCreate(Wire):
    """A person to be added (AD-07); Athena checks the password of local users alone."""

    username: Username
    email: Email = ""
    first_name: PersonName = ""
    last_name: PersonName = ""
    source: UserSource = UserSource.LOCAL
    password: Password | None = Field(None, repr=False)

    @model_validator(mode="after")
    def _password_where_it_is_checked(self) -> "UserCreate":
        if (self.password is None) is (self.source is UserSource.LOCAL):
            raise ValueError("a local user has a password, a user of the directory or the hub has none here")
        return self


class AccountAdded(Wire):
    """A new account, and what is to be said about it (that no licence was free for it)."""

    account: Account
    notice: str = ""


class UserUpdate(Wire):
    """What to change of a person; what is left out stays."""

    email: Email | None = None
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    active: bool | None = None


class PasswordReset(Wire):
    """A new password, given by who manages users."""

    password: Password = Field(repr=False)


class PasswordChange(Wire):
    """A new password of one's own."""

    current: str = Field(max_length=MAX_PASSWORD, repr=False)
    password: Password = Field(repr=False)


class PasswordCheck(Wire):
    """A user name and password to be verified; only Athena's own services may ask."""

    username: str = Field(max_length=1000)
    password: str = Field(max_length=MAX_PASSWORD, repr=False)
    peer: str = Field("", max_length=64, description="Address the person logs in from, as the service sees it.")


class DirectoryEntry(Wire):
    """A person in the site's directory (LDAP), as far as an account needs it."""

    username: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    known: bool = Field(False, description="Whether there is an account of this name already.")
