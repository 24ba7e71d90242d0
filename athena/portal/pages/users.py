"""The users page, for the four manager roles: accounts, roles, licence seats (AD-06…08)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from athena.contract.events import Event, EventKind
from athena.contract.people import (
    AccountAdded,
    AccountPage,
    DirectoryEntry,
    PasswordReset,
    PlatformRole,
    User,
    UserCreate,
    UserSource,
    UserUpdate,
)
from athena.domain.roles import PlatformAction, may, may_assign
from athena.errors import AthenaError, Invalid
from athena.portal.administration import Administration
from athena.portal.catalogue import Catalogue
from athena.portal.components.users_board import UsersBoard
from athena.portal.pages.plain import PlainPage, PlainView, attempt, frame
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.sdk.client import checked

SHOWN = 200


@dataclass(frozen=True)
class Users(PlainPage):
    """Accounts that a search found, and what the visitor may do with them."""

    place: Place
    accounts: AccountPage
    me: User
    title: str = "Users"

    def view(self, session: PortalSession) -> View:
        """Show them."""
        return UsersView(self, session)


class UsersView(PlainView):
    """Shows the accounts, and does what is asked for them."""

    def __init__(self, loaded: Users, session: PortalSession) -> None:
        self._session = session
        self._place = loaded.place
        self._accounts = loaded.accounts.items
        self._board = UsersBoard(self._ask, sizing_mode="stretch_width")
        self.root = frame(loaded.title, self._board)
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """Roles that were given or taken."""
        return event.kind is EventKind.ACCESS_CHANGED

    def update(self, data: Any) -> bool:
        """Show a newer reading."""
        if not isinstance(data, Users):
            return False
        self._place, self._accounts = data.place, data.accounts.items
        roles = data.me.roles
        self._board.param.update(
            accounts=[one.model_dump(mode="json") for one in data.accounts.items],
            counts=data.accounts.model_dump(mode="json", exclude={"items"}),
            may={
                "manage": may(PlatformAction.MANAGE_USERS, roles),
                "licences": may(PlatformAction.MANAGE_LICENCES, roles),
                "roles": [role.value for role in PlatformRole if may_assign(role, roles)],
            },
            text=data.place.option("q"),
        )
        return True

    def _ask(self, asked: dict[str, Any]) -> None:
        self._board.said = ""
        catalogue, values = Administration(self._session.catalogue.client), asked.get("values", {})
        match asked["do"]:
            case "find":
                self._session.go(self._place.having(q=asked["text"]))
            case "look-up":
                self._session.run(lambda: catalogue.find_people(asked["text"]), self._found, failed=self._not_found)
            case "add":
                attempt(self._session, self._board, lambda: catalogue.add_user(wanted_user(values)), then=self._added)
            case _:
                attempt(self._session, self._board, self._work(asked["do"], UUID(asked["id"]), values))

    def _work(self, what: str, user: UUID, values: dict[str, Any]) -> Callable[[], None]:
        """What is asked for one account."""
        catalogue = Administration(self._session.catalogue.client)
        held = next((one.roles for one in self._accounts if one.id == user), frozenset[PlatformRole]())

        def work() -> None:
            match what:
                case "change":
                    catalogue.change_user(user, wanted_change(values))
                case "password":
                    catalogue.reset_password(user, PasswordReset(password=agreed(values)))
                case "roles":
                    for role, wanted in values.items():
                        if wanted is not (PlatformRole(role) in held):
                            catalogue.set_role(user, PlatformRole(role), held=wanted)
                case "remove":
                    catalogue.remove_user(user, heir=values["heir"].strip())
                case _:
                    catalogue.set_seat(user, held=what == "give-licence")

        return work

    def _found(self, people: list[DirectoryEntry]) -> None:
        self._board.people = [one.model_dump(mode="json") for one in people]

    def _not_found(self, error: AthenaError) -> None:
        # without a directory there is nothing to complete from: people are added by hand
        self._board.people = []

    def _added(self, added: AccountAdded) -> None:
        self._board.said = added.notice


def wanted_user(values: dict[str, str]) -> UserCreate:
    """What the form of a new user says. Raises Invalid."""
    local = values["source"] == UserSource.LOCAL
    said = {name: values[name] for name in ("username", "source", "email", "first_name", "last_name")}
    if not local and (values["password"] or values["again"]):
        raise Invalid("Athena keeps no password of people of the directory or the hub.", hint="Leave it empty.")
    return checked(UserCreate, **said, password=agreed(values) if local else None)


def wanted_change(values: dict[str, Any]) -> UserUpdate:
    """What the form to edit an account says; fields that cannot be edited are not sent. Raises Invalid."""
    return checked(UserUpdate, **values)


def agreed(values: dict[str, str]) -> str:
    """A new password, typed the same way twice. Raises Invalid."""
    if values["password"] != values["again"]:
        raise Invalid("The two passwords differ.")
    checked(PasswordReset, password=values["password"])
    return values["password"]


def read_users(catalogue: Catalogue, place: Place) -> Users:
    """Read the accounts. Raises Forbidden."""
    return Users(place, Administration(catalogue.client).accounts(place.option("q"), limit=SHOWN), catalogue.me())
