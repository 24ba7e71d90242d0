"""Many sessions on a run that grows: ``python -m tests.benchmarks.sessions``.

An instance of its own; acquisitions come at a microscope's pace with pictures and numbers made up, so that the time
is the portal's and not the kernels'. Each session is another person's and does what people do: opens a micrograph, goes
to the next, looks at another side of it, comes back, goes up and down the workspace, pausing between.

Browsers of 25 people do not run on the machine that serves them. So a few tabs are real, in headless Chromium, and tell
what a person feels: from a click to what it asked for, by the page's clock, drawing included. All others are played
without a screen (:mod:`tests.benchmarks.played_tab`): they hold the same session over the same socket, follow the run
and ask the API for the same tables, curves, pictures and tiles, and tell the time until the server's answers are there.
Their Python, like Chromium, runs beside the servers; what processor time each of them takes is told. ``--screens 25``
makes all tabs real.

Told besides: what the portal's process grew by for each session; how many requests each kind of tab makes for each
thing that is done, so that it shows where the played ones part from the real ones; and what went wrong in any of them
while one more tab asks for nonsense again and again.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil
from playwright.async_api import Browser, async_playwright

from athena.contract.elements import Crumb, Element
from athena.contract.people import Role
from athena.contract.sharing import Permissions, PublicChange
from athena.settings import Settings
from tests.benchmarks.played_tab import PlayedTab
from tests.benchmarks.real_tab import DRIVER, Seen, visit
from tests.benchmarks.report import machine, write_section
from tests.benchmarks.wire import WireTab
from tests.browser.instance import Instance, login_of, make_run, running
from tests.browser.played import Player
from tests.setup_machine import CHROMIUM_ARGUMENTS, chromium

SIZE = (1024, 1024)
"""Of the micrographs, px."""
BAR_S, BAR_MIB = 1.0, 60.0
PATIENCE_MS = 60_000
ARRIVAL_S = 2.0
"""Between one visitor and the next: people do not all arrive in the same second."""


@dataclass(frozen=True)
class Stay:
    """What all visitors share: where they go, for how long, how fast, and a turn at the door."""

    run: Element
    parent: Element
    until: float
    pause_s: float
    opened: asyncio.Semaphore
    portal: str

    def dice(self, number: int) -> random.Random:
        """What a visitor does of its own will."""
        return random.Random(number)


async def real_tab(browser: Browser, stay: Stay, seen: Seen, *, number: int, login: str) -> None:
    """A visitor of the run in a browser profile of its own."""
    await asyncio.sleep(number * ARRIVAL_S)
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    page.on("console", lambda said: seen.errors.append(f"{number}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(f"{number}: {error}"))
    await page.add_init_script(DRIVER)
    async with stay.opened:
        await page.goto(login)
        await page.wait_for_selector("[data-athena=live][data-link=up]")
        begun = time.monotonic()
        await page.goto(f"{stay.portal}/?e={stay.run.id}")
        await page.wait_for_selector("[data-athena=acquisition][data-state=completed]")
        seen.times["(page of the run, loaded anew)"].append(time.monotonic() - begun)

    def count(path: str) -> None:
        seen.requests += "/api/" in path

    page.on("request", lambda request: count(request.url))
    dice = stay.dice(number)
    await asyncio.sleep(dice.uniform(0, 5))
    while time.monotonic() < stay.until:
        await visit(page, stay.run, stay.parent, seen, dice, pause_s=stay.pause_s)
    await context.close()


async def played_tab(stay: Stay, seen: Seen, *, number: int, login: str) -> None:
    """A visitor of the run without a screen."""
    await asyncio.sleep(number * ARRIVAL_S)
    dice = stay.dice(number)
    async with WireTab(stay.portal, login) as wire:
        tab = PlayedTab(wire, stay.run, stay.parent)
        try:
            async with stay.opened:
                seen.times["(page of the run, loaded anew)"].append(await timed_call(tab.open()))
            before = wire.requests
            await asyncio.sleep(dice.uniform(0, 5))
            while time.monotonic() < stay.until:
                for what, does in ROUND:
                    if time.monotonic() > stay.until:
                        break
                    seen.times[what].append(await timed_call(does(tab, dice)))
                    await asyncio.sleep(stay.pause_s * dice.uniform(0.5, 1.5))
            seen.requests += wire.requests - before
        finally:
            await tab.close()
            seen.errors += [f"{number}: {one}" for one in (*wire.problems, *tab.failures)]


ROUND: tuple[tuple[str, Callable[[PlayedTab, random.Random], Awaitable[None]]], ...] = (
    ("open a micrograph", lambda tab, dice: tab.open_micrograph(dice)),
    ("next micrograph", lambda tab, dice: tab.next_micrograph()),
    ("next micrograph", lambda tab, dice: tab.next_micrograph()),
    ("motion of it", lambda tab, dice: tab.motion()),
    ("back to the run", lambda tab, dice: tab.back()),
    ("up to the step", lambda tab, dice: tab.up()),
    ("down to the run", lambda tab, dice: tab.down()),
)
"""What a visitor does again and again; :func:`visit` does the same in a browser."""


async def timed_call(work: Awaitable[None]) -> float:
    """Seconds that something takes."""
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def nonsense(portal: str, login: str, until: float) -> int:
    """A visitor who asks for what is not there and leaves in the middle; returns how often."""
    asked = 0
    while time.monotonic() < until:
        async with WireTab(portal, login) as wire:
            await wire.open(f"?e=00000000-0000-0000-0000-{asked:012d}&i=x")
            await _told_off(wire)
        asked += 1
        await asyncio.sleep(3)
    return asked


async def _told_off(wire: WireTab) -> None:
    await wire.until(lambda: bool(wire.parts["ErrorPanel"]), what="a page that says what is wrong")


def grow(settings: Settings, run_id: UUID, stop: Event, *, rate: float) -> None:
    """Add an acquisition with results at a pace."""
    player = Player(settings, run_id, size=SIZE)
    try:
        while not stop.wait(3600 / rate):
            player.complete(player.register(1))
    finally:
        player.close()


def process_of(instance: Instance, name: str) -> psutil.Process:
    """The process that serves the API or the portal."""
    for pid in instance.pids:
        process = psutil.Process(pid)
        if name in process.cmdline():
            return process
    raise LookupError(f"no {name}")


class Spent:
    """Processor time by who spends it: the servers, this process (the played tabs), and the rest of the machine."""

    def __init__(self, instance: Instance) -> None:
        self._known = {name: process_of(instance, name) for name in ("portal", "api")}
        self._known["played tabs"] = psutil.Process()
        self._begun = self._now()
        self._since = time.monotonic()

    def _now(self) -> dict[str, float]:
        found = {name: sum(process.cpu_times()[:2]) for name, process in self._known.items()}
        machine_s = psutil.cpu_times()
        # browsers end processes all the time: what those took, only the machine as a whole remembers
        found["browsers, microscope, all else"] = (
            machine_s.user + machine_s.nice + machine_s.system - sum(found.values())
        )
        return found

    def cores(self) -> dict[str, float]:
        """Cores that each has used since the beginning."""
        took = time.monotonic() - self._since
        return {name: (now - self._begun[name]) / took for name, now in self._now().items()}


async def drive(instance: Instance, run: Element, parent: Element, options: argparse.Namespace) -> dict[str, object]:
    """All visitors at once, for some time."""
    real, played, portal = Seen(), Seen(), process_of(instance, "portal")
    logins = [login_of(instance, f"visitor{number}") for number in range(options.tabs)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        # the first visit imports and compiles what all share
        warm = await browser.new_context()
        page = await warm.new_page()
        await page.goto(instance.login)
        await page.goto(f"{instance.portal}/?e={run.id}")
        await page.wait_for_selector("[data-athena=acquisition][data-state=completed]", timeout=PATIENCE_MS)
        await warm.close()
        before, begun = portal.memory_info().rss, time.monotonic()
        until = begun + options.seconds + ARRIVAL_S * options.tabs
        stay = Stay(run, parent, until, options.pause, asyncio.Semaphore(2), instance.portal)
        spent = Spent(instance)
        visits = [
            real_tab(browser, stay, real, number=number, login=login)
            if number < options.screens
            else played_tab(stay, played, number=number, login=login)
            for number, login in enumerate(logins)
        ]
        grown = asyncio.create_task(_most(portal, until))
        results = await asyncio.gather(
            nonsense(instance.portal, instance.login, until), *visits, return_exceptions=True
        )
        largest = await grown
        cores = spent.cores()
        await browser.close()
    failures = [repr(one) for one in results if isinstance(one, BaseException)]
    waits = real.waits + played.waits
    return {
        "tabs": options.tabs,
        "screens": options.screens,
        "seconds": time.monotonic() - begun,
        "interactions": len(waits),
        "median_s": float(np.median(waits)),
        "p95_s": float(np.percentile(waits, 95)),
        "real": real.told if real.waits else None,
        "played": played.told if played.waits else None,
        "mib_per_session": (largest - before) / options.tabs / 2**20,
        "cores": cores,
        "errors": real.errors + played.errors,
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


def main() -> None:
    """Measure, tell, and write the section of docs/performance.md."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tabs", type=int, default=25, help="sessions in all")
    asked.add_argument("--screens", type=int, default=3, help="how many of them are tabs of a real browser")
    asked.add_argument(
        "--seconds", type=float, default=120.0, help=f"of visiting, besides {ARRIVAL_S:.0f} s for each to come in"
    )
    asked.add_argument("--pause", type=float, default=8.0, help="seconds between what a tab does, about")
    asked.add_argument("--rate", type=float, default=600.0, help="acquisitions an hour")
    asked.add_argument("--dry", action="store_true", help="tell only, write nothing")
    options = asked.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    spawned = multiprocessing.get_context("spawn")
    stop = spawned.Event()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home", "api", "portal") as instance:
        run = make_run(instance.client, folder="Live")
        parent = instance.client.get(f"/elements/{run.parent_id}", Element)
        # each visitor is somebody else, who may look
        top = instance.client.get(f"/elements/{run.id}/breadcrumb", list[Crumb])[0]
        instance.client.put(f"/elements/{top.id}/permissions/public", PublicChange(role=Role.VIEWER), Permissions)
        player = Player(instance.settings, run.id, size=SIZE)
        player.attach(message="60 movies found, all whole.")
        player.complete(player.register(60))
        player.close()
        # in a process of its own: in this one, its pictures would keep the played tabs waiting
        growing = spawned.Process(target=grow, args=(instance.settings, run.id, stop), kwargs={"rate": options.rate})
        growing.start()
        try:
            found = asyncio.run(drive(instance, run, parent, options))
        finally:
            stop.set()
            growing.join()
    tell(found, options)


