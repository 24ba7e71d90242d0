"""The user guide, one page at a time, searchable (offline)."""

from dataclasses import dataclass
from typing import Any

import panel as pn

from athena.contract.events import Event
from athena.portal import guide
from athena.portal.catalogue import Catalogue
from athena.portal.components.guide_board import GuideBoard
from athena.portal.pages.plain import PAGE_STYLES, PlainView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View


@dataclass(frozen=True)
class Guide:
    """A page of the guide, and what was searched for in all of them."""

    place: Place
    page: guide.Page
    element: None = None

    @property
    def title(self) -> str:
        """Name of the page."""
        return f"{self.page.title} · User guide"

    @property
    def crumbs(self) -> list[dict[str, str]]:
        """No way from Home."""
        return []

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return GuideView(self, session)


class GuideView(PlainView):
    """Shows the guide; nothing in it changes while Athena runs."""

    def __init__(self, loaded: Guide, session: PortalSession) -> None:
        self._session = session
        self._place = loaded.place
        self._board = GuideBoard(self._ask, sizing_mode="stretch_width")
        self.root = pn.Column(self._board, sizing_mode="stretch_both", margin=0, scroll="y-auto", styles=PAGE_STYLES)
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """No event changes the guide."""
        return False

    def update(self, data: Any) -> bool:
        """Show another page, or what was found."""
        if not isinstance(data, Guide):
            return False
        self._place = data.place
        text = data.place.option("q")
        found = [
            {
                "heading": section.heading,
                "page": section.page_title,
                "search": guide.place_of(section.page, section.anchor).search,
                "excerpt": excerpt,
            }
            for section, excerpt in guide.search(text)
        ]
        self._board.param.update(
            pages=[
                {"title": one.title, "search": guide.place_of(one.name).search, "here": one is data.page and not text}
                for one in guide.pages()
            ],
            html=data.page.html,
            at=data.place.option("at"),
            text=text,
            found=found,
        )
        return True

    def _ask(self, asked: dict[str, Any]) -> None:
        self._session.go(self._place.having(q=asked["text"], at=""))


def read_guide(_catalogue: Catalogue, place: Place) -> Guide:
    """Read a page of the guide; the first where none is named. Raises NotFound."""
    return Guide(place, guide.page(place.option("page", guide.PAGES[0])))
