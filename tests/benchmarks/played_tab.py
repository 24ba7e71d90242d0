"""A visitor of a run without a screen: goes where people go, and reads of the API what the widgets of a tab read.

What a browser would ask for is written down here once more (``run_gallery.ts``, ``viewer_loader.ts``,
``motion_traces.ts``, ``tree.js``); :mod:`tests.benchmarks.sessions` tells how many requests these tabs and those of
Chromium make for each thing that is done, so that it is seen where the two part.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from athena.contract.elements import Element
from tests.benchmarks.wire import Part, WireError, WireTab

GALLERY, VIEWER, MOTION = "widgets/run_gallery.js", "widgets/image_viewer.js", "widgets/motion_traces.js"
COLUMNS = (
    "acquired_unix_s",
    "ctf_resolution_angstrom",
    "defocus_um",
    "astigmatism_nm",
    "drift_total_angstrom",
    "drift_direction_deg",
)
FIRST, LIVE_WINDOW, PAGE = 500, 500, 20_000
"""Rows of one request, as in ``run_data.ts``."""
ROWS_IN_SIGHT = 6
PARALLEL = 5
"""Requests of a tab at once: browsers open six connections to a host."""
PAUSE_S = 0.25
"""Between pulls that follow one another, as in ``pulling.ts``."""


@dataclass
class Gallery:
    """What a tab's gallery holds: how many rows it knows, those it has pictures of, and which version that is."""

    part: Part
    total: int = 0
    version: int = -1
    pictured: set[int] = field(default_factory=set)
    completed: list[int] = field(default_factory=list)


