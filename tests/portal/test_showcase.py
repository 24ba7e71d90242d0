"""The page of all components: complete, and only there in development."""

import importlib
import pkgutil

import pytest

from athena.portal import app, components
from athena.portal.components.browser import Browser
from athena.portal.components.script import Script
from athena.portal.showcase import examples
from athena.settings import Settings


def drawn() -> set[type]:
    """Every component there is, without those that only others are made from."""
    for module in pkgutil.iter_modules(components.__path__):
        importlib.import_module(f"{components.__name__}.{module.name}")
    found: set[type] = set()
    waiting = [Script]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith(components.__name__) and not kind.__subclasses__():
                found.add(kind)
    return found


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
