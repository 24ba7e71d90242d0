"""A microscope for the chaos test: replays a simulated session into a folder, file by file, as it was written."""

import os
import shutil
import threading
import time
from pathlib import Path

CHUNK = 64 * 1024


class Replay:
    """Writes the files of ``session`` below ``folder`` in the order of their age, ``seconds`` a movie, in pieces.

    A movie grows in place, so that a reader who does not wait for its end sees a truncated file.
    """

    def __init__(self, session: Path, folder: Path, *, seconds: float) -> None:
        self._session = session
        self._folder = folder
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="microscope", daemon=True)

    def __enter__(self) -> "Replay":
        self._folder.mkdir(parents=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        files = sorted((path for path in self._session.rglob("*") if path.is_file()), key=_age)
        for file in files:
            if self._stop.is_set():
                return
            place = self._folder / file.relative_to(self._session)
            place.parent.mkdir(parents=True, exist_ok=True)
            if _is_movie(file):
                self._grow(file, place)
            else:
                partial = self._folder.parent / "partial"
                shutil.copyfile(file, partial)
                partial.rename(place)

    def _grow(self, file: Path, place: Path) -> None:
        started = time.monotonic()
        with file.open("rb") as source, place.open("wb") as target:
            while piece := source.read(CHUNK):
                target.write(piece)
                target.flush()
                os.fsync(target.fileno())
                self._stop.wait(self._seconds * len(piece) / file.stat().st_size / 2)
        self._stop.wait(max(0.0, started + self._seconds - time.monotonic()))


def _is_movie(path: Path) -> bool:
    return path.suffix.lower() in (".tif", ".tiff")


def _age(path: Path) -> tuple[bool, int, str]:
    """The session's own file first; a movie after the metadata of its time."""
    return path.name != "EpuSession.dm", path.stat().st_mtime_ns, path.name