class PlayedTab:
    """A tab that is open on a run; :meth:`visit` does one round of what people do."""

    def __init__(self, wire: WireTab, run: Element, parent: Element) -> None:
        self.wire = wire
        self._run = run
        self._parent = parent
        self._gallery: Gallery | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections = asyncio.Semaphore(PARALLEL)
        self._levels: set[str] = set()

    async def close(self) -> None:
        """Stop what still reads."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def failures(self) -> list[str]:
        """What went wrong beside the way."""
        done = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [repr(error) for task in done if (error := task.exception()) is not None]

    # ── where people go ─────────────────────────────────────────────────────────────────────────

    async def open(self) -> None:
        """Load the page of the run anew."""
        await self.wire.open(f"?e={self._run.id}")
        self._aside(self._follow())
        self._aside(self._explore())
        await self._arrive(e=str(self._run.id))
        await self._filled()

    async def open_micrograph(self, dice: random.Random) -> None:
        """Choose one of those in sight; until its first tile is there."""
        gallery = await self._filled()
        index = dice.choice(gallery.completed[-ROWS_IN_SIGHT:])
        await self.wire.message(gallery.part, {"trait": "opened", "value": index})
        await self._arrive(e=str(self._run.id), i=str(index))
        await self._look(index)

    async def next_micrograph(self) -> None:
        """The one after it in the list, or the one before it at its end; until its name is there."""
        values = self.wire.part("MicrographHeader").values
        search = values.get("following") or values["previous"]
        await self._go(search)
        index = int(parse_qs(search[1:])["i"][0])
        self._aside(self._look(index))

    async def motion(self) -> None:
        """Another side of the micrograph; its numbers and traces follow."""
        (search,) = (tab["search"] for tab in self.wire.part("SideTabs").values["tabs"] if tab["name"] == "motion")
        await self._go(search)
        index = int(parse_qs(search[1:])["i"][0])
        self._aside(self._trace(index))

    async def back(self) -> None:
        """Back to the gallery, which was kept."""
        await self._go(self.wire.part("MicrographHeader").values["back"])
        await self._filled()

    async def up(self) -> None:
        """To the step that holds the run, until it is listed."""
        await self._go(f"?e={self._parent.id}")
        self.wire.parts["WidgetFrame"].clear()  # what was shown is gone, and comes anew

    async def down(self) -> None:
        """To the run again; until its rows are there."""
        await self._go(f"?e={self._run.id}")
        await self._filled()

    async def _go(self, search: str) -> None:
        await self.wire.change(self.wire.part("Browser"), "search", search)
        asked = {name: values[0] for name, values in parse_qs(search[1:]).items() if name in ("e", "i", "tab")}
        await self._arrive(**asked)

    async def _arrive(self, **asked: str) -> None:
        """Wait until the breadcrumb ends where one goes: it is set with the page."""

        def there() -> bool:
            crumbs = self.wire.part("Breadcrumb").values.get("crumbs") or [{"search": "?"}]
            here = {name: values[0] for name, values in parse_qs(crumbs[-1]["search"][1:]).items()}
            return all(here.get(name) == value for name, value in asked.items()) and ("i" in here) == ("i" in asked)

        await self.wire.until(there, what=f"the page of {asked}")

    # ── what the widgets read ───────────────────────────────────────────────────────────────────

    def _aside(self, work: Awaitable[None]) -> None:
        self._tasks.add(asyncio.ensure_future(work))

    async def _api(self, *paths: str) -> list[bytes]:
        async def one(path: str) -> bytes:
            async with self._connections:
                return await self.wire.api(path)

        return await asyncio.gather(*(one(path) for path in paths))

    async def _filled(self) -> Gallery:
        """The gallery that is shown, once its first rows are there."""

        def filled() -> bool:
            gallery = self._gallery
            return gallery is not None and gallery.part is self._shown() and bool(gallery.completed)

        await self.wire.until(filled, what="rows of the gallery")
        assert self._gallery is not None
        return self._gallery

    def _shown(self) -> Part | None:
        parts = [part for part in self.wire.parts["WidgetFrame"] if part.values.get("module") == GALLERY]
        return parts[-1] if parts else None

    async def _follow(self) -> None:
        """Keep the gallery that is shown up to date, for as long as the tab is open."""

        def news() -> bool:
            part = self._shown()
            if part is None:
                return False
            known = self._gallery
            return known is None or known.part is not part or part.values["traits"]["version"] != known.version

        while not self.wire.problems:
            try:
                await self.wire.until(news, what="news of the run")
            except WireError:
                continue  # nothing new for a long while is no fault
            part = self._shown()
            assert part is not None
            gallery = self._gallery
            if gallery is None or gallery.part is not part:
                gallery = Gallery(part)
            gallery.version = part.values["traits"]["version"]
            await self._pull(gallery)
            self._gallery = gallery
            await self.wire.wake()
            await asyncio.sleep(PAUSE_S)

    async def _pull(self, gallery: Gallery) -> None:
        """As ``RunData`` pulls, the newest first; then what ``GalleryList`` asks for of the rows in sight."""
        if not gallery.total:
            gallery.total = (await self._table(0, 1))["total"]
            begun = max(0, gallery.total - FIRST)
            gallery.completed = self._completed(await self._table(begun, gallery.total - begun))
            for stop in range(begun, 0, -PAGE):
                await self._table(max(0, stop - PAGE), min(stop, PAGE))
            await self._table(gallery.total, PAGE)
        else:
            table = await self._table(max(0, gallery.total - LIVE_WINDOW), PAGE)
            gallery.total = table["total"]
            gallery.completed = self._completed(table)
        seen = [index for index in gallery.completed[-ROWS_IN_SIGHT:] if index not in gallery.pictured]
        if seen:
            gallery.pictured |= set(seen)
            self._aside(self._picture(seen))

    async def _table(self, start: int, limit: int) -> Any:
        async with self._connections:
            return await self.wire.json(
                f"runs/{self._run.id}/table?columns={','.join(COLUMNS)}&start={start}&limit={limit}"
            )

    @staticmethod
    def _completed(table: Any) -> list[int]:
        return [table["start"] + place for place, state in enumerate(table["states"]) if state == "completed"]

    async def _picture(self, indices: Iterable[int]) -> None:
        run, found = f"runs/{self._run.id}", sorted(indices)
        wanted = ",".join(map(str, found))
        pictures = [f"{run}/acquisitions/{index}/thumbnail.png" for index in found]
        pictures += [f"{run}/acquisitions/{index}/spectrum.png?fit=1" for index in found]
        first, last = found[0], found[-1]
        await self._api(
            f"{run}/curves?indices={wanted}", f"{run}/acquisitions?offset={first}&limit={last - first + 1}", *pictures
        )

    async def _look(self, index: int) -> None:
        """Read what the viewer shows of an image of 1024²: its head, and the tiles of the level that fits."""
        path = f"runs/{self._run.id}/acquisitions/{index}"
        info = await self.wire.json(f"{path}/image.json")
        grey = f"low={info['low']}&high={info['high']}&v={info['content_hash']}"
        whole = f"{path}/tiles/{info['levels'] - 1}/0_0.png?{grey}"
        await self._api(whole)
        level = max(0, info["levels"] - 2)
        width, height = (-(-(info[edge] >> level) // info["tile"]) for edge in ("width", "height"))
        places = [(x, y) for x in range(width) for y in range(height)]
        self._aside(self._rest([f"{path}/tiles/{level}/{x}_{y}.png?{grey}" for x, y in places]))

    async def _rest(self, paths: list[str]) -> None:
        await self._api(*paths)

    async def _trace(self, index: int) -> None:
        run = f"runs/{self._run.id}"
        metrics = "drift_total_angstrom,drift_direction_deg"
        await self._api(
            f"{run}/curves?indices={index}",
            f"{run}/table?columns={metrics}&start={index}&limit=1",
            f"{run}/acquisitions/{index}/image.json",
            f"{run}/acquisitions/{index}/thumbnail.png",
        )

    async def _explore(self) -> None:
        """Open the explorer's levels on the way, as they become known."""
        part = self.wire.part("Explorer")
        while not self.wire.problems:
            way = ["", *part.values.get("way", [])[:-1]]
            for level, held in zip(way, part.values.get("way", []), strict=False):
                if level in self._levels:
                    continue
                self._levels.add(level)
                asked = {"do": "level", "level": level, "holding": held, "epoch": 0, "sort": "", "down": False}
                await self.wire.message(part, asked)
            known = list(part.values.get("way", []))
            with contextlib.suppress(WireError):
                await self.wire.until(lambda known=known: part.values.get("way", []) != known, what="another way")
