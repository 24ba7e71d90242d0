"""``make shots``: every page of the portal, dark and light, at two sizes, as pictures in ``test-results/shots``.

What is pictured is the table in ``scenes``, on the workspace that ``world`` makes: its run "Grid 3" is real work on
simulated movies (a runner processes them while this waits), the others are made up. ``SHOTS_ARGS`` of make chooses:
``--only dataviz jobs``, ``--schemes dark``, ``--movies 0``. It fails where a scene is missed or a page said an error.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser.instance import Instance, make_run, running
from tests.browser.played import Player
from tests.browser.scenes import SCENES, Scene, address, enact
from tests.browser.world import ALICE, World
from tests.setup_machine import CHROMIUM_ARGUMENTS, chromium

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = {"small": (1280, 800), "large": (1920, 1080)}
SCHEMES = ("dark", "light")
TALL = 2400
"""Height of a picture of components, px."""
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)

EXTRA: dict[str, Scene] = {
    "run-vast": Scene("?e={vast}", "[data-athena=acquisition]"),
    "dataviz-vast": Scene("?e={vast}&tab=dataviz", "[data-athena=dataviz][data-drawn]"),
}
"""Scenes that only pictures have, as they take long to make."""


def settle(page: Page) -> None:
    """Wait until a page has fetched and drawn everything."""
    for waits in ("[data-athena=state][data-kind=loading]:visible", "[data-athena=tree-waits]", ".picture.skeleton"):
        expect(page.locator(waits)).to_have_count(0)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(600)  # pictures of a gallery fade in


class Visitors:
    """A logged-in browser profile for each person who looks."""

    def __init__(self, browser: Browser, instance: Instance, places: dict[str, object], size: tuple[int, int]) -> None:
        self._browser, self._instance, self._places = browser, instance, places
        self._viewport = {"width": size[0], "height": size[1]}
        self._contexts: dict[str, BrowserContext] = {}

    def page(self, who: str, scheme: str) -> Page:
        """A fresh tab of somebody, dark or light."""
        if who not in self._contexts:
            context = self._browser.new_context(viewport=self._viewport)
            context.set_default_timeout(PATIENCE_MS)
            tab = context.new_page()
            tab.goto(str(self._places[f"login {who}"]) if who else self._instance.login)
            tab.close()
            self._contexts[who] = context
        cookie = {"name": "athena-theme", "value": scheme, "url": self._instance.portal}
        self._contexts[who].add_cookies([cookie])
        return self._contexts[who].new_page()

    def close(self) -> None:
        """Let all go."""
        for context in self._contexts.values():
            context.close()


def shoot(page: Page, instance: Instance, scene: Scene, places: dict[str, object], path: Path) -> list[str]:
    """Take a picture of one scene; returns what the page said that it should not say."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{instance.portal}/{address(scene, places)}")
    enact(page, scene)
    settle(page)
    page.screenshot(path=path)
    page.evaluate("localStorage.clear()")  # what was chosen here is not kept for the next picture
    return said


LONGEST = """() => {
  let found = document.scrollingElement
  const look = (root) => {
    for (const one of root.querySelectorAll("*")) {
      if (one.scrollHeight > found.scrollHeight && /auto|scroll/.test(getComputedStyle(one).overflowY)) found = one
      if (one.shadowRoot) look(one.shadowRoot)
    }
  }
  look(document)
  return found
}"""
"""What scrolls the page: the element with the most in it, in whatever shadow it lies."""


def components(page: Page, instance: Instance, path: Path) -> None:
    """Take pictures of the page of all components, one below the other."""
    page.set_viewport_size({"width": SIZES["small"][0], "height": TALL})
    page.goto(f"{instance.portal}/components")
    expect(page.locator("[data-athena=title]").first).to_be_visible()
    page.wait_for_timeout(2000)  # some of them wait for ever: that is what they show
    scroller = page.evaluate_handle(LONGEST)
    height, seen = page.evaluate("one => [one.scrollHeight, one.clientHeight]", scroller)
    for number, top in enumerate(range(0, int(height), int(seen))):
        page.evaluate("([one, top]) => { one.scrollTop = top }", [scroller, top])
        page.wait_for_timeout(200)
        page.screenshot(path=path.with_stem(f"{path.stem}-{number + 1}"))


def vast(instance: Instance, count: int) -> dict[str, object]:
    """A run of very many micrographs that have numbers only."""
    if not count:
        return {}
    run = make_run(instance.client, folder="Long weekend", workflow="SPA-QM 15", run=f"Grid of {count}")
    player = Player(instance.settings, run.id)
    player.attach(message=f"{count} movies found, all whole.")
    player.measure(count)
    player.leave()
    player.close()
    return {"vast": run.id}


def chosen(names: list[str], places: dict[str, object]) -> Iterator[tuple[str, Scene]]:
    """Scenes that are asked for, by the beginning of their names."""
    for name, scene in (SCENES | (EXTRA if "vast" in places else {})).items():
        if not names or any(name.startswith(one) for one in names):
            yield name, scene


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--into", type=Path, default=ROOT / "test-results" / "shots")
    parser.add_argument("--movies", type=int, default=6, help="Simulated movies to process; 0: made-up ones, at once.")
    parser.add_argument("--size", type=int, default=1024, help="Edge of the simulated movies, px.")
    parser.add_argument("--many", type=int, default=1200, help="Micrographs of the full run.")
    parser.add_argument("--vast", type=int, default=100_000, help="Micrographs of the longest run; 0: none.")
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    parser.add_argument("--schemes", nargs="*", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--only", nargs="*", default=[], help="Scenes whose names begin so; nothing: all.")
    options = parser.parse_args()
    executable = chromium()
    if executable is None:
        raise SystemExit("no Chromium on this machine: tests/setup_machine.py installs it where it may")
    options.into.mkdir(parents=True, exist_ok=True)
    missed = []
    with (
        tempfile.TemporaryDirectory() as scratch,
        running(Path(scratch) / "home", "api", "portal", variables=ALICE) as instance,
        sync_playwright() as playwright,
    ):
        world = World(instance, Path(scratch), many=options.many, movies=options.movies, size=options.size)
        places = world.fill() | vast(instance, options.vast)
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        for size in options.sizes:
            visitors = Visitors(browser, instance, places, SIZES[size])
            for scheme in options.schemes:
                for name, scene in chosen(options.only, places):
                    page = visitors.page(scene.who, scheme)
                    picture = f"{name}-{scheme}-{size}"
                    try:
                        said = shoot(page, instance, scene, places, options.into / f"{picture}.png")
                        missed.extend(f"{picture} said: {one.splitlines()[0]}" for one in said)
                    except (AssertionError, TimeoutError, PlaywrightError) as error:
                        missed.append(f"{picture}: {str(error).splitlines()[0]}")
                        page.screenshot(path=options.into / f"{picture}-missed.png")
                    page.close()
                if not options.only:
                    page = visitors.page("", scheme)
                    components(page, instance, options.into / f"components-{scheme}.png")
                    page.close()
            visitors.close()
        browser.close()
    print(f"pictures are in {options.into}")
    if missed:
        raise SystemExit("these went wrong:\n" + "\n".join(missed))


if __name__ == "__main__":
    main()
