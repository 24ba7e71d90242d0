"""Where in the portal someone is: the URL's query, so that reloading and sending a link work."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from athena.errors import NotFound

RUN_TABS = ("micrographs", "dataviz", "report", "metadata")
MICROGRAPH_TABS = ("metadata", "motion", "ctf")


@dataclass(frozen=True)
class Place:
    """An element (none: the workspace's roots), its tab, and of a run the acquisition that is open."""

    element: UUID | None = None
    tab: str = ""
    index: int | None = None

    @classmethod
    def parse(cls, search: str) -> "Place":
        """Read ``?e=…&tab=…&i=…``. Raises NotFound if it names no place: someone mistyped a link."""
        query = {name: values[-1] for name, values in parse_qs(search.removeprefix("?")).items()}
        try:
            element = UUID(query["e"]) if "e" in query else None
            index = int(query["i"]) if "i" in query else None
        except ValueError as error:
            raise NotFound("This address names no place in Athena.", hint="Start again from Home.") from error
        if index is not None and index < 0:
            raise NotFound("This address names no micrograph.", hint="Start again from Home.")
        return cls(element, query.get("tab", ""), index)

    @property
    def search(self) -> str:
        """The query, as :meth:`parse` reads it."""
        parts: list[tuple[str, str]] = []
        if self.element is not None:
            parts.append(("e", str(self.element)))
        if self.tab:
            parts.append(("tab", self.tab))
        if self.index is not None:
            parts.append(("i", str(self.index)))
        return "?" + urlencode(parts)

    def at(self, *, tab: str | None = None, index: int | None = None) -> "Place":
        """The same element elsewhere; what is left out is dropped from the address."""
        return replace(self, tab=tab or "", index=index)