def tell(found: dict[str, Any], options: argparse.Namespace) -> None:
    """Print what was measured, and write it down."""
    print(json.dumps(found, indent=1))
    if options.dry:
        return
    lines = [
        f"{found['tabs']} sessions of as many people on a run that grows by {options.rate:.0f} an hour; each does",
        f"something every {options.pause:.0f} s or so. {found['screens']} are tabs of headless Chromium, from a click",
        "to what it asked for; the others hold the same session and read the same of the API without a screen, until",
        "the answers are there (no drawing). Servers, tabs and microscope share the machine.",
        "Written by `python -m tests.benchmarks.sessions`.",
        "",
        f"{machine()}.",
        "",
        "| what | median | 95 % | bar |",
        "|---|---|---|---|",
        f"| all {found['interactions']} | {found['median_s']:.2f} s | {found['p95_s']:.2f} s | {BAR_S:.0f} s |",
    ]
    for kind, words in (("real", "Chromium"), ("played", "without a screen")):
        if (of := found[kind]) is None:
            continue
        lines.append(f"| {words}, {of['interactions']} | {of['median_s']:.2f} s | {of['p95_s']:.2f} s |  |")
        lines += [f"| {words}: {what} | {one[0]:.2f} s | {one[1]:.2f} s |  |" for what, one in of["by_kind_s"].items()]
        lines.append(f"| {words}: requests of the API for each | {of['requests_per_interaction']:.1f} |  |  |")
    memory = found["mib_per_session"]
    lines.append(f"| memory of the portal for each session | {memory:.1f} MiB |  | {BAR_MIB:.0f} MiB |")
    lines += [f"| cores used: {who} | {cores:.2f} |  |  |" for who, cores in found["cores"].items()]
    wrong = f"{len(found['errors'])} errors and {len(found['failures'])} failures in the sessions"
    lines.append(f"| {wrong} beside {found['nonsense_asked']} visits that asked for nonsense |  |  | 0 |")
    write_section("Many sessions", lines)


if __name__ == "__main__":
    main()
