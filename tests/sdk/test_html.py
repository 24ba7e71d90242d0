"""Notebook representations: complete, self-contained, and safe whatever things are called."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from athena.contract.acquisitions import AcquisitionState
from athena.sdk import html
from athena.sdk.connection import Athena
from athena.sdk.runs import Run
from tests.conftest import add_acquisitions

EVIL = '<script>alert(1)<\\script> "><img src=x onerror=alert(2)> &amp;'


class Checker(HTMLParser):
    """Collects tags and attributes, and checks that every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def assert_safe(page: str) -> None:
    """No script, no handler, nothing from elsewhere."""
    checked = Checker(page)
    assert set(checked.tags) <= {
        *("style", "div", "span", "ul", "li", "details", "summary"),
        *("table", "thead", "tbody", "tr", "th", "td", "img"),
    }
    assert {name for name, _ in checked.attributes} <= {"class", "title", "open", "alt", "src"}
    for name, value in checked.attributes:
        if name == "src":
            assert value is not None
            assert value.startswith("data:image/png;base64,")
    assert not re.search(r"https?://(?!127\.0\.0\.1)|@import|url\(", page)


@pytest.mark.feature("NB-01")
def test_tree_of_the_workspace(athena: Athena) -> None:
    assert "empty" in athena._repr_html_()
    athena.ensure("Apoferritin/Day 1/Imaging/Grid 3")
    page = athena._repr_html_()
    assert_safe(page)
    for words in ("Apoferritin", "Day 1", "Imaging", "not started", "○"):
        assert words in page


@pytest.mark.feature("NB-01")
def test_names_cannot_inject(athena: Athena, running, new_run: Callable[[], Run]) -> None:
    folder = athena.create_folder(EVIL)
    folder.create_workflow(EVIL)
    run = new_run().update(name=EVIL, description=EVIL)
    add_acquisitions(running.database, run.model, state=AcquisitionState.ERROR, error=EVIL)
    shown = (athena, folder, folder.children(), athena.folders(), folder[EVIL], run, run.parent, run.acquisition(0))
    for thing in shown:
        page = thing._repr_html_()
        assert_safe(page)
        assert "&lt;script&gt;" in page


@pytest.mark.feature("AC-04")
def test_run_card_counts_and_medians(running, new_run: Callable[[], Run], process) -> None:
    run = new_run()
    assert "no acquisitions yet" in run._repr_html_()
    process(run, 3)
    add_acquisitions(running.database, run.model, state=AcquisitionState.ERROR, error="truncated")
    page = run._repr_html_()
    assert_safe(page)
    visible = re.sub(r"<[^>]*>", "", page.split("</style>")[1])
    assert "● completed 3" in visible
    assert "▲ error 1" in visible
    assert "Defocus 2.00\u2009µm" in visible
    assert "no source attached" in visible


def test_acquisition_card_has_its_pictures(new_run: Callable[[], Run], process, running) -> None:
    run = new_run()
    process(run, 1)
    page = run.acquisition(0)._repr_html_()
    assert_safe(page)
    assert page.count("data:image/png;base64,") == 2
    add_acquisitions(running.database, run.model)
    assert "no thumbnail yet" in run.acquisition(1)._repr_html_()


def test_plain_reprs_tell_no_token(athena: Athena, running, new_run: Callable[[], Run], process) -> None:
    run = new_run()
    process(run, 1)
    shown = [repr(thing) for thing in (athena, athena.client, run, run.acquisition(0), run.store, athena.folders())]
    assert not any(running.token in text for text in shown)
    assert "Grid" in shown[2]


def test_every_status_has_a_shape_and_words() -> None:
    shapes = {html.mark(state) for state in html.MARKS}
    assert len(shapes) == len(html.MARKS)
    assert "◌" not in html.mark("something_new")
    assert "something new" in html.mark("something_new", label=True)
