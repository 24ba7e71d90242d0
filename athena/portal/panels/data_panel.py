"""The data panel at the right of a page: what is known, said and allowed about an element (WS-18)."""

from collections.abc import Callable
from typing import Any

import panel as pn

from athena.contract.elements import Element, ElementKind
from athena.portal.components.panel_head import WIDTHS, PanelHead
from athena.portal.panels.metadata import MetadataSide
from athena.portal.panels.notes import NotesSide
from athena.portal.panels.samples import SamplesSide
from athena.portal.panels.sharing import SharingSide
from athena.portal.panels.side import Side
from athena.portal.place import Place
from athena.portal.session import PortalSession

SIDES: dict[str, tuple[str, Callable[[PortalSession], Side[Any]]]] = {
    "metadata": ("Metadata", MetadataSide),
    "notes": ("Notes", NotesSide),
    "samples": ("Samples", SamplesSide),
    "sharing": ("Sharing", SharingSide),
}
"""Sides of the panel by their name in the address (``panel=notes``); the first one is shown where none is named."""

_MADE_OF_SAMPLES = frozenset({ElementKind.STEP, ElementKind.DATASET})
"""Kinds that samples are linked to."""


def sides_of(element: Element) -> tuple[str, ...]:
    """Sides that an element has."""
    return tuple(name for name in SIDES if name != "samples" or element.kind in _MADE_OF_SAMPLES)


class DataPanel:
    """Shows an element's metadata, notes or sharing, two thirds, half or a third of the page wide, or collapsed."""

    def __init__(self, session: PortalSession) -> None:
        # all sides stay in the page, so that nothing typed is lost when another one is looked at
        self._sides = {name: side(session) for name, (_, side) in SIDES.items()}
        self._head = PanelHead(sizing_mode="stretch_width", margin=0)
        self._body = pn.Column(
            *(side.root for side in self._sides.values()),
            sizing_mode="stretch_both",
            margin=0,
            scroll="y-auto",
            styles={"min-height": "0"},
        )
        self.root = pn.Column(self._head, self._body, sizing_mode="stretch_both", margin=0, styles=_styles("third"))
        self._head.param.watch(lambda change: self._widen(change.new), "width_name")

    def show(self, element: Element, place: Place) -> None:
        """Show the side of an element that an address names, as it is now."""
        name, sides = place.option("panel"), sides_of(element)
        chosen = name if name in sides else sides[0]
        tabs = [
            {"name": one, "label": SIDES[one][0], "search": place.having(panel=one).search, "chosen": one == chosen}
            for one in sides
        ]
        if tabs != self._head.tabs:
            self._head.tabs = tabs
        for one, side in self._sides.items():
            side.root.visible = one == chosen
        self._sides[chosen].show(element)

    def _widen(self, name: str) -> None:
        self.root.styles = _styles(name)
        self._body.visible = name != "none"


def _styles(name: str) -> dict[str, str]:
    width = WIDTHS[name]
    return {
        "flex": f"0 0 {width}",
        "max-width": width,
        "min-width": "0",
        "min-height": "0",
        "background": "var(--athena-surface)",
        "border-left": "1px solid var(--athena-line)",
    }
