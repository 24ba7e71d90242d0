"""A session at a microscope's pace with a portal page open: ``python -m tests.benchmarks.live``.

Movies of full size close one by one at a rate; an instance of its own, with its usual settings and two workers,
registers, processes and shows them; a page in headless Chromium has the run open. Told are the backlog (movies that are
closed and not done), the time from a closed movie to its card, and what a movie costs. Movies are few and come again.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from athena.contract.acquisitions import Acquisition
from athena.contract.runs import Run, SourceCreate
from athena.settings import Settings
from athena_pipelines.simulate.microscope import Microscope
from athena_pipelines.simulate.replay import replay_session
from athena_pipelines.simulate.session import EpuSimulator
from tests.benchmarks.report import machine, write_section
from tests.browser.instance import Instance, make_run
from tests.setup_machine import CHROMIUM_ARGUMENTS, chromium

LOOK_S = 0.25
"""How often cards and counts are looked at; times to a card are as exact."""
PATIENCE_S = 300.0
BAR = 3


@dataclass
class Watched:
    """What was seen, clock times in s.

    Attributes
    ----------
    closed, carded : by the name of the movie, when it was closed and when its card showed its results.
    backlog : (time, movies that were closed and not done).
    """

    closed: dict[str, float] = field(default_factory=dict)
    carded: dict[str, float] = field(default_factory=dict)
    backlog: list[tuple[float, int]] = field(default_factory=list)

    def latencies(self) -> np.ndarray:
        """Seconds from closed to card, of those whose card was seen."""
        return np.array([self.carded[name] - self.closed[name] for name in self.carded if name in self.closed])


def make_session(folder: Path, *, movies: int, distinct: int, size: int, frames: int) -> Path:
    """A session whose exposures are of small movies, each then replaced by one of a few of full size."""
    microscope = Microscope(counts_per_px=0.72, pixel_size_angstrom=0.8)
    full = EpuSimulator(
        folder / "full", movies=distinct, size=(size, size), frames=frames, interval_s=0, microscope=microscope
    )
    small = EpuSimulator(
        folder / "session", movies=movies, size=(256, 256), frames=frames, interval_s=0, microscope=microscope
    )
    found = [made.run(threading.Event()) for made in (full, small)]
    sources = sorted(found[0].rglob("*_fractions.tiff"))
    for number, movie in enumerate(sorted(found[1].rglob("*_fractions.tiff"))):
        movie.unlink()
        movie.hardlink_to(sources[number % len(sources)])
    return found[1]


def seconds_of(processes: list[psutil.Process]) -> float:
    """CPU seconds of processes, of those they have started, and of those that have ended."""
    total = 0.0
    for root in processes:
        for one in (root, *root.children(recursive=True)):
            try:
                used = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += used.user + used.system + used.children_user + used.children_system
    return total


def look(page: Page, instance: Instance, run: Run, watched: Watched, names: dict[int, str]) -> int:
    """Note cards and backlog; returns how many are done."""
    done = page.locator("[data-athena=acquisition][data-state=completed]")
    shown = done.evaluate_all("cards => cards.map(card => Number(card.dataset.index))")
    now = time.time()
    counts = instance.client.get(f"/runs/{run.element.id}", Run).counts
    finished = counts.completed + counts.error
    watched.backlog.append((now, len(watched.closed) - finished))
    for index in shown:
        if index not in names:
            about = instance.client.get(f"/runs/{run.element.id}/acquisitions/{index}", Acquisition)
            names[index] = f"{about.name}_fractions.tiff"
        watched.carded.setdefault(names[index], now)
    return finished


def watch(
    instance: Instance, session: Path, out: Path, *, movies: int, rate: float
) -> tuple[Watched, dict[str, float]]:
    """Replay the session and watch it until all is done; also CPU seconds by who used them."""
    watched, names, stop = Watched(), {}, threading.Event()
    element = make_run(instance.client, folder="Live")
    run = instance.client.get(f"/runs/{element.id}", Run)

    def closed(_there: int, _all: int, name: str) -> None:
        if name.endswith("_fractions.tiff"):
            watched.closed[name] = time.time()

    target = out / session.name
    target.mkdir(parents=True)
    shutil.copy(session / "EpuSession.dm", target)
    instance.client.put(f"/runs/{element.id}/source", SourceCreate(path=str(target)), Run)
    microscope = threading.Thread(
        target=replay_session,
        args=(session, out),
        kwargs={"interval_s": 3600 / rate, "movie_s": min(2.0, 1800 / rate), "stop": stop, "progress": closed},
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(instance.login)
        page.wait_for_selector("[data-athena=live][data-link=up]", timeout=120_000)
        page.goto(f"{instance.portal}/?e={element.id}")
        page.wait_for_selector("[data-athena=empty]", timeout=120_000)
        server = [psutil.Process(pid) for pid in instance.pids]
        own = psutil.Process()
        at_server, at_all = seconds_of(server), seconds_of([own])
        microscope.start()
        deadline = time.monotonic() + movies * 3600 / rate + PATIENCE_S
        while look(page, instance, run, watched, names) < movies:
            if time.monotonic() > deadline:
                stop.set()
                break
            page.wait_for_timeout(1000 * LOOK_S)
        page.wait_for_timeout(2000)
        look(page, instance, run, watched, names)
        used = seconds_of(server) - at_server
        costs = {"instance": used, "browser": seconds_of([own]) - at_all - used}
        browser.close()
    microscope.join()
    return watched, costs


def main() -> None:
    """Measure, tell, and write the section of docs/performance.md."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--movies", type=int, default=100)
    asked.add_argument("--rate", type=float, default=600.0, help="movies an hour")
    asked.add_argument("--distinct", type=int, default=4, help="different movies")
    asked.add_argument("--size", type=int, default=4096)
    asked.add_argument("--frames", type=int, default=40)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--dry", action="store_true", help="tell only, write nothing")
    options = asked.parse_args()
    # told to end, it ends the instance it has started too
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        session = make_session(
            place, movies=options.movies, distinct=options.distinct, size=options.size, frames=options.frames
        )
        instance = Instance(place / "home")
        usual = {name: Settings.model_fields[name].default for name in ("stable_seconds", "poll_seconds")}
        instance.settings = instance.settings.model_copy(update={**usual, "workers": options.workers})
        try:
            for name in ("api", "portal", "runner"):
                instance.start(name)
            watched, costs = watch(instance, session, place / "microscope", movies=options.movies, rate=options.rate)
        finally:
            instance.close()
    if len(watched.carded) < options.movies:
        sys.exit(
            f"only {len(watched.carded)} of {options.movies} cards came within {PATIENCE_S:.0f} s of the last movie"
        )
    tell(watched, costs, options)


