"""The portal's bars by the clock of the page: ``python -m tests.benchmarks.portal``.

An instance of its own with a run of 100 000 acquisitions (numbers only) and one of 60 with pictures; headless Chromium
on the same machine. Times are from a click, or from the address, to what was asked for, measured inside the page; each
is done several times, and the median and the worst are told.
"""

import argparse
import json
import signal
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
import psutil
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from athena.contract.elements import Element
from tests.benchmarks.real_tab import DRIVER
from tests.benchmarks.report import machine, write_section
from tests.browser.instance import Instance, make_run, running
from tests.browser.played import Player
from tests.setup_machine import CHROMIUM_ARGUMENTS, chromium

PATIENCE_MS = 60_000
KEPT_ANGSTROM = 3.4

GO = """
window.athenaGo = ({search, ready, text}) => new Promise((done, failed) => {
  const link = document.createElement('a')
  link.href = search
  link.dataset.go = ''
  document.body.append(link)
  const start = performance.now()
  link.click()
  link.remove()
  window.athenaSeen({ready, text}).then(() => done(performance.now() - start), failed)
})
window.athenaSeen = ({ready, text}) => new Promise((done, failed) => {
  const start = performance.now()
  const look = () => {
    const there = window.athenaFind(ready)
    if (there.some(one => !text || one.textContent.replace(/\\s/g, '').includes(text))) return done(Date.now())
    if (performance.now() - start > 60000) return failed(new Error(`did not come: ${ready} ${text ?? ''}`))
    setTimeout(look, 5)
  }
  look()
})
window.athenaScroll = async ([step, frames]) => {
  const list = window.athenaFind('[data-athena=gallery]')[0]
  const frame = () => new Promise(requestAnimationFrame)
  await frame()
  const begun = performance.now()
  for (let i = 0; i < frames; i++) { list.scrollTop += step; await frame() }
  return 1000 * frames / (performance.now() - begun)
}
window.athenaRule = async value => {
  const find = selector => window.athenaFind(selector)[0]
  const box = find('[data-athena=rule-value]')
  box.value = value
  box.dispatchEvent(new Event('input', {bubbles: true}))
  const root = find('[data-athena=dataviz]')
  const count = () => find('[data-athena=filter-count]')?.dataset.kept
  const [drawn, kept] = [root.dataset.drawn, count()]
  const start = performance.now()
  const late = () => { if (performance.now() - start > 60000) throw new Error('the rule changed nothing') }
  find('[data-athena=rule-add-go]').click()
  while (root.dataset.drawn === drawn) { late(); await new Promise(requestAnimationFrame) }
  const redrawn = performance.now() - start
  while (count() === kept) { late(); await new Promise(done => setTimeout(done, 2)) }
  return [redrawn, performance.now() - start]
}
"""


@dataclass
class Measured:
    """Seconds by what was done, in the order of doing; frames a second of scrolling; what went wrong in the page."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    frames: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    rounds: int = 5
    """How often each thing is done."""


@contextmanager
def tab(browser: Browser, instance: Instance, measured: Measured) -> Iterator[Page]:
    """A tab of a new browser profile, with nothing in its cache."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, base_url=instance.portal)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()

    def hear(said: ConsoleMessage) -> None:
        # a run of numbers only has no pictures
        if said.type == "error" and not said.location["url"].partition("?")[0].endswith(".png"):
            measured.errors.append(said.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: measured.errors.append(str(error)))
    page.add_init_script(DRIVER + GO)
    try:
        yield page
    finally:
        context.close()


def first_pages(browser: Browser, instance: Instance, measured: Measured) -> None:
    """From the log-in to the first page, with and without a filled cache; the first visit warms the server."""
    for turn in range(measured.rounds + 1):
        with tab(browser, instance, measured) as page:
            for what in ("first page, empty cache", "first page"):
                begun = time.perf_counter()
                page.goto(instance.login)
                page.evaluate("window.athenaSeen({ready: '[data-athena=element]'})")
                if turn:
                    measured.times[what].append(time.perf_counter() - begun)


