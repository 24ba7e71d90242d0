"""The licence page: what the platform is licensed for, and new keys (AD-04)."""

from dataclasses import dataclass
from typing import Any

from athena.contract.events import Event, EventKind
from athena.contract.licences import LicenceInstall, LicenceStatus
from athena.portal.administration import Administration
from athena.portal.catalogue import Catalogue
from athena.portal.components.licence_board import LicenceBoard
from athena.portal.pages.plain import PlainPage, PlainView, attempt, frame
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.sdk.client import checked


@dataclass(frozen=True)
class LicencePage(PlainPage):
    """How the platform stands."""

    place: Place
    licence: LicenceStatus
    title: str = "Licence"

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return LicenceView(self, session)


class LicenceView(PlainView):
    """Shows the licence, and takes keys."""

    def __init__(self, loaded: LicencePage, session: PortalSession) -> None:
        self._session = session
        self._board = LicenceBoard(self._ask, sizing_mode="stretch_width")
        self.root = frame(loaded.title, self._board)
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """Roles that were given or taken."""
        return event.kind is EventKind.ACCESS_CHANGED

    def update(self, data: Any) -> bool:
        """Show a newer reading."""
        if not isinstance(data, LicencePage):
            return False
        self._board.licence = data.licence.model_dump(mode="json")
        return True

    def _ask(self, asked: dict[str, Any]) -> None:
        self._board.said = ""
        if asked["do"] == "refresh":
            self._session.refresh()
            return
        catalogue, key = Administration(self._session.catalogue.client), asked["key"]
        attempt(
            self._session,
            self._board,
            lambda: catalogue.install_licence(checked(LicenceInstall, key=key)),
            then=self._accepted,
        )

    def _accepted(self, _status: LicenceStatus) -> None:
        self._board.said = "The key is accepted."


def read_licence(catalogue: Catalogue, place: Place) -> LicencePage:
    """Read how the platform stands. Raises Forbidden."""
    return LicencePage(place, Administration(catalogue.client).licence())
