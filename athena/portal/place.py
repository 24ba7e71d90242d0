"""Where in the portal someone is: the URL's query, so that reloading and sending a link work."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from athena.errors import NotFound

RUN_TABS = ("micrographs", "dataviz", "report", "processing", "metadata", "notes", "samples", "sharing")
MICROGRAPH_TABS = ("metadata", "motion", "ctf")
BRANCH = "branch"
"""Option of a run's places: a branch of its results other than the default one."""
SHOW, ORDER = "show", "order"
"""Options of a run's places: which micrographs are listed, and in which order."""
RULES, CHARTS = "rules", "charts"
"""Options of a run's places: a filter that is tried, and the charts that were chosen."""


@dataclass(frozen=True)
class Place:
    """A page and how it is looked at.

    Parameters
    ----------
    element : what is shown; none: the workspace's roots, or the page named by ``page``.
    tab : the side of it.
    index : of a run, the acquisition that is open.
    page : name of a page that shows no element, such as ``search``.
    options : what else the page keeps in its address (a query, a filter, a sort order), names and values in order.
    """

    element: UUID | None = None
    tab: str = ""
    index: int | None = None
    page: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, search: str) -> "Place":
        """Read ``?e=…&tab=…&i=…`` or ``?p=…``. Raises NotFound if it names no place: someone mistyped a link."""
        query = dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))
        try:
            element = UUID(query.pop("e")) if "e" in query else None
            index = int(query.pop("i")) if "i" in query else None
        except ValueError as error:
            raise NotFound("This address names no place in Athena.", hint="Start again from Home.") from error
        if index is not None and index < 0:
            raise NotFound("This address names no micrograph.", hint="Start again from Home.")
        return cls(element, query.pop("tab", ""), index, query.pop("p", ""), tuple(query.items()))

    @property
    def search(self) -> str:
        """The query, as :meth:`parse` reads it."""
        parts: list[tuple[str, str]] = []
        if self.page:
            parts.append(("p", self.page))
        if self.element is not None:
            parts.append(("e", str(self.element)))
        if self.tab:
            parts.append(("tab", self.tab))
        if self.index is not None:
            parts.append(("i", str(self.index)))
        return "?" + urlencode((*parts, *self.options))

    def at(self, *, tab: str | None = None, index: int | None = None) -> "Place":
        """The same run elsewhere: in the same branch, with the same micrographs listed.

        Between its tabs what is tried in Dataviz goes along too; what else is left out is dropped from the address.
        """
        names = {BRANCH, SHOW, ORDER} | ({RULES, CHARTS} if self.index is None and index is None else set())
        kept = tuple((name, value) for name, value in self.options if name in names)
        return replace(self, tab=tab or "", index=index, options=kept)

    @property
    def branch(self) -> str | None:
        """Of a run: the branch of its results that is looked at; None: the default one."""
        return self.option(BRANCH) or None

    def option(self, name: str, default: str = "") -> str:
        """One of the options."""
        return dict(self.options).get(name, default)

    def having(self, **options: str) -> "Place":
        """The same place with some options changed; an empty one is dropped."""
        kept = {**dict(self.options), **options}
        return replace(self, options=tuple((name, value) for name, value in kept.items() if value))
