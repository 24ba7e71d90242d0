"""Replay of a session folder: its files appear again in the order and at the pace in which they were taken.

The time of a file is the one in its name (copying changes the file system's) or, of a tilt's movie, the one that an
mdoc gives it; the mdoc itself and the stack it describes come after the last of its images. Files without a time,
such as ``EpuSession.dm``, come first. Movies grow in place, as a camera writes them. The atlas session that lies beside
it was there before, and is copied beside the new one.
"""

import re
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PureWindowsPath

from athena.errors import BadFile, Invalid
from athena.formats.epu_xml_session import read_session
from athena.formats.mdoc import read_mdoc

_TAKEN = re.compile(r"_(\d{8}_\d{6})(?=[_.])")
_MOVIE = re.compile(r"_(fractions|eer)\.(tiff?|mrc|eer)$", re.IGNORECASE)
_PIECES = 20


@dataclass(frozen=True)
class ReplayedFile:
    """A file, and when it appears: seconds after the first. A movie grows."""

    path: Path
    after_s: float
    movie: bool = False


def schedule(session: Path) -> tuple[ReplayedFile, ...]:
    """All files of a session in the order of their times; within a second movies come late, ends of series last."""
    paths = [path for path in sorted(session.rglob("*")) if path.is_file()]
    of_series = _times_of_series(paths)
    dated: list[tuple[datetime, int, Path]] = []
    undated: list[Path] = []
    for path in paths:
        taken, rank = of_series.get(path) or (_time_in(path.name), int(bool(_MOVIE.search(path.name))))
        if taken is None:
            undated.append(path)
        else:
            dated.append((taken, rank, path))
    dated.sort()
    begin = dated[0][0] if dated else datetime.min
    timed = [ReplayedFile(path, (taken - begin).total_seconds(), rank == 1) for taken, rank, path in dated]
    return (*(ReplayedFile(path, 0.0) for path in undated), *timed)


def paced(files: Sequence[ReplayedFile], interval_s: float) -> tuple[ReplayedFile, ...]:
    """The same files with one movie every ``interval_s`` seconds; what came between two movies comes with the later."""
    timed, movies = [], 0
    for file in files:
        timed.append(replace(file, after_s=movies * interval_s))
        movies += file.movie
    return tuple(timed)


def _times_of_series(paths: Sequence[Path]) -> dict[Path, tuple[datetime | None, int]]:
    """Time and rank (1 a movie, 2 the end of a series) of files that mdocs among them tell of.

    Movies lie beside their mdoc, or else anywhere. An mdoc that cannot be read, or knows no times, is a file like any
    other.
    """
    there = set(paths)
    by_name: dict[str, list[Path]] = {}
    for path in paths:
        by_name.setdefault(path.name, []).append(path)
    found: dict[Path, tuple[datetime | None, int]] = {}
    for path in paths:
        if path.suffix != ".mdoc":
            continue
        try:
            mdoc = read_mdoc(path)
        except BadFile:
            continue
        last: datetime | None = None
        for section in mdoc.sections:
            taken = _time_in(section.frames_name) or section.acquired
            if taken is None:
                continue
            last = taken if last is None else max(last, taken)
            beside = path.parent / section.frames_name
            for movie in [beside] if beside in there else by_name.get(section.frames_name, ()):
                found[movie] = taken, 1
        if last is not None:
            stack = path.parent / PureWindowsPath(mdoc.header.text("ImageFile")).name
            for whole in (path, stack):
                found.setdefault(whole, (last, 2))
    return found


def _time_in(name: str) -> datetime | None:
    """The last time in a file's name; None where there is none."""
    found = _TAKEN.findall(name)
    try:
        return datetime.strptime(found[-1], "%Y%m%d_%H%M%S")
    except (IndexError, ValueError):
        return None


def replay_session(
    session: Path,
    out: Path,
    *,
    speed: float = 1.0,
    interval_s: float | None = None,
    longest_pause_s: float = 60.0,
    movie_s: float = 2.0,
    stop: threading.Event | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Path:
    """Write a session's files below ``out`` again as they were taken; returns the new session's folder.

    Parameters
    ----------
    speed : times faster than it was.
    interval_s : seconds from one movie to the next instead of the session's own pace; ``speed`` then says nothing.
    longest_pause_s : pauses (of the replay) are cut to this.
    movie_s : seconds over which a movie grows.
    progress : called after each file with (files there, files in all, name).

    Files that are there already are passed over, so that a replay that was stopped goes on; a movie that was cut
    short by the stop is written again.

    Raises
    ------
    Invalid : there is nothing to replay, or no speed to do it at.
    """
    stop = stop or threading.Event()
    files = schedule(session) if session.is_dir() else ()
    if not files or speed <= 0:
        raise Invalid(f"{session} cannot be replayed at {speed} times its pace.", hint="Give a session's folder.")
    if interval_s is not None:
        files, speed = paced(files, interval_s), 1.0
    target = out / session.name
    copy_atlas(session, out)
    due, last = time.monotonic(), 0.0
    for number, file in enumerate(files, start=1):
        place = target / file.path.relative_to(session)
        pause = min((file.after_s - last) / speed, longest_pause_s)
        last = file.after_s
        if place.exists() and place.stat().st_size == file.path.stat().st_size:
            continue
        due += pause
        if stop.wait(max(0.0, due - time.monotonic())):
            break
        place.parent.mkdir(parents=True, exist_ok=True)
        if not file.movie:
            shutil.copyfile(file.path, place)
        elif not _grow(file.path, place, movie_s, stop):
            break
        due = max(due, time.monotonic() - longest_pause_s)
        if progress is not None:
            progress(number, len(files), place.name)
    return target


def copy_atlas(session: Path, out: Path) -> Path | None:
    """Copy the atlas that the session names, where it lies beside the session, to the same place below ``out``.

    Returns the copied folder; None where there is no atlas to copy.
    """
    sample = find_sample(session)
    if sample is None:
        return None
    atlas_session = sample.parent
    target = out / atlas_session.relative_to(session.parent)
    for path in (*(path for path in atlas_session.iterdir() if path.is_file()), *sample.rglob("*")):
        place = target / path.relative_to(atlas_session)
        if path.is_file() and not (place.exists() and place.stat().st_size == path.stat().st_size):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    return target


def find_sample(session: Path) -> Path | None:
    """Folder ``<atlas session>/Sample<n>`` with the atlas a session names, beside the session or one folder below."""
    try:
        named = read_session(session / "EpuSession.dm").atlas_path
    except BadFile:
        # a folder may be replayed that holds no session, or half of one
        return None
    parts = [part for part in named.replace("\\", "/").split("/") if part]
    if len(parts) < 4 or ".." in parts:
        return None
    for beside in (session.parent, *sorted(entry for entry in session.parent.iterdir() if entry.is_dir())):
        if beside != session and beside.joinpath(*parts[-4:]).is_file():
            return beside.joinpath(*parts[-4:-2])
    return None


def _grow(source: Path, place: Path, seconds: float, stop: threading.Event) -> bool:
    """Write a movie piece by piece; False, and nothing left of it, when stopped before its end."""
    size = source.stat().st_size
    complete = False
    try:
        with source.open("rb") as reader, place.open("wb") as writer:
            while piece := reader.read(max(1, size // _PIECES)):
                writer.write(piece)
                writer.flush()
                if stop.wait(seconds * len(piece) / size):
                    return False
        complete = True
    finally:
        if not complete:
            place.unlink()
    return complete