def navigation(page: Page, run: Element, parent: Element, measured: Measured) -> None:
    """Between the elements of a run of pictures."""
    card = "[data-athena=acquisition][data-state=completed]"
    link = f"[data-athena=element][href*='{run.id}']"
    title = "[data-athena=title]"
    ways: tuple[tuple[str, dict[str, object]], ...] = (
        ("up to the step", {"click": f"[data-athena=breadcrumb] a[href*='{parent.id}']", "ready": link}),
        ("down to the run", {"click": link, "ready": card}),
        ("a micrograph of it", {"click": card, "ready": "[data-athena=viewer] canvas", "which": 3}),
        ("the next micrograph", {"click": "[data-athena=next]", "ready": title, "other": title}),
        ("back to the run", {"click": "[data-athena=back-to-run]", "ready": card}),
    )
    page.goto(f"/?e={run.id}")
    page.evaluate("ready => window.athenaSeen({ready})", card)
    for turn in range(measured.rounds + 1):
        for what, way in ways:
            page.wait_for_timeout(700)
            took = page.evaluate("asked => window.athenaTimed(asked)", {"which": 0, **way})
            if turn:
                measured.times[f"navigation: {what}"].append(took / 1000)


def arrivals(page: Page, player: Player, measured: Measured, *, already: int) -> None:
    """From a result in the workspace to its card in the open gallery."""
    for number in range(already + 1, already + 1 + measured.rounds):
        stored: list[float] = []
        indices = player.register(1)
        page.wait_for_timeout(1500)

        def store(indices: list[int] = indices, stored: list[float] = stored) -> None:
            player.complete(indices)
            stored.append(time.time())

        storing = threading.Thread(target=store)
        storing.start()
        asked = {"ready": "[data-athena=count-finished]", "text": str(number)}
        seen_ms = page.evaluate("asked => window.athenaSeen(asked)", asked)
        storing.join()
        measured.times["a result → its card"].append(seen_ms / 1000 - stored[0])


def gallery(page: Page, run: Element, measured: Measured, *, count: int) -> None:
    """A long run's gallery, come to from another page."""
    card = "[data-athena=acquisition][data-state=completed]"
    for query, what in (("", "newest first"), ("&order=oldest", "oldest first")):
        for _ in range(measured.rounds):
            page.goto("/?p=jobs")
            page.wait_for_selector("[data-athena=live][data-link=up]")
            page.wait_for_timeout(1000)
            begun = time.perf_counter()
            rows = page.evaluate("asked => window.athenaGo(asked)", {"search": f"?e={run.id}{query}", "ready": card})
            asked = {"ready": "[data-athena=count-finished]", "text": str(count)}
            page.evaluate("asked => window.athenaSeen(asked)", asked)
            measured.times[f"gallery, {what}: first rows"].append(rows / 1000)
            measured.times[f"gallery, {what}: all counted"].append(time.perf_counter() - begun)
        for step in (120, 1200):
            what_step = f"gallery, {what}: scrolling by {step} px a frame"
            measured.frames[what_step] += [page.evaluate("asked => window.athenaScroll(asked)", [step, 120])]


