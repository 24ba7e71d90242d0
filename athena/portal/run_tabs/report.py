"""The quality report of a run, as a page (EQ-10)."""

import panel as pn
from panel.viewable import Viewable

from athena.portal.components.report_page import ReportPage, page_traits
from athena.portal.run_tabs.reading import RunReading, nothing_yet
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme


class ReportTab:
    """What a run was worth, as it would be printed."""

    def __init__(self, session: PortalSession) -> None:
        self._nothing = nothing_yet()
        self._page = ReportPage(sizing_mode="stretch_width", margin=0)
        self._paper = pn.Column(
            self._page,
            sizing_mode="stretch_both",
            scroll="y-auto",
            margin=0,
            styles={"padding": "16px 24px", "min-height": "0"},
        )

    def show(self, reading: RunReading) -> Viewable:
        """Show the report as it was drawn last."""
        drawn = reading.report
        if drawn is None:
            self._nothing.param.update(
                sentence="Nothing is acquired into this run yet. Its report appears here with the first movie.",
                command="",
            )
            return self._nothing
        self._page.param.update(
            made=drawn.made.isoformat(), **page_traits(svg=drawn.svg, pdf=drawn.pdf, name=reading.title)
        )
        return self._paper

    def scheme(self, scheme: Scheme) -> None:
        """Paper is white."""
