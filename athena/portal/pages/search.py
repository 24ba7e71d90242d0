"""Search over everything the visitor may see, all of it in the address (SE-01, SE-02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import panel as pn

from athena.contract.events import Event, EventKind
from athena.contract.search import Placed, SearchHit, SearchPage
from athena.errors import AthenaError, Invalid
from athena.portal.catalogue import Catalogue
from athena.portal.components.search_board import SearchBoard, hit_item
from athena.portal.pages.plain import PAGE_STYLES, PlainPage, PlainView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.sdk.client import Query

SHOWN = 50
"""Hits shown at first."""
PAGE = 100
"""Hits read when someone comes near the end of those shown."""
MOST = 200
"""Hits that one request gives."""
_ASKS = ("q", "status", "owner", "since", "until", "where", "kind")
"""Options that ask for something; where to look asks for nothing by itself."""


@dataclass(frozen=True)
class Search(PlainPage):
    """What was asked and found; what was opened lately where nothing was asked."""

    place: Place
    hits: Sequence[Placed]
    read: int = 0
    """Places of the ranking that were read: of some, the thing has gone meanwhile."""
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
        self._loaded = loaded
        self._reading_on = False
        self._answers = 0
        self._board = SearchBoard(self._ask, sizing_mode="stretch_width")
        self.root = pn.Column(self._board, sizing_mode="stretch_both", margin=0, scroll="y-auto", styles=PAGE_STYLES)
        self.update(loaded)

    def _ask(self, asked: dict[str, Any]) -> None:
        if asked["do"] == "more":
            self._read_on()
        else:
            self._session.go(Place(page="search").having(**asked["options"]))

    def _read_on(self) -> None:
        """Read what follows the hits that are shown, and note in the address how many are."""
        before, catalogue = self._loaded, self._session.catalogue
        if self._reading_on or before.read >= before.total:
            return
        self._reading_on = True

        def show(page: SearchPage) -> None:
            self._reading_on = False
            if self._loaded is not before:
                # another answer stands there by now; where it is to the same question, it is that which goes on
                if _asks_the_same(self._loaded.place, before.place):
                    self._read_on()
                return
            hits, read = (*before.hits, *_new(before.hits, page.hits)), before.read + PAGE
            place = before.place.having(show=str(read))
            self._loaded = _found(place, hits, read, page)
            new = [hit_item(hit) for hit in hits[len(before.hits) :]]
            further = {"after": len(before.hits), "read": read, "hits": new}
            self._board.param.update(
                options=dict(place.options), further=further, total=self._loaded.total, more=page.more
            )
            self._session.say(place)

        def failed(error: AthenaError) -> None:
            self._reading_on = False
            self._board.problem = str(error)

        asked: Query = {**_query(before.place), "offset": before.read, "limit": PAGE}
        self._session.run(lambda: catalogue.search(asked), show, failed=failed)

    def concerns(self, event: Event) -> bool:
        """What was found may have another name, or be gone."""
        return event.kind in (EventKind.ELEMENT_UPDATED, EventKind.ELEMENT_DELETED, EventKind.ACCESS_CHANGED)

    def update(self, data: Any) -> bool:
        """Show another answer."""
        if not isinstance(data, Search):
            return False
        now = self._session.place
        if data.place != now and data.read < self._loaded.read and _asks_the_same(data.place, now):
            # read before more was shown: what it tells is wanted, for as many hits as there are by now
            self._session.refresh()
            return True
        self._loaded = data
        self._answers += 1
        self._board.param.update(
            further={"answer": self._answers},
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
        asked, wanted = _query(place), _shown(place)
        page = catalogue.search({**asked, "limit": min(wanted, MOST)})
        hits, read = page.hits, min(wanted, MOST)
        # as many as were shown when the address was kept
        while read < min(wanted, page.total):
            page = catalogue.search({**asked, "offset": read, "limit": min(wanted - read, MOST)})
            hits, read = (*hits, *_new(hits, page.hits)), read + min(wanted - read, MOST)
    except Invalid as error:
        return Search(place, (), asked=True, problem=str(error))
    return _found(place, hits, read, page)


def _found(place: Place, hits: Sequence[Placed], read: int, page: SearchPage) -> Search:
    """What a search found, by the last page of it that was read."""
    total = page.total if read < page.total else len(hits)
    return Search(place, hits, read=read, total=total, more=page.more, asked=True)


def _asks_the_same(one: Place, other: Place) -> bool:
    """Whether two addresses ask one question, however many hits they show."""
    return one.having(show="") == other.having(show="")


def _shown(place: Place) -> int:
    """How many hits an address shows; what is no number shows the first ones."""
    said = place.option("show")
    return max(SHOWN, int(said)) if said.isdecimal() and len(said) < 6 else SHOWN


def _new(known: Sequence[Placed], hits: Sequence[SearchHit]) -> list[SearchHit]:
    """Hits that are not known yet: between two pages something may have come in at the top."""
    keys = {_key(hit) for hit in known}
    return [hit for hit in hits if _key(hit) not in keys]


def _key(hit: Placed) -> tuple[UUID, str]:
    return hit.element.id, hit.file if isinstance(hit, SearchHit) else ""


def _query(place: Place) -> Query:
    listed = {name: [one for one in place.option(name).split(",") if one] for name in ("in", "kind", "status")}
    return {
        "text": place.option("q"),
        **listed,
        "owner": place.option("owner"),
        "since": _midnight(place.option("since")),
        "until": _midnight(place.option("until"), days=1),
        "where": place.option("where"),
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