def dataviz(page: Page, run: Element, measured: Measured) -> None:
    """The nine charts of a long run."""
    drawn = "[data-athena=dataviz][data-drawn]"
    for _ in range(measured.rounds):
        page.goto("about:blank")
        begun = time.perf_counter()
        page.goto(f"/?e={run.id}&tab=dataviz")
        page.evaluate("ready => window.athenaSeen({ready})", drawn)
        measured.times["charts, from the address"].append(time.perf_counter() - begun)
        page.goto(f"/?e={run.id}&tab=notes")
        page.wait_for_selector("[data-athena=tab-dataviz]")
        page.wait_for_timeout(1500)
        asked = {"click": "[data-athena=tab-dataviz]", "ready": drawn, "which": 0}
        measured.times["charts, from another tab"].append(
            page.evaluate("asked => window.athenaTimed(asked)", asked) / 1000
        )
    page.wait_for_timeout(1000)
    for turn in range(measured.rounds):
        page.locator("[data-athena=rule-add]").click()
        page.locator("[data-athena=rule-metric]").select_option("ctf_resolution_angstrom")
        redrawn, counted = page.evaluate("value => window.athenaRule(value)", f"{KEPT_ANGSTROM + 0.1 * turn:.1f}")
        measured.times["a rule → redrawn"].append(redrawn / 1000)
        measured.times["a rule → counted"].append(counted / 1000)
        page.wait_for_timeout(500)
        page.locator("[data-athena=rule-remove]").first.click()
        page.wait_for_timeout(500)


def measure(instance: Instance, *, count: int, rounds: int) -> Measured:
    """Everything, one after the other."""
    measured = Measured(rounds=rounds)
    big = make_run(instance.client, folder="Long")
    small = make_run(instance.client, folder="Short")
    parent = instance.client.get(f"/elements/{small.parent_id}", Element)
    with _player(instance, big.id) as player:
        player.measure(count)
        player.attach(message=f"{count} movies found.")
    with _player(instance, small.id) as player, sync_playwright() as playwright:
        player.attach(message="60 movies found.")
        player.complete(player.register(60))
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        first_pages(browser, instance, measured)
        with tab(browser, instance, measured) as page:
            page.goto(instance.login)
            page.wait_for_selector("[data-athena=live][data-link=up]")
            navigation(page, small, parent, measured)
            arrivals(page, player, measured, already=60)
            gallery(page, big, measured, count=count)
            dataviz(page, big, measured)
        browser.close()
    return measured


@contextmanager
def _player(instance: Instance, run: UUID) -> Iterator[Player]:
    player = Player(instance.settings, run)
    try:
        yield player
    finally:
        player.close()


BARS = {"first page": 1.5, "navigation": 0.3, "a result": 2.0, "gallery": 1.5, "charts": 2.0, "a rule": 0.3}
FRAMES_BAR = 30


def tell(measured: Measured, *, count: int, load: float, dry: bool) -> None:
    """Print what was measured, and write it down."""
    lines = ["| what | median | worst | bar |", "|---|---|---|---|"]
    for what, times in measured.times.items():
        bar = next(f"{bar:g} s" for start, bar in BARS.items() if what.startswith(start))
        lines.append(f"| {what} | {np.median(times):.2f} s | {max(times):.2f} s | {bar} |")
    for what, frames in measured.frames.items():
        lines.append(f"| {what} | {np.median(frames):.0f} frames/s |  | {FRAMES_BAR} |")
    print("\n".join(lines))
    print(json.dumps(measured.errors, indent=1))
    if dry:
        return
    write_section(
        "The portal",
        [
            f"A run of {count} finished acquisitions (numbers only) and one of 60 with pictures, 1920×1080, headless",
            f"Chromium beside the servers; {measured.rounds} times each, by the page's clock.",
            "Written by `python -m tests.benchmarks.portal`.",
            "",
            f"{machine()}; load {load:.1f} at the start.",
            "",
            *lines,
        ],
    )


def main() -> None:
    """Measure, tell, and write the section of docs/performance.md."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=100_000, help="acquisitions of the long run")
    asked.add_argument("--rounds", type=int, default=5, help="how often each thing is done")
    asked.add_argument("--dry", action="store_true", help="tell only, write nothing")
    options = asked.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    load = psutil.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home", "api", "portal") as instance:
        measured = measure(instance, count=options.count, rounds=options.rounds)
    tell(measured, count=options.count, load=load, dry=options.dry)


if __name__ == "__main__":
    main()
