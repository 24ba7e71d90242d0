"""Feeds a tree in the browser: reads the pages of its levels that the browser asks for."""

from typing import Any
from uuid import UUID

from athena.contract.elements import ElementPage, ElementSort
from athena.errors import AthenaError, Conflict, NotFound
from athena.portal.components.explorer import tree_item
from athena.portal.order import Order
from athena.portal.session import PortalSession

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

    def read(self, asked: dict[str, Any]) -> None:
        """Read the page of a level that is asked for."""
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

    def _give(self, page: dict[str, Any]) -> None:
        # the browser waits for each: one that is like the last one has to reach it too
        self._given += 1
        self._component.page = page | {"number": self._given}
