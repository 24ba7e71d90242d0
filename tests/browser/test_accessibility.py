"""Every page, and what opens on it, through axe-core, dark and light: nothing grave stands in anybody's way."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from athena.portal.tools import TOOLS
from tests.browser.conftest import PATIENCE_MS
from tests.browser.instance import Instance, running
from tests.browser.scenes import ACTION, DIALOG, SCENES, address, enact
from tests.browser.world import ALICE, World

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GRAVE = {"serious", "critical"}
COLOURS = ("color-contrast", "link-in-text-block")
"""Rules of axe-core about colours."""
LOOKS = 5
"""How often a page is looked at, a second apart, before what is found counts."""


class Visit:
    """An instance that is worth looking at, and a logged-in tab for each who looks."""

    def __init__(self, browser: Browser, instance: Instance, places: dict[str, object]) -> None:
        self.instance, self.places = instance, places
        self._browser = browser
        self._tabs: dict[str, Page] = {}

    def tab(self, who: str) -> Page:
        """One tab for all scenes of somebody: logging in for each would take longer than looking."""
        if who not in self._tabs:
            context = self._browser.new_context(viewport={"width": 1280, "height": 800})
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            page.goto(str(self.places[f"login {who}"]) if who else self.instance.login)
            self._tabs[who] = page
        return self._tabs[who]

    def close(self) -> None:
        """Let the tabs go."""
        for page in self._tabs.values():
            page.context.close()


@pytest.fixture(scope="module")
def visit(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """An instance of its own: what other tests make is in no picture."""
    folder = tmp_path_factory.mktemp("looks")
    with running(folder / "home", "api", "portal", variables=ALICE) as instance:
        made = Visit(browser, instance, World(instance, folder).fill())
        yield made
        made.close()


def grave(page: Page, opened: str, *, rules: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds serious or critical, one line each: on the page, or in what opened on it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": rules}} if rules else {})
    part = page.locator(opened or "html").first
    answer = part.evaluate(
        """async (part, options) => {
          const found = await axe.run(part.matches("html") ? document : part, options)
          const looked = [...found.violations, ...found.passes, ...found.incomplete]
          if (!looked.length) throw new Error("nothing was looked at")
          return { violations: found.violations }
        }""",
        options,
    )
    return [
        f"{found['impact']} {found['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
        for found in answer["violations"]
        if found["impact"] in GRAVE or found["id"] == "empty-heading"
        for node in found["nodes"]
    ]


def settled(page: Page, opened: str, *, rules: tuple[str, ...] = ()) -> None:
    """Nothing grave is left once colours have faded from one scheme into the other."""
    for _ in range(LOOKS):
        problems = grave(page, opened, rules=rules)
        if not problems:
            return
        page.wait_for_timeout(1000)
    raise AssertionError("\n".join(problems))


@pytest.mark.parametrize("name", SCENES)
def test_a_scene(visit: Visit, name: str) -> None:
    scene = SCENES[name]
    page = visit.tab(scene.who)
    page.goto(f"{visit.instance.portal}/{address(scene, visit.places)}")
    enact(page, scene)
    # the page behind a dialog is a scene of its own
    opened = scene.opened if scene.opened in (DIALOG, ACTION) else ""
    settled(page, opened)
    scheme = str(page.locator("html").get_attribute("data-theme"))
    # a dialog lies over the button
    page.locator("[data-athena=theme]").dispatch_event("click")
    expect(page.locator("html")).not_to_have_attribute("data-theme", scheme)
    # the other scheme changes colours and nothing else
    settled(page, opened, rules=COLOURS)
    page.evaluate("localStorage.clear()")  # what was chosen here is not kept for the next scene


def test_every_page_that_the_tool_bar_leads_to_is_looked_at() -> None:
    looked_at = {scene.query.partition("p=")[2].partition("&")[0] for scene in SCENES.values()}
    assert {tool.page for tool in TOOLS} <= looked_at
