"""A page of a real browser that holds one widget on a made-up run."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.widgets.fake_run import FakeRun
from tests.widgets.web import Web, serve


@pytest.fixture
def web() -> Iterator[Web]:
    """The made-up run's server; replace ``web.run`` before opening a page to change it."""
    with serve(FakeRun()) as server:
        yield server


class WidgetPage:
    """A page with one widget, its console errors, and the requests it made."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2] if "//" in request.url else ""))

    def trait(self, name: str) -> Any:
        """Value of a trait."""
        return self.page.evaluate(f"model.get({json.dumps(name)})")

    def give(self, **traits: object) -> None:
        """Change traits as Python would."""
        self.page.evaluate("values => Object.entries(values).forEach(([k, v]) => model.set(k, v))", traits)

    def hook(self, name: str) -> str:
        """Selector of a ``data-athena`` hook."""
        return f'[data-athena="{name}"]'


@pytest.fixture
def open_widget(browser: Browser, web: Web) -> Iterator[Callable[..., WidgetPage]]:
    """Open a widget by module name with traits; asserts in the end that nothing threw and nothing left the origin."""
    opened: list[WidgetPage] = []

    def open_one(name: str, *, size: tuple[int, int] = (1300, 760), **traits: object) -> WidgetPage:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, timezone_id="UTC")
        page = context.new_page()
        page.set_default_timeout(15_000)
        found = WidgetPage(page)
        page.goto(web.page(name, **traits))
        page.wait_for_function("window.ready")
        opened.append(found)
        return found

    yield open_one
    for found in opened:
        assert not found.errors
        assert {host for host in found.hosts if host} == {web.url.removeprefix("http://")}
        found.page.context.close()
