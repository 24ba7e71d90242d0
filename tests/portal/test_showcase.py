"""The page of all components: complete, and only there in development."""

from unittest.mock import patch

import panel as pn
import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from athena.portal import app
from athena.portal.components.browser import Browser
from athena.portal.components.title_bar import TitleBar
from athena.portal.showcase import drawn, examples, open_showcase
from athena.settings import Settings


def test_every_component_is_shown() -> None:
    # the browser itself has no face
    assert {type(component) for _, component in examples()} == drawn() - {Browser}


def test_a_component_is_shown_once_in_each_of_its_states() -> None:
    names = [(type(component), state) for state, component in examples()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("development", "there"), [(True, True), (False, False)])
def test_the_page_is_only_there_in_development(development: bool, there: bool) -> None:
    pages = app.pages_of(Settings(development=development), tab=lambda: None)
    assert ("/components" in pages) is there


def test_one_component_can_be_asked_for_alone() -> None:
    def heads(of: str) -> set[str]:
        with set_curdoc(Document()), patch.object(type(pn.state), "session_args", {"of": [of.encode()]} if of else {}):
            return {one.kind for one in open_showcase().main if isinstance(one, TitleBar) and one.kind}

    assert {"FilterBar"} < heads("")
    assert heads("FilterBar") == {"FilterBar"}
