"""The quality report of a run, as a page (EQ-10)."""

import base64
from typing import Any

import panel as pn
from panel.viewable import Viewable

from athena.errors import AthenaError
from athena.portal.components.report_page import ReportPage, page_traits
from athena.portal.run_tabs.reading import RunReading, archived_words, nothing_yet
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme

NOTEBOOK_TYPES = {
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".ipynb.pdf": "application/pdf",
}
"""What an executed notebook is saved as, by the ending that the SDK knows it by."""
FILE_ENDS = {".ipynb.pdf": ", executed notebook.pdf"}


class ReportTab:
    """What a run was worth, as it would be printed."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._reading: RunReading | None = None
        self._nothing = nothing_yet()
        self._page = ReportPage(self._ask, sizing_mode="stretch_width", margin=0)
        self._paper = pn.Column(
            self._page,
            sizing_mode="stretch_both",
            scroll="y-auto",
            margin=0,
            styles={"padding": "16px 24px", "min-height": "0"},
        )

    def show(self, reading: RunReading) -> Viewable:
        """Show the report as it was drawn last."""
        self._reading, drawn = reading, reading.report
        if drawn is None:
            self._nothing.param.update(
                sentence=archived_words(reading.element)
                or "Nothing is acquired into this run yet. Its report appears here with the first movie.",
                command="",
            )
            return self._nothing
        self._page.param.update(
            made=drawn.made.isoformat(), **page_traits(svg=drawn.svg, pdf=drawn.pdf, name=named(reading))
        )
        return self._paper

    def _ask(self, asked: dict[str, Any]) -> None:
        reading, ending = self._reading, asked.get("ending")
        if asked.get("do") != "notebook" or ending not in NOTEBOOK_TYPES or reading is None or self._page.working:
            return
        self._page.param.update(working=True, problem="")

        def made(content: bytes) -> None:
            notebook = {
                "data": base64.b64encode(content).decode(),
                "file": f"{named(reading)} quality report{FILE_ENDS.get(ending, ending)}",
                "type": NOTEBOOK_TYPES[ending],
            }
            self._page.param.update(working=False, notebook=notebook)

        def failed(error: AthenaError) -> None:
            self._page.param.update(working=False, problem=str(error))

        catalogue, run_id, branch = self._session.catalogue, reading.element.id, reading.branch
        self._session.run(lambda: catalogue.report_file(run_id, ending, branch=branch), made, failed=failed)

    def scheme(self, scheme: Scheme) -> None:
        """Paper is white."""


def named(reading: RunReading) -> str:
    """Name of the run for a file, with that of the branch where it is not the default one."""
    return f"{reading.title} ({reading.branch})" if reading.branch else reading.title
