"""The report tab hands out executed notebooks, and says why where it cannot."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from athena.errors import Unavailable
from athena.portal.run_tabs.report import ReportTab
from tests.portal.test_views import RunCounts, Tab, run_page


class Reports:
    """Hands out a notebook, or the reason why not."""

    def __init__(self) -> None:
        self.branches: list[str | None] = []

    def report_file(self, _run: Any, ending: str, *, branch: str | None = None) -> bytes:
        """As the catalogue."""
        self.branches.append(branch)
        if ending == ".html":
            raise Unavailable("The kernel died.")
        return b"{}"


@pytest.mark.feature("EQ-10", "NB-04")
def test_the_tab_makes_a_notebook_when_asked_and_tells_why_not() -> None:
    tab: Any = Tab()
    tab.catalogue = Reports()
    page = run_page(counts=RunCounts(total=5, completed=5), tab="report")
    shown = ReportTab(tab)
    shown.show(page)
    told: Any = shown._page
    told._handle_msg({"do": "notebook", "ending": ".exe"})
    assert told.notebook == {}
    told._handle_msg({"do": "notebook", "ending": ".html"})
    assert (told.problem, told.working, told.notebook) == ("The kernel died.", False, {})
    told._handle_msg({"do": "notebook", "ending": ".ipynb"})
    assert base64.b64decode(told.notebook["data"]) == b"{}"
    assert told.notebook["file"] == "Grid 3 quality report.ipynb"
    assert (told.problem, told.working) == ("", False)
    shown.show(replace(page, branch="fine"))
    told._handle_msg({"do": "notebook", "ending": ".ipynb.pdf"})
    assert told.notebook["file"] == "Grid 3 (fine) quality report, executed notebook.pdf"
    assert tab.catalogue.branches == [None, None, "fine"]
