"""The explorer at the left of the content: follows where one is and what changes in the workspace (WS-08)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from athena.contract.elements import Element, ElementKind
from athena.contract.events import Event, EventKind
from athena.portal.components.explorer import Explorer, micrograph_id
from athena.portal.dialogs.add import ask_add, offers
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
        self._session = session
        self._feed = TreeFeed(session, explorer)
        self._element: Element | None = None
        self._told = 0
        explorer.address = session.base_url
        explorer.hears(self._ask)

    def _ask(self, asked: dict[str, Any]) -> None:
        if asked["do"] == "level":
            self._feed.read(asked)
        elif asked["do"] == "add":
            ask_add(self._session, self._element, str(asked["what"]))

    def going(self, place: Place) -> None:
        """Mark where one goes; pages that show no element have no explorer."""
        self._explorer.param.update(visible=not place.page, deep=place.index is not None, here=_shown(place))

    def arrived(self, loaded: Loaded) -> None:
        """Bring what is shown into sight."""
        self.going(loaded.place)
        self._element = loaded.element
        self._explorer.adds = [offer.item for offer in offers(loaded.element)]
        steps = [step for crumb in loaded.crumbs if (step := _shown(Place.parse(crumb["search"])))]
        way = list(dict.fromkeys(steps))
        # the micrographs of a run stand in the centre: here only who wants them there too
        self._explorer.folded = self._element is not None and self._element.kind is ElementKind.DATASET
        if not loaded.place.page and way != self._explorer.way:
            self._explorer.way = way

    def hear(self, events: Sequence[Event]) -> None:
        """Say what may be old; only what is in sight is read again."""
        changed = [event for event in events if event.kind in _CHANGED and event.element_id]
        gone = [str(event.element_id) for event in events if event.kind is EventKind.ELEMENT_DELETED]
        if any(event.kind in _ALL for event in events) or len(changed) + len(gone) > MANY:
            self.renew()
            return
        inside = {str(event.element_id) for event in events if event.element_id in self._feed.runs}
        if changed or gone or inside:
            news = [[str(event.element_id), _id(event.parent_id)] for event in changed]
            self._say(gone=gone, changed=news, inside=sorted(inside))

    def renew(self) -> None:
        """All of it may be old."""
        self._say(all=True)

    def _say(self, **news: Any) -> None:
        # the same news twice are news twice
        self._told += 1
        self._explorer.news = {"number": self._told, **news}


def _shown(place: Place) -> str:
    """What a place shows, as the tree names it."""
    if place.element is None:
        return ""
    return str(place.element) if place.index is None else micrograph_id(place.element, place.index)


def _id(element_id: UUID | None) -> str:
    return str(element_id) if element_id is not None else ""
