"""The page of all components: complete, and only there in development."""

import pytest

from athena.portal import app
from athena.portal.components.browser import Browser
from athena.portal.showcase import drawn, examples
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
