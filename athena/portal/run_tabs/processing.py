"""How a run is processed and judged (BY-06, AC-04, EQ-12)."""

import panel as pn
from panel.viewable import Viewable

from athena.portal.panels.branches import BranchesSide
from athena.portal.panels.processing import ProcessingSide
from athena.portal.run_tabs.reading import RunReading
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme


class ProcessingTab:
    """Branches of results; below, what failed, the criteria and the parameters."""

    def __init__(self, session: PortalSession) -> None:
        self.branches = BranchesSide(session)
        self.processing = ProcessingSide(session)
        self._sheet = pn.Column(
            self.branches.root,
            self.processing.root,
            sizing_mode="stretch_both",
            scroll="y-auto",
            margin=0,
            styles={"min-height": "0"},
        )

    def show(self, reading: RunReading) -> Viewable:
        """Show them of the run as it is now."""
        self.branches.look(reading.place)
        for side in (self.branches, self.processing):
            side.show(reading.element)
        return self._sheet

    def scheme(self, scheme: Scheme) -> None:
        """The page's own colours."""
