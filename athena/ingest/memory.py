"""What was seen of a session folder before, so that looking again every second costs little.

Folders are listed again when their time changed; in between only their young files are looked at, for those may still
grow. Files are read again when their time or size changed.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from athena.errors import BadFile

T = TypeVar("T")

SETTLE_SECONDS = 2.0
"""A folder's time is trusted once it has stood still this long: file systems count time in coarse steps."""
RELIST_SECONDS = 30.0
"""A folder is listed again after this long whatever its time says: an old file may have been written over in place."""
YOUNG_SECONDS = 600.0
"""Files this much older than the newest in their folder are taken as finished between two listings."""


@dataclass(frozen=True)
class Entry:
    """A file; one with the same time (ns) and size is the same file."""

    path: str
    mtime_ns: int
    size: int


@dataclass(frozen=True)
class Folder:
    """A folder as it was at one moment.

    Attributes
    ----------
    files, folders : by name. ``derived`` keeps what callers made of exactly these files.
    """

    files: dict[str, Entry]
    folders: dict[str, str]
    mtime_ns: int
    since: float
    listed: float
    derived: dict[object, Any] = field(default_factory=dict, compare=False)

    def make(self, kind: object, maker: Callable[["Folder"], T]) -> T:
        """What ``maker`` makes of the files, made once."""
        if kind not in self.derived:
            self.derived[kind] = maker(self)
        made: T = self.derived[kind]
        return made


class _Recent(Generic[T]):
    """Values by key; the least recently used go when there are too many. Safe between threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str) -> T | None:
        with self._lock:
            value = self._held.get(key)
            if value is not None:
                self._held.move_to_end(key)
            return value

    def put(self, key: str, value: T) -> None:
        with self._lock:
            self._held[key] = value
            self._held.move_to_end(key)
            while len(self._held) > self._limit:
                self._held.popitem(last=False)


class FolderMemory:
    """Listings of folders.

    Parameters
    ----------
    limit : folders remembered.
    clock : monotonic seconds.
    """

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._recent: _Recent[Folder] = _Recent(limit)
        self._clock = clock

    def look(self, path: str) -> Folder:
        """The folder as it is now; the same object as before when nothing changed.

        Raises
        ------
        OSError : it cannot be listed.
        """
        mtime_ns = os.stat(path).st_mtime_ns  # noqa: PTH116 - a Path a folder a second is what this avoids
        now = self._clock()
        known = self._recent.get(path)
        if known is not None and known.mtime_ns == mtime_ns:
            settled = known.listed - known.since >= SETTLE_SECONDS
            if settled and now - known.listed < RELIST_SECONDS and not self._has_grown(known):
                return known
        fresh = self._list(path, mtime_ns, now, known)
        self._recent.put(path, fresh)
        return fresh

    def _list(self, path: str, mtime_ns: int, now: float, known: Folder | None) -> Folder:
        files: dict[str, Entry] = {}
        folders: dict[str, str] = {}
        with os.scandir(path) as entries:
            for entry in entries:
                try:
                    if entry.is_dir():
                        folders[entry.name] = entry.path
                        continue
                    status = entry.stat()
                except OSError:
                    # gone in between, or a link to nowhere
                    continue
                files[entry.name] = Entry(entry.path, status.st_mtime_ns, status.st_size)
        same_time = known is not None and known.mtime_ns == mtime_ns
        since = known.since if known is not None and same_time else now
        same = known is not None and known.files == files and known.folders == folders
        derived = known.derived if known is not None and same else {}
        return Folder(known.files if known is not None and same else files, folders, mtime_ns, since, now, derived)

    @staticmethod
    def _has_grown(folder: Folder) -> bool:
        """Whether a young file is not as it was."""
        young = folder.make("young", _young)
        for entry in young:
            try:
                status = os.stat(entry.path)  # noqa: PTH116
            except OSError:
                return True
            if status.st_mtime_ns != entry.mtime_ns or status.st_size != entry.size:
                return True
        return False


class ReadMemory:
    """What files held when they were last read. A file that could not be read is remembered too, with its reason.

    Parameters
    ----------
    limit : files remembered.
    """

    def __init__(self, limit: int) -> None:
        self._recent: _Recent[tuple[object, Any]] = _Recent(limit)

    def get(self, key: str, state: object, make: Callable[[], T]) -> T:
        """What ``make`` returned for this key and state, or raised as BadFile."""
        held = self._recent.get(key)
        if held is not None and held[0] == state:
            if isinstance(held[1], BadFile):
                raise held[1]
            value: T = held[1]
            return value
        try:
            value = make()
        except BadFile as error:
            self._recent.put(key, (state, error))
            raise
        self._recent.put(key, (state, value))
        return value


def _young(folder: Folder) -> tuple[Entry, ...]:
    newest = max((entry.mtime_ns for entry in folder.files.values()), default=0)
    return tuple(entry for entry in folder.files.values() if newest - entry.mtime_ns <= YOUNG_SECONDS * 1e9)
