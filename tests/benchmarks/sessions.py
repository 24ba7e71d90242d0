"""Many browser tabs on a run that grows: ``python -m tests.benchmarks.sessions``.

An instance of its own; acquisitions come at a microscope's pace with pictures and numbers made up, so that the time
is the portal's and not the kernels'. Each tab is a browser profile of its own in headless Chromium, on the same
machine, and does what people do: opens a micrograph, goes to the next, comes back, looks at another tab of the run,
goes up and down the workspace, pausing between. Told are the times from a click to what it asked for, measured inside
the page; what the portal's process grew by for each session; and what went wrong in one of them while one tab asks
for nonsense.
"""

import argparse
import asyncio
import json
import random
import signal
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from playwright.async_api import Browser, Page, async_playwright

from athena.contract.elements import Element
from tests.benchmarks.report import machine, write_section
from tests.browser.instance import Instance, make_run, running
from tests.browser.played import Player
from tests.setup_machine import CHROMIUM_ARGUMENTS, chromium

BAR_S, BAR_MIB = 1.0, 60.0
PATIENCE_MS = 60_000

DRIVER = """
window.athenaFind = selector => {
  const found = [], roots = [document]
  while (roots.length) {
    const root = roots.pop()
    found.push(...root.querySelectorAll(selector))
    for (const one of root.querySelectorAll('*')) if (one.shadowRoot) roots.push(one.shadowRoot)
  }
  return found.filter(one => one.getClientRects().length)
}
window.athenaTimed = ({click, which, ready, text, other}) => new Promise((done, failed) => {
  const target = window.athenaFind(click)
  if (!target.length) return failed(new Error(`nothing to click: ${click}`))
  const before = other ? window.athenaFind(other)[0]?.textContent : null
  const start = performance.now()
  target[which % target.length].click()
  const look = () => {
    const there = window.athenaFind(ready)
    const right = there.some(one => !text || one.textContent.includes(text))
    const changed = !other || window.athenaFind(other)[0]?.textContent !== before
    if (right && changed) return done(performance.now() - start)
    if (performance.now() - start > 60000) return failed(new Error(`did not come: ${ready} ${text ?? ''}`))
    setTimeout(look, 10)
  }
  setTimeout(look, 0)
})
"""


@dataclass
class Seen:
    """What tabs met.

    Attributes
    ----------
    times : seconds from click to what it asked for, by what was done.
    errors : console errors and uncaught exceptions, with the number of their tab.
    """

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    def all(self) -> list[float]:
        """The times of everything."""
        return [one for times in self.times.values() for one in times]


async def timed(page: Page, seen: Seen, what: str, **asked: object) -> None:
    """Click and wait inside the page; note the time. A selector in ``other`` must change its text."""
    took = await page.evaluate("asked => window.athenaTimed(asked)", {"which": 0, **asked})
    seen.times[what].append(took / 1000)


async def visit(page: Page, run: Element, parent: Element, seen: Seen, dice: random.Random, *, pause_s: float) -> None:
    """One round through a run and back to it, pausing ``pause_s`` between, half as long to half as long again."""

    async def pause() -> None:
        await asyncio.sleep(pause_s * dice.uniform(0.5, 1.5))

    card = "[data-athena=acquisition][data-state=completed]"
    title = "[data-athena=title]"
    await timed(
        page,
        seen,
        "open a micrograph",
        click=card,
        which=dice.randrange(12),
        ready="[data-athena=viewer] canvas",
    )
    await pause()
    for _ in range(2):
        await timed(page, seen, "next micrograph", click="[data-athena=next]", ready=title, other=title)
        await pause()
    await timed(
        page,
        seen,
        "motion of it",
        click="[data-athena=tab-motion]",
        ready="[data-athena=tab-motion][aria-selected=true]",
    )
    await pause()
    await timed(page, seen, "back to the run", click="[data-athena=back-to-run]", ready=card)
    await pause()
    await timed(
        page,
        seen,
        "up to the step",
        click=f"[data-athena=breadcrumb] a[href*='{parent.id}']",
        ready=f"[data-athena=element][href*='{run.id}']",
    )
    await pause()
    await timed(
        page,
        seen,
        "down to the run",
        click=f"[data-athena=element][href*='{run.id}']",
        ready=card,
    )
    await pause()


async def tab(
    browser: Browser,
    instance: Instance,
    run: Element,
    parent: Element,
    seen: Seen,
    *,
    number: int,
    until: float,
    pause_s: float,
    opened: asyncio.Semaphore,
) -> None:
    """A visitor of the run."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    page.on("console", lambda said: seen.errors.append(f"{number}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(f"{number}: {error}"))
    await page.add_init_script(DRIVER)
    async with opened:
        await page.goto(instance.login)
        await page.wait_for_selector("[data-athena=live][data-link=up]")
        begun = time.monotonic()
        await page.goto(f"{instance.portal}/?e={run.id}")
        await page.wait_for_selector("[data-athena=acquisition][data-state=completed]")
        seen.times["(page of the run, loaded anew)"].append(time.monotonic() - begun)
    dice = random.Random(number)
    await asyncio.sleep(dice.uniform(0, 5))
    while time.monotonic() < until:
        await visit(page, run, parent, seen, dice, pause_s=pause_s)
    await context.close()


async def nonsense(browser: Browser, instance: Instance, until: float) -> int:
    """A tab that asks for what is not there and leaves in the middle; returns how often."""
    asked = 0
    while time.monotonic() < until:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(instance.login)
        await page.goto(f"{instance.portal}/?e=00000000-0000-0000-0000-{asked:012d}&i=x")
        await page.wait_for_selector("[data-athena=error]", timeout=PATIENCE_MS)
        await context.close()
        asked += 1
        await asyncio.sleep(3)
    return asked


def grow(player: Player, stop: threading.Event, *, rate: float) -> None:
    """Add an acquisition with results at a pace."""
    while not stop.wait(3600 / rate):
        player.complete(player.register(1))


def portal_of(instance: Instance) -> psutil.Process:
    """The portal's process."""
    for pid in instance.pids:
        process = psutil.Process(pid)
        if "portal" in process.cmdline():
            return process
    raise LookupError("no portal")


