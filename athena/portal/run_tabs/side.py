"""Metadata, notes and sharing of a run: the sides of the data panel of other elements, a tab each."""

from collections.abc import Callable
from typing import Any

import panel as pn
from panel.viewable import Viewable

from athena.portal.panels.side import Side
from athena.portal.run_tabs.reading import RunReading
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme


class SideTab:
    """A side of the data panel on a sheet of its own."""

    def __init__(self, session: PortalSession, make: Callable[[PortalSession], Side[Any]]) -> None:
        self.side = make(session)
        self._sheet = pn.Column(
            self.side.root,
            sizing_mode="stretch_both",
            scroll="y-auto",
            margin=0,
            styles={"padding": "8px", "min-height": "0", "max-width": "880px"},
        )

    def show(self, reading: RunReading) -> Viewable:
        """Show it of the run as it is now."""
        self.side.show(reading.element)
        return self._sheet

    def scheme(self, scheme: Scheme) -> None:
        """The page's own colours."""
