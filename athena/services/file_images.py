"""Files that hold images, section by section: what there is, and tiles of it at any zoom (WS-06, WS-07)."""

import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from athena.contract.files import FileImageInfo
from athena.errors import NotFound, TooLarge
from athena.formats.sections import Extent, Whole, read_extent, read_section, read_whole
from athena.services.files import Content
from athena.storages.keys import safe_name
from athena.zarrio import layout
from athena.zarrio.pyramid import WINDOW_SIGMAS, halve

KEPT_BYTES = 384 << 20
"""Sections that stay decoded, so that panning, zooming and a change of contrast read nothing."""
MAX_FETCHED_BYTES = 2 << 30
"""A file that lies on no file system of this machine is fetched whole to be decoded; a larger one is not."""


@dataclass(frozen=True)
class Section:
    """A section at full size and smaller, top row first, with its grey values; ``whole``: all of them as one."""

    extent: Extent
    number: int
    whole: Whole | None
    levels: tuple[NDArray[np.float32], ...]
    mean: float
    sigma: float

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return sum(level.nbytes for level in self.levels)


_Key = tuple[UUID, str, int | None, Whole | None]


class Sections:
    """Decoded sections, the latest ones; each is decoded by one thread while others that want it wait."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._lock = Lock()
        self._kept: OrderedDict[_Key, Section] = OrderedDict()
        self._reading: dict[_Key, Lock] = {}

    def get(
        self, file_id: UUID, content: Content, axis: str, section: int | None, whole: Whole | None = None
    ) -> Section:
        """A section of a file, or all of them put together. Raises BadFile, Invalid, TooLarge, NotFound."""
        key = (file_id, axis, None if whole else section, whole)
        with self._lock:
            reading = self._reading.setdefault(key, Lock())
        with reading:
            try:
                with self._lock:
                    found = self._kept.get(key)
                    if found is not None:
                        self._kept.move_to_end(key)
                        return found
                made = _decode(content, axis, section, whole)
                with self._lock:
                    # under its number, by which its tiles are asked for, also where the middle one was wanted
                    self._kept[(file_id, axis, None if whole else made.number, whole)] = made
                    while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._limit:
                        self._kept.popitem(last=False)
                return made
            finally:
                with self._lock:
                    self._reading.pop(key, None)


def image_info(file_id: UUID, axis: str, section: Section) -> FileImageInfo:
    """What a tiled viewer needs to know of a section."""
    full, extent = section.levels[0], section.extent
    spread = WINDOW_SIGMAS * section.sigma
    return FileImageInfo(
        width=full.shape[1],
        height=full.shape[0],
        tile=layout.TILE,
        levels=len(section.levels),
        pixel_size_angstrom=extent.pixel_size_angstrom,
        low=section.mean - spread,
        high=section.mean + spread,
        content_hash=f"{file_id.hex}{axis}{section.whole or section.number}",
        section=section.number,
        whole=section.whole or "",
        axes=extent.axes,
        counts=extent.counts,
    )


def tile_of(section: Section, level: int, x: int, y: int) -> NDArray[np.float32]:
    """Tile counted from the top left; level 0 is full size. Raises NotFound."""
    left, top = x * layout.TILE, y * layout.TILE
    if level < len(section.levels):
        image = section.levels[level]
        if top < image.shape[0] and left < image.shape[1]:
            return image[top : top + layout.TILE, left : left + layout.TILE]
    raise NotFound(f"There is no tile {x}_{y} at level {level}.")


def _decode(content: Content, axis: str, section: int | None, whole: Whole | None) -> Section:
    with _named(content) as path:
        extent = read_extent(path)
        number = extent.check(axis, section)
        image = read_whole(path, axis, whole) if whole else read_section(path, axis, number)
    np.nan_to_num(image, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    levels = [image]
    while max(levels[-1].shape) > layout.PYRAMID_MIN:
        levels.append(halve(levels[-1]))
    mean, sigma = float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64))
    return Section(extent, number, whole, tuple(levels), mean, sigma)


@contextmanager
def _named(content: Content) -> Iterator[Path]:
    """The file under its own name, so that what is said of it names it; fetched where it lies elsewhere."""
    with tempfile.TemporaryDirectory(prefix="athena-file-") as folder:
        path = Path(folder) / safe_name(content.name.rsplit("/", 1)[-1])
        here = content.storage.path(content.key)
        content.storage.stat(content.key)  # NotFound, in words, where the bytes are missing
        if here is not None:
            path.symlink_to(here.resolve())
        else:
            _fetch(content, path)
        yield path


def _fetch(content: Content, path: Path) -> None:
    room = shutil.disk_usage(path.parent).free
    if content.size > min(MAX_FETCHED_BYTES, room // 2):
        raise TooLarge(
            f"{path.name} has {content.size} bytes and lies on another machine: too much to be shown from there.",
            hint="Download it to open it elsewhere.",
        )
    with path.open("wb") as file:
        for piece in content.storage.stream(content.key):
            file.write(piece)