async def drive(
    instance: Instance, run: Element, parent: Element, *, tabs: int, seconds: float, pause_s: float
) -> dict[str, object]:
    """All tabs at once, for some time."""
    seen, portal = Seen(), portal_of(instance)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        # the first visit imports and compiles what all share
        warm = await browser.new_context()
        page = await warm.new_page()
        await page.goto(instance.login)
        await page.goto(f"{instance.portal}/?e={run.id}")
        await page.wait_for_selector("[data-athena=acquisition][data-state=completed]", timeout=PATIENCE_MS)
        await warm.close()
        before, used = portal.memory_info().rss, sum(portal.cpu_times()[:2])
        begun = time.monotonic()
        # people do not all arrive in the same second
        opened = asyncio.Semaphore(2)
        until = begun + seconds + 2 * tabs
        visits = [
            tab(browser, instance, run, parent, seen, number=number, until=until, pause_s=pause_s, opened=opened)
            for number in range(tabs)
        ]
        grown = asyncio.create_task(_most(portal, until))
        results = await asyncio.gather(nonsense(browser, instance, until), *visits, return_exceptions=True)
        largest = await grown
        took = time.monotonic() - begun
        await browser.close()
    failures = [repr(one) for one in results if isinstance(one, BaseException)]
    return {
        "tabs": tabs,
        "seconds": took,
        "interactions": len(waits := [one for what, times in seen.times.items() if what[0] != "(" for one in times]),
        "median_s": float(np.median(waits)),
        "p95_s": float(np.percentile(waits, 95)),
        "by_kind_s": {what: _of(times) for what, times in seen.times.items()},
        "mib_per_session": (largest - before) / tabs / 2**20,
        "portal_cores": (sum(portal.cpu_times()[:2]) - used) / took,
        "console_errors": seen.errors,
        "failures": failures,
        "nonsense_asked": results[0],
        "portal_tracebacks": instance.log("portal").count("Traceback"),
    }


async def _most(process: psutil.Process, until: float) -> int:
    most = 0
    while time.monotonic() < until:
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(1)
    return most


def _of(times: list[float]) -> list[float]:
    return [round(float(np.median(times)), 3), round(float(np.percentile(times, 95)), 3), len(times)]


def main() -> None:
    """Measure, tell, and write the section of docs/performance.md."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tabs", type=int, default=25)
    asked.add_argument("--seconds", type=float, default=120.0)
    asked.add_argument("--pause", type=float, default=8.0, help="seconds between what a tab does, about")
    asked.add_argument("--rate", type=float, default=600.0, help="acquisitions an hour")
    asked.add_argument("--dry", action="store_true", help="tell only, write nothing")
    options = asked.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home", "api", "portal") as instance:
        run = make_run(instance.client, folder="Live")
        parent = instance.client.get(f"/elements/{run.parent_id}", Element)
        player = Player(instance.settings, run.id, size=(1024, 1024))
        player.attach(message="60 movies found, all whole.")
        player.complete(player.register(60))
        growing = threading.Thread(target=grow, args=(player, stop), kwargs={"rate": options.rate})
        growing.start()
        try:
            found = asyncio.run(
                drive(instance, run, parent, tabs=options.tabs, seconds=options.seconds, pause_s=options.pause)
            )
        finally:
            stop.set()
            growing.join()
            player.close()
    tell(found, options)


def tell(found: dict[str, object], options: argparse.Namespace) -> None:
    """Print what was measured, and write it down."""
    print(json.dumps(found, indent=1))
    if options.dry:
        return
    kinds = found["by_kind_s"]
    assert isinstance(kinds, dict)
    write_section(
        "Many sessions",
        [
            f"{found['tabs']} tabs in headless Chromium on a run that grows by {options.rate:.0f} an hour;",
            f"each does something every {options.pause:.0f} s or so. Browser and portal share the machine;",
            "times are from click to what it asked for, measured inside the page.",
            "Written by `python -m tests.benchmarks.sessions`.",
            "",
            f"{machine()}.",
            "",
            "| what | median | 95 % | bar |",
            "|---|---|---|---|",
            f"| all {found['interactions']} | {found['median_s']:.2f} s | {found['p95_s']:.2f} s | {BAR_S:.0f} s |",
            *(f"| {what} | {one[0]:.2f} s | {one[1]:.2f} s |  |" for what, one in kinds.items()),
            f"| memory of the portal for each session | {found['mib_per_session']:.1f} MiB |  | {BAR_MIB:.0f} MiB |",
            f"| cores the portal used | {found['portal_cores']:.2f} |  |  |",
        ],
    )


if __name__ == "__main__":
    main()
