"""Search over everything the visitor may see, all of it in the address (SE-01, SE-02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import panel as pn

from athena.contract.events import Event, EventKind
from athena.contract.search import Placed
from athena.errors import Invalid
from athena.portal.catalogue import Catalogue
from athena.portal.components.search_board import SearchBoard, hit_item
from athena.portal.pages.plain import PAGE_STYLES, PlainPage, PlainView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.sdk.client import Query

SHOWN = 50
MOST = 200
_ASKS = ("q", "status", "owner", "since", "until", "where", "kind")
"""Options that ask for something; where to look asks for nothing by itself."""


@dataclass(frozen=True)
class Search(PlainPage):
    """What was asked and found; what was opened lately where nothing was asked."""

    place: Place
    hits: Sequence[Placed]
    total: int = 0
    more: bool = False
    asked: bool = False
    problem: str = ""
    title: str = "Search"

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return SearchView(self, session)


class SearchView(PlainView):
    """The box, and what was found."""

    def __init__(self, loaded: Search, session: PortalSession) -> None:
        self._session = session
        self._board = SearchBoard(self._ask, sizing_mode="stretch_width")
        self.root = pn.Column(self._board, sizing_mode="stretch_both", margin=0, scroll="y-auto", styles=PAGE_STYLES)
        self.update(loaded)

    def _ask(self, asked: dict[str, Any]) -> None:
        self._session.go(Place(page="search").having(**asked["options"]))

    def concerns(self, event: Event) -> bool:
        """What was found may have another name, or be gone."""
        return event.kind in (EventKind.ELEMENT_UPDATED, EventKind.ELEMENT_DELETED, EventKind.ACCESS_CHANGED)

    def update(self, data: Any) -> bool:
        """Show another answer."""
        if not isinstance(data, Search):
            return False
        self._board.param.update(
            options=dict(data.place.options),
            hits=[hit_item(hit) for hit in data.hits],
            total=data.total,
            more=data.more,
            asked=data.asked,
            problem=data.problem,
        )
        return True


def read_search(catalogue: Catalogue, place: Place) -> Search:
    """Find what an address asks for. What the API does not understand is said on the page."""
    if not any(place.option(name) for name in _ASKS):
        return Search(place, catalogue.recent())
    try:
        found = catalogue.search(_query(place))
    except Invalid as error:
        return Search(place, (), asked=True, problem=str(error))
    return Search(place, found.hits, total=found.total, more=found.more, asked=True)


def _query(place: Place) -> Query:
    listed = {name: [one for one in place.option(name).split(",") if one] for name in ("in", "kind", "status")}
    return {
        "text": place.option("q"),
        **listed,
        "owner": place.option("owner"),
        "since": _midnight(place.option("since")),
        "until": _midnight(place.option("until"), days=1),
        "where": place.option("where"),
        "limit": MOST if place.option("show") else SHOWN,
    }


def _midnight(day: str, *, days: int = 0) -> str | None:
    """Beginning of a day, or of one some days later, UTC. Raises Invalid for what is no day."""
    if not day:
        return None
    try:
        begun = datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC)
    except ValueError as error:
        raise Invalid(f"“{day}” is no day.", hint="Write it as 2026-05-17.") from error
    return (begun + timedelta(days=days)).isoformat()