def tell(watched: Watched, costs: dict[str, float], options: argparse.Namespace) -> None:
    """Print what was measured, and write it down."""
    backlog, took = np.array([count for _, count in watched.backlog]), watched.latencies()
    found = {
        "movies": options.movies,
        "rate_per_h": options.rate,
        "backlog_max": int(backlog.max()),
        "backlog_mean": float(backlog.mean()),
        "cards_seen": len(took),
        "latency_median_s": float(np.median(took)),
        "latency_95_s": float(np.percentile(took, 95)),
        "core_s_per_movie": costs["instance"] / options.movies,
        "browser_core_s_per_movie": costs["browser"] / options.movies,
    }
    print(json.dumps(found, indent=1))
    if options.dry:
        return
    write_section(
        "Live",
        [
            f"{options.movies} movies of {options.size}² px and {options.frames} frames, replayed at "
            f"{options.rate:.0f} an hour, {options.workers} workers, a portal page",
            "open in headless Chromium on the same machine. Written by `python -m tests.benchmarks.live`.",
            "",
            f"{machine()}.",
            "",
            "| what | measured | bar |",
            "|---|---|---|",
            f"| backlog (movies closed and not done), largest | {found['backlog_max']} | {BAR} |",
            f"| backlog, mean | {found['backlog_mean']:.1f} |  |",
            f"| from closed movie to card, median | {found['latency_median_s']:.1f} s |  |",
            f"| from closed movie to card, 95 % | {found['latency_95_s']:.1f} s |  |",
            f"| core-s a movie, the whole instance | {found['core_s_per_movie']:.1f} |  |",
            f"| core-s a movie, browser and replay | {found['browser_core_s_per_movie']:.1f} |  |",
        ],
    )


if __name__ == "__main__":
    main()
