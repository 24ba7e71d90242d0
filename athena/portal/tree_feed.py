"""Feeds a tree in the browser: reads the pages of its levels that the browser asks for."""

from typing import Any
from uuid import UUID

from athena.contract.elements import ElementPage, ElementSort
from athena.contract.listings import Listing, ListingSort
from athena.contract.neighbours import Shown
from athena.domain.readable import count
from athena.errors import AthenaError, Conflict, NotFound
from athena.portal.components.explorer import micrograph_item, tree_item
from athena.portal.order import Order
from athena.portal.place import BRANCH, Place
from athena.portal.session import PortalSession
from athena.portal.shown import Listed

_SORTS = {
    "name": ListingSort.NAME,
    "created": ListingSort.ACQUIRED,
    "updated": ListingSort.ACQUIRED,
}
PAGE = 100
"""Rows of a tree read at once; ``tree.js`` counts on it."""


class TreeFeed:
    """Answers what a tree asks by its component's ``page``. Lives on the session's loop.

    A page is ``{level, epoch, offset, holding, total, items}``; ``gone`` in place of items says that there is no such
    level any more, ``failed`` that it could not be read now.
    """

    def __init__(self, session: PortalSession, component: Any) -> None:
        self._session = session
        self._component = component
        self._given = 0
        self.runs: set[UUID] = set()
        """Runs whose micrographs were asked for."""

    def read(self, asked: dict[str, Any]) -> None:
        """Read the page of a level that is asked for."""
        if asked.get("micrographs"):
            self._read_micrographs(asked)
            return
        level, named, sort = str(asked["level"]), str(asked.get("holding", "")), str(asked.get("sort", ""))
        parent = UUID(level) if level else None
        order = Order(
            ElementSort(sort) if sort in set(ElementSort) else None,
            bool(asked.get("down")),
            max(0, int(asked.get("offset", 0))),
        )
        holding = UUID(named) if named else None
        known = {"level": level, "epoch": asked["epoch"], "offset": order.first, "holding": named}
        catalogue = self._session.catalogue

        def give(page: ElementPage) -> None:
            items = [tree_item(element) for element in page.items]
            self._give(known | {"offset": page.offset, "total": page.total, "items": items})

        def refuse(error: AthenaError) -> None:
            gone = isinstance(error, NotFound | Conflict) and holding is None
            self._give(known | ({"gone": True} if gone else {"failed": True}))

        self._session.run(lambda: catalogue.children(parent, order, limit=PAGE, holding=holding), give, failed=refuse)

    def _read_micrographs(self, asked: dict[str, Any]) -> None:
        """A page of a run's micrographs: of those its filter keeps, where it has one."""
        run_id, named = UUID(str(asked["level"])), str(asked.get("holding", "")).rpartition("/")[2]
        self.runs.add(run_id)
        here = self._session.place
        branch = here.branch if here.element == run_id else None
        offset = max(0, int(asked.get("offset", 0)))
        known = {"level": str(run_id), "epoch": asked["epoch"], "holding": str(asked.get("holding", ""))}
        sort = _SORTS.get(str(asked.get("sort", "")), ListingSort.INDEX)
        catalogue = self._session.catalogue

        def read() -> Listing:
            return catalogue.listing(
                run_id,
                shown=None,
                sort=sort,
                descending=bool(asked.get("down")),
                offset=offset,
                limit=PAGE,
                holding=int(named) if named else None,
                branch=branch,
            )

        def give(page: Listing) -> None:
            filtered = page.shown is Shown.FILTERED
            options = ((BRANCH, branch),) if branch else ()
            listed = Listed(page.shown if filtered else None)
            items = [
                micrograph_item(run_id, line, listed.on(Place(run_id, index=line.index, options=options)))
                for line in page.items
            ]
            note = f"Only what the filter keeps: {count(page.total)} of {count(page.run_total)}" if filtered else ""
            self._give(known | {"offset": page.offset, "total": page.total, "items": items, "note": note})

        def refuse(error: AthenaError) -> None:
            gone = isinstance(error, NotFound) and not named
            self._give(known | {"offset": offset} | ({"gone": True} if gone else {"failed": True}))

        self._session.run(read, give, failed=refuse)

    def _give(self, page: dict[str, Any]) -> None:
        # the browser waits for each: one that is like the last one has to reach it too
        self._given += 1
        self._component.page = page | {"number": self._given}
