"""Which movies of a session are whole, and when to look again.

Polling is the truth: every verdict rests on looking at the file itself. File-system events only wake the poller.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import watch

log = logging.getLogger(__name__)

OLD_SECONDS = 60.0
"""A file this old when first seen counts as having stood still since: clocks of file servers differ by less."""
TAIL_BYTES = 4096
PATIENCE = 5
"""After PATIENCE × stable_seconds a still file that cannot be parsed is given up if a later movie is whole."""
LONG_PATIENCE = 15
"""As PATIENCE, when no later movie is whole."""
EVENT_BATCH_MS = 100
FOLDER_CHECK_MS = 5000


@dataclass(frozen=True)
class Verdict:
    """What one look at a set of movies told.

    Attributes
    ----------
    whole : finished movies, each with the seconds it has stood still.
    broken : movies given up, each with the reason.
    waiting : movies that may still be being written.
    look_again : seconds after which a waiting movie may become whole; None when none waits.
    """

    whole: dict[str, float] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    look_again: float | None = None


@dataclass
class _Seen:
    """A file as it was last seen, since when, and what its content told (None: not asked yet)."""

    size: int
    mtime_ns: int
    since: float
    problem: str | None = None
    asked_at: float = 0.0


class MovieWatch:
    """Judges movies by looking at them again and again.

    A movie is whole when its container parses to its end and its size and time have stood still: for
    ``settle_seconds`` if its last bytes have been written, else for ``stable_seconds``. The distinction is for copies
    by tools that set the final size first: there the end of the file reads as zeros until the copy is complete.

    Parameters
    ----------
    problem_of : says why a file is not a whole movie; empty when it is one.
    clock : monotonic seconds.
    wall : seconds since the epoch, to tell old files from new ones.
    """

    def __init__(
        self,
        *,
        settle_seconds: float,
        stable_seconds: float,
        problem_of: Callable[[Path], str],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settle = settle_seconds
        self._stable = stable_seconds
        self._problem_of = problem_of
        self._clock = clock
        self._wall = wall
        self._seen: dict[str, _Seen] = {}

    def judge(self, movies: Iterable[str]) -> Verdict:
        """Look at each movie once; the ones not named are forgotten."""
        moment, wall = self._clock(), self._wall()
        seen: dict[str, _Seen] = {}
        for movie in movies:
            entry = self._look(movie, moment)
            if entry is not None:
                seen[movie] = entry
        self._seen = seen

        whole: dict[str, float] = {}
        unfinished: dict[str, float] = {}
        look_again: list[float] = []
        for movie, entry in seen.items():
            still = self._still(entry, moment, wall)
            wait = self._wait(Path(movie), entry, still)
            if wait is None:
                whole[movie] = still
            else:
                unfinished[movie] = still
                look_again.append(wait)
        newest_whole = max((seen[movie].mtime_ns for movie in whole), default=-1)
        broken = {
            movie: seen[movie].problem or "it is not complete"
            for movie, still in unfinished.items()
            if self._given_up(seen[movie], still, newest_whole)
        }
        waiting = frozenset(unfinished.keys() - broken.keys())
        return Verdict(whole, broken, waiting, min(look_again) if waiting else None)

    def _look(self, movie: str, moment: float) -> _Seen | None:
        try:
            status = Path(movie).stat()
        except OSError:  # gone since the scan, or the storage is away: the next scan tells
            return None
        known = self._seen.get(movie)
        if known is not None and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return known
        return _Seen(status.st_size, status.st_mtime_ns, moment)

    def _still(self, entry: _Seen, moment: float, wall: float) -> float:
        age = wall - entry.mtime_ns / 1e9
        watched = moment - entry.since
        return max(watched, age) if age > OLD_SECONDS else watched

    def _wait(self, path: Path, entry: _Seen, still: float) -> float | None:
        """Seconds until the movie may be whole; None when it is."""
        if still < self._settle:
            return self._settle - still
        if still < self._stable and not _end_is_written(path):
            return min(self._settle, self._stable - still)
        pause = max(self._stable, self._settle)
        unknown = entry.problem is None
        # asked again now and then: some storages show data late without touching size or time
        if unknown or (entry.problem and still - entry.asked_at >= pause):
            entry.problem = self._problem_of(path)
            entry.asked_at = still
        return pause if entry.problem else None

    def _given_up(self, entry: _Seen, still: float, newest_whole_ns: int) -> bool:
        if not entry.problem:
            return False
        patience = PATIENCE if newest_whole_ns > entry.mtime_ns else LONG_PATIENCE
        return still >= patience * self._stable


def _end_is_written(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            return any(file.read(TAIL_BYTES))
    except OSError:
        return False


class FolderBell:
    """Rings ``wake`` when something changes below ``folder``; a hint that may be late, doubled or missing.

    Where the system has no events for the folder (network storage, too many folders) it stays silent.
    """

    def __init__(self, folder: Path, wake: threading.Event) -> None:
        self._folder = folder
        self._wake = wake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"bell {folder.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except (OSError, RuntimeError) as error:  # watchfiles raises RuntimeError where inotify fails
                log.debug("no file-system events for %s: %s", self._folder, error)
            self._stop.wait(FOLDER_CHECK_MS / 1000)

    def _listen(self) -> None:
        """Listen until the folder is another one than at the start (unmounted, made anew)."""
        identity = _identity(self._folder)
        if identity is None:
            return
        changes = watch(
            self._folder,
            watch_filter=None,
            debounce=EVENT_BATCH_MS,
            step=EVENT_BATCH_MS // 4,
            stop_event=self._stop,
            rust_timeout=FOLDER_CHECK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for change in changes:
            if change:
                self._wake.set()
            elif _identity(self._folder) != identity:
                return


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
