"""The explorer at the left of the content: follows where one is and what changes in the workspace (WS-08)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from athena.contract.events import Event, EventKind
from athena.portal.components.explorer import Explorer
from athena.portal.place import Place
from athena.portal.session import Loaded, PortalSession
from athena.portal.tree_feed import TreeFeed

_CHANGED = frozenset({EventKind.ELEMENT_CREATED, EventKind.ELEMENT_UPDATED})
_ALL = frozenset({EventKind.PERMISSIONS_CHANGED, EventKind.ACCESS_CHANGED})
MANY = 200
"""Changes at once from which on all that is in sight is read again, rather than what each of them names."""


class ExplorerPanel:
    """Keeps the explorer of a tab in step with its session. Lives on the session's loop."""

    def __init__(self, session: PortalSession, explorer: Explorer) -> None:
        self._explorer = explorer
        self._feed = TreeFeed(session, explorer)
        self._told = 0
        explorer.hears(self._ask)

    def _ask(self, asked: dict[str, Any]) -> None:
        if asked["do"] == "level":
            self._feed.read(asked)

    def going(self, place: Place) -> None:
        """Mark where one goes; pages that show no element have no explorer."""
        self._explorer.param.update(
            visible=not place.page, deep=place.index is not None, here=str(place.element) if place.element else ""
        )

    def arrived(self, loaded: Loaded) -> None:
        """Bring what is shown into sight."""
        self.going(loaded.place)
        steps = (Place.parse(crumb["search"]).element for crumb in loaded.crumbs)
        way = [str(step) for step in dict.fromkeys(steps) if step is not None]
        if not loaded.place.page and way != self._explorer.way:
            self._explorer.way = way

    def hear(self, events: Sequence[Event]) -> None:
        """Say what may be old; only what is in sight is read again."""
        changed = [event for event in events if event.kind in _CHANGED and event.element_id]
        gone = [str(event.element_id) for event in events if event.kind is EventKind.ELEMENT_DELETED]
        if any(event.kind in _ALL for event in events) or len(changed) + len(gone) > MANY:
            self.renew()
        elif changed or gone:
            self._say(gone=gone, changed=[[str(event.element_id), _id(event.parent_id)] for event in changed])

    def renew(self) -> None:
        """All of it may be old."""
        self._say(all=True)

    def _say(self, **news: Any) -> None:
        # the same news twice are news twice
        self._told += 1
        self._explorer.news = {"number": self._told, **news}


def _id(element_id: UUID | None) -> str:
    return str(element_id) if element_id is not None else ""
