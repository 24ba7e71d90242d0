"""What was found, and elements with the way to them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, overload

from athena.contract import search as wire
from athena.sdk import html
from athena.sdk.client import Client
from athena.sdk.elements import Element, wrap

if TYPE_CHECKING:
    import pandas as pd

PAGE = 200
"""Hits asked for at once."""


class Places(Sequence[Element]):
    """Elements in order, each with the way to it."""

    def __init__(self, client: Client, places: Sequence[wire.Placed]) -> None:
        self._places = tuple(places)
        self._elements = tuple(wrap(client, place.element) for place in places)

    @property
    def models(self) -> tuple[wire.Placed, ...]:
        """All that the API said of them."""
        return self._places

    def to_frame(self) -> "pd.DataFrame":
        """Table: path, kind, status, creator, time of the last change, id."""
        import pandas as pd

        rows = [
            {
                "path": path_of(place),
                "kind": place.element.kind.value,
                "status": place.element.status.value,
                "creator": place.element.creator,
                "updated": place.element.updated,
                "id": str(place.element.id),
            }
            for place in self._places
        ]
        return pd.DataFrame(rows, columns=["path", "kind", "status", "creator", "updated", "id"])

    @overload
    def __getitem__(self, key: int) -> Element: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Element]: ...
    def __getitem__(self, key: int | slice) -> Element | Sequence[Element]:
        return self._elements[key]

    def __len__(self) -> int:
        return len(self._elements)

    def __repr__(self) -> str:
        return "\n".join(path_of(place) for place in self._places) or "nothing"

    def _repr_html_(self) -> str:
        return html.page(self._table())

    def _table(self) -> str:
        rows = [
            (
                html.mark(place.element.status),
                html.text(_name(place)),
                html.text(html.kind_words(place.element), "mute"),
                html.text(" › ".join(crumb.name for crumb in place.breadcrumb[:-1]), "mute"),
                html.text(place.element.creator, "mute"),
                html.text(f"{place.element.updated:%Y-%m-%d %H:%M}", "mute"),
            )
            for place in self._places
        ]
        return html.table(("", "Name", "Kind", "In", "By", "Changed (UTC)"), rows)


class SearchResults(Places):
    """What a search found, the best first. ``total`` counts all of it; with ``more`` it is a lower bound."""

    def __init__(self, client: Client, hits: Sequence[wire.SearchHit], *, total: int, more: bool) -> None:
        super().__init__(client, hits)
        self.total = total
        self.more = more

    def __repr__(self) -> str:
        return f"{self._counted()}\n{super().__repr__()}" if self else "nothing found"

    def _repr_html_(self) -> str:
        return html.page(html.text(self._counted(), "mute"), self._table() if self else "")

    def _counted(self) -> str:
        found = f"more than {self.total}" if self.more else str(self.total)
        return f"{found} found" + (f", the first {len(self)} shown" if len(self) < self.total else "")


def find(client: Client, filters: Mapping[str, str | Sequence[str] | None], *, limit: int) -> SearchResults:
    """Search page by page until ``limit`` hits."""
    hits: list[wire.SearchHit] = []
    while True:
        params = {**filters, "offset": len(hits), "limit": max(1, min(PAGE, limit - len(hits)))}
        page = client.get("/api/search", wire.SearchPage, params=params)
        hits += page.hits
        if not page.hits or len(hits) >= min(limit, page.total):
            return SearchResults(client, hits, total=page.total, more=page.more)


def path_of(place: wire.Placed) -> str:
    """Names on the way to an element, slashes between them."""
    way = "/".join(crumb.name for crumb in place.breadcrumb)
    return f"{way}: {place.file}" if isinstance(place, wire.SearchHit) and place.file else way


def as_list(value: str | Sequence[str]) -> list[str]:
    """One word or several, as several."""
    return [str(value)] if isinstance(value, str) else [str(one) for one in value]


def as_moment(value: datetime | None) -> str | None:
    """A time as the API reads it; one without zone is UTC."""
    if value is None:
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()


def _name(place: wire.Placed) -> Any:
    return place.file if isinstance(place, wire.SearchHit) and place.file else place.element.name
