"""One's own account: name, password, and the tokens one made for scripts (BY-07)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from athena.contract.events import Event, EventKind
from athena.contract.people import PasswordChange, User
from athena.contract.tokens import Token, TokenCreate, TokenMade
from athena.errors import Invalid
from athena.portal.catalogue import Catalogue
from athena.portal.components.token_board import TokenBoard
from athena.portal.pages.plain import PlainPage, PlainView, attempt, frame
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.sdk.client import checked


@dataclass(frozen=True)
class Profile(PlainPage):
    """The visitor and the visitor's tokens."""

    place: Place
    user: User
    tokens: Sequence[Token]
    title: str = "Profile"

    def view(self, session: PortalSession) -> View:
        """Show them."""
        return ProfileView(self, session)


class ProfileView(PlainView):
    """The text of a new token lives in this view alone, until the visitor leaves the page."""

    def __init__(self, loaded: Profile, session: PortalSession) -> None:
        self._session = session
        self._board = TokenBoard(self._ask, sizing_mode="stretch_width")
        self.root = frame(loaded.title, self._board)
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """Roles that were given or taken."""
        return event.kind is EventKind.ACCESS_CHANGED

    def update(self, data: Any) -> bool:
        """Show a newer reading."""
        if not isinstance(data, Profile):
            return False
        user, now = data.user, datetime.now(UTC)
        self._board.param.update(
            user={
                "name": user.display_name or user.username,
                "username": user.username,
                "roles": sorted(role.value for role in user.roles),
                "created": user.created.isoformat(),
            },
            tokens=[
                token.model_dump(mode="json") | {"expired": bool(token.expires and token.expires < now)}
                for token in data.tokens
            ],
        )
        return True

    def _ask(self, asked: dict[str, Any]) -> None:
        catalogue, values = self._session.catalogue, asked.get("values", {})
        match asked["do"]:
            case "create":
                attempt(
                    self._session, self._board, lambda: catalogue.create_token(wanted_token(values)), then=self._made
                )
            case "revoke":
                attempt(self._session, self._board, lambda: catalogue.revoke_token(UUID(asked["id"])))
            case "password":
                attempt(self._session, self._board, lambda: catalogue.change_password(wanted_password(values)))
            case _:
                self._board.made = {}

    def _made(self, made: TokenMade) -> None:
        self._board.made = {"name": made.token.name, "text": made.text}


def wanted_token(values: dict[str, str]) -> TokenCreate:
    """What the form of a new token says. Raises Invalid."""
    days = int(values["days"]) if values["days"] else None
    return checked(TokenCreate, name=values["name"], scope=values["scope"], days=days)


def wanted_password(values: dict[str, str]) -> PasswordChange:
    """What the form of a new password says. Raises Invalid."""
    if values["password"] != values["again"]:
        raise Invalid("The two new passwords differ.")
    return checked(PasswordChange, current=values["current"], password=values["password"])


def read_profile(catalogue: Catalogue, place: Place) -> Profile:
    """Read who the visitor is, and the visitor's tokens."""
    return Profile(place, catalogue.me(), catalogue.tokens())
