"""Pages of an instance for the tests of this folder; skipped, saying why, where there is no Chromium."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.instance import Instance
from tests.browser.played import Player

PATIENCE_MS = 40_000
"""How long a page may take on a machine that does other work as well."""
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Watch:
    """What a browser tab did that it should not do."""

    origin: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        """Note requests to other origins, console errors and uncaught exceptions of a page."""
        page.on("request", lambda request: self._request(request.url))
        page.on("websocket", lambda socket: self._request(socket.url.replace("ws://", "http://", 1)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _request(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:", "blob:", "about:")):
            self.outside.append(url)

    def check(self) -> None:
        """Nothing left the origin and nothing went wrong."""
        assert self.outside == []
        assert self.errors == []


@pytest.fixture
def watch(instance: Instance) -> Watch:
    """Notes what the pages of this test do."""
    return Watch(instance.portal)


Play = Callable[..., Player]


@pytest.fixture
def play(instance: Instance) -> Iterator[Play]:
    """``play(run_id, size=…)``: plays acquisitions into a run of the instance."""
    players: list[Player] = []

    def make(run_id: UUID, *, size: tuple[int, int]) -> Player:
        players.append(Player(instance.settings, run_id, size=size))
        return players[-1]

    yield make
    for player in players:
        player.leave()  # what other tests look at is not full of runs that are long over
        player.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own, not logged in."""
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, instance: Instance, watch: Watch) -> Page:
    """A tab that is logged in and shows the workspace; the test fails if it misbehaved."""
    tab = context.new_page()
    watch.follow(tab)
    tab.goto(instance.login)
    tab.wait_for_selector("[data-athena=live][data-link=up]")
    return tab
