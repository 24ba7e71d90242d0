"""The licence page: what the platform is licensed for, and new keys (AD-04)."""

from dataclasses import dataclass
from typing import Any

import panel as pn

from athena.contract.events import Event, EventKind
from athena.contract.licences import LicenceInstall, LicenceStatus
from athena.portal.administration import Administration
from athena.portal.catalogue import Catalogue
from athena.portal.components.licence_board import LicenceBoard
from athena.portal.components.title_bar import TitleBar
from athena.portal.pages.plain import PAGE_STYLES, PlainView, attempt
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.sdk.client import checked


@dataclass(frozen=True)
class LicencePage:
    """How the platform stands."""

    place: Place
    licence: LicenceStatus
    title: str = "Licence"
    element: None = None

    @property
    def crumbs(self) -> list[dict[str, str]]:
        """No way from Home."""
        return []

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return LicenceView(self, session)


class LicenceView(PlainView):
    """Shows the licence, and takes keys."""

    def __init__(self, loaded: LicencePage, session: PortalSession) -> None:
        self._session = session
        self._board = LicenceBoard(self._ask, sizing_mode="stretch_width")
        title = TitleBar(lambda _: None, title=loaded.title, sizing_mode="stretch_width")
        self.root = pn.Column(
            pn.Row(title, sizing_mode="stretch_width", margin=0),
            self._board,
            sizing_mode="stretch_both",
            margin=0,
            scroll="y-auto",
            styles=PAGE_STYLES,
        )
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
