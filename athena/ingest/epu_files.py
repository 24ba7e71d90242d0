"""What lies in an EPU session folder, by name alone, and what was read of it before.

Names follow formats 1.1 of EPU 2.6 to 3.8; the suffix of movies varies in case and spelling.
"""

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from athena.errors import BadFile

T = TypeVar("T")

_DISC = re.compile(r"Images-Disc\d+$", re.IGNORECASE)
_SQUARE_FOLDER = re.compile(r"GridSquare_(\d+)$")
_SQUARE_IMAGE = re.compile(r"GridSquare_(\d{8}_\d{6})\.(xml|jpg|mrc)$", re.IGNORECASE)
_SQUARE_METADATA = re.compile(r"GridSquare_(\d+)\.dm$")
_HOLE_IMAGE = re.compile(r"FoilHole_(\d+)_(\d{8}_\d{6})\.(xml|jpg|mrc)$", re.IGNORECASE)
_EXPOSURE = re.compile(
    r"(FoilHole_(\d+)_Data_(\d+)_\d+_(\d{8}_\d{6}))(?:\.(xml|jpg|mrc)|_(fractions|eer)\.(tiff?|mrc|eer|xml))$",
    re.IGNORECASE,
)

Stamp = tuple[int, int]
"""(mtime in ns, size): a file with the same stamp is the same file."""


@dataclass(frozen=True)
class Entry:
    """A file and its stamp."""

    path: str
    stamp: Stamp


@dataclass
class ImageFiles:
    """XML, jpg and mrc of one image; ``taken`` is the time in its name."""

    taken: str = ""
    xml: Entry | None = None
    jpg: Entry | None = None
    mrc: Entry | None = None


@dataclass
class ExposureFiles(ImageFiles):
    """All files of one exposure."""

    hole_id: int = 0
    area_id: int = 0
    square_id: int | None = None
    movie: Entry | None = None
    fractions: Entry | None = None


@dataclass
class SessionFiles:
    """All files of a session that matter. Of images taken again only the newest is kept.

    Attributes
    ----------
    square_metadata : ``Metadata/GridSquare_<id>.dm`` by square.
    squares, holes : newest image by id. ``hole_square`` says in which square a hole lies.
    exposures : by stem, unique in the session.
    """

    session: Entry | None = None
    square_metadata: dict[int, Entry] = field(default_factory=dict)
    squares: dict[int, ImageFiles] = field(default_factory=dict)
    holes: dict[int, ImageFiles] = field(default_factory=dict)
    hole_square: dict[int, int] = field(default_factory=dict)
    exposures: dict[str, ExposureFiles] = field(default_factory=dict)
    gains: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_session(self) -> bool:
        """Whether there is anything of EPU in the folder."""
        return bool(self.session or self.square_metadata or self.squares or self.exposures)


def list_session(path: Path) -> SessionFiles:
    """List a session folder; also a loose folder of exposures, as offloaded or exported ones are.

    Folders that cannot be listed are named in ``problems``.
    """
    found = SessionFiles()
    for entry in _scan(path, found):
        name = entry.name
        if name == "EpuSession.dm":
            found.session = _entry(entry)
        elif _is_gain(name):
            found.gains.append(entry.path)
        elif name == "Metadata" and entry.is_dir():
            _list_metadata(Path(entry.path), found)
        elif _DISC.match(name) and entry.is_dir():
            _list_disc(Path(entry.path), found)
        else:
            _take_exposure(entry, None, found)
    return found


def _list_metadata(path: Path, found: SessionFiles) -> None:
    for entry in _scan(path, found):
        match = _SQUARE_METADATA.match(entry.name)
        if match and (known := _entry(entry)):
            found.square_metadata[int(match.group(1))] = known


def _list_disc(path: Path, found: SessionFiles) -> None:
    for folder in _scan(path, found):
        match = _SQUARE_FOLDER.match(folder.name)
        if not match or not folder.is_dir():
            continue
        square_id = int(match.group(1))
        for entry in _scan(Path(folder.path), found):
            if entry.name == "FoilHoles":
                _list_holes(Path(entry.path), square_id, found)
            elif entry.name == "Data":
                for data in _scan(Path(entry.path), found):
                    _take_exposure(data, square_id, found)
            elif image := _SQUARE_IMAGE.match(entry.name):
                _take_newest(entry, found.squares, square_id, image.group(1), image.group(2))


def _list_holes(path: Path, square_id: int, found: SessionFiles) -> None:
    for entry in _scan(path, found):
        if image := _HOLE_IMAGE.match(entry.name):
            hole_id = int(image.group(1))
            found.hole_square[hole_id] = square_id
            _take_newest(entry, found.holes, hole_id, image.group(2), image.group(3))


def _take_newest(entry: os.DirEntry[str], images: dict[int, ImageFiles], key: int, taken: str, suffix: str) -> None:
    known = images.get(key)
    if known is None or taken > known.taken:
        known = images[key] = ImageFiles(taken)
    if taken == known.taken:
        setattr(known, suffix.lower(), _entry(entry))


def _take_exposure(entry: os.DirEntry[str], square_id: int | None, found: SessionFiles) -> None:
    match = _EXPOSURE.match(entry.name)
    if not match:
        return
    stem, hole, area, taken, suffix, _, movie_suffix = match.groups()
    files = found.exposures.get(stem)
    if files is None:
        files = found.exposures[stem] = ExposureFiles(taken=taken, hole_id=int(hole), area_id=int(area))
    files.square_id = square_id if square_id is not None else files.square_id
    if square_id is not None:
        found.hole_square.setdefault(files.hole_id, square_id)
    known = _entry(entry)
    if suffix:
        setattr(files, suffix.lower(), known)
    elif movie_suffix.lower() == "xml":
        files.fractions = known
    else:
        files.movie = known


def _scan(path: Path, found: SessionFiles) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            yield from entries
    except OSError as error:
        found.problems.append(f"{path} cannot be listed: {error.strerror or error}. Check the folder and its rights.")


def _entry(entry: os.DirEntry[str]) -> Entry | None:
    """None when the file went away in between."""
    try:
        status = entry.stat()
    except OSError:
        return None
    return Entry(entry.path, (status.st_mtime_ns, status.st_size))


def _is_gain(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(".gain") or ("gain" in lower and lower.endswith((".mrc", ".tif", ".tiff", ".dm4")))


class ReadMemory:
    """What files held when they were last read, by path and stamp; the least recently used are forgotten.

    A file that could not be read is remembered too, with its reason, until it changes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[object, Any]] = OrderedDict()

    def get(self, key: str, state: object, make: Callable[[], T]) -> T:
        """What ``make`` returned for this key and state, or raised as BadFile."""
        with self._lock:
            held = self._held.get(key)
            if held is not None and held[0] == state:
                self._held.move_to_end(key)
                if isinstance(held[1], BadFile):
                    raise held[1]
                value: T = held[1]
                return value
        try:
            value = make()
        except BadFile as error:
            self._keep(key, state, error)
            raise
        self._keep(key, state, value)
        return value

    def _keep(self, key: str, state: object, value: object) -> None:
        with self._lock:
            self._held[key] = (state, value)
            self._held.move_to_end(key)
            while len(self._held) > self._limit:
                self._held.popitem(last=False)
