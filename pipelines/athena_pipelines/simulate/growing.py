"""A session that grows exposure by exposure, whatever makes its movies, and goes on where it stopped."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from athena.errors import Invalid
from athena_pipelines.simulate.containers import SUFFIXES, Container, write_movie
from athena_pipelines.simulate.epu.grid import Place
from athena_pipelines.simulate.epu.writer import ExposureRecord, SessionWriter
from athena_pipelines.simulate.truth import (
    TRUTH_FILE,
    Current,
    MovieTruth,
    Parameters,
    SessionTruth,
    read_truth,
    write_truth,
)

Progress = Callable[[int, int, str], None]
"""Called after each exposure with (exposures there, exposures wanted, name)."""


@dataclass(frozen=True)
class Made:
    """One exposure ready to be written.

    Attributes
    ----------
    still : (h, w) expected counts a frame, row 0 at the bottom, for the preview.
    frames : the movie, (h, w) uint8 each, row 0 at the bottom; None when the camera fails.
    truth : all that is true of it, but for the name of its movie.
    """

    record: ExposureRecord
    still: NDArray[np.float32]
    frames: Iterator[NDArray[np.uint8]] | None
    truth: MovieTruth


class GrowingSession(ABC):
    """Writes a session below ``out``, an atlas session beside it, and ``truth.json`` into the session.

    Parameters
    ----------
    seed : with the same seed and settings, the same movies.
    interval_s : seconds from one exposure to the next; 0 is as fast as it goes.
    container : of the movies.
    """

    def __init__(self, out: Path, *, movies: int, seed: int, interval_s: float, container: Container = "tiff") -> None:
        self.container = container
        self.out = out
        self.movies = movies
        self.seed = seed
        self.interval_s = interval_s
        self._open: tuple[SessionWriter, SessionTruth] | None = None

    @property
    def session(self) -> Path:
        """Folder of the session; begun when it is not there yet."""
        return self.prepare()

    def prepare(self) -> Path:
        """Find the session that is to go on, or begin one: session, squares and atlas, no exposure yet.

        Raises
        ------
        Invalid : there is a session that was begun with other settings.
        """
        if self._open is None:
            parameters = self._parameters()
            found = sorted(path.parent for path in self.out.glob(f"*/{TRUTH_FILE}"))
            if found:
                truth = read_truth(found[-1])
                _require_same(self._implied() | truth.parameters, parameters, found[-1])
            else:
                truth = self._begin(datetime.now(UTC).astimezone(), parameters)
            writer = self._writer(truth)
            writer.begin()
            write_truth(writer.folder, truth)
            self._open = writer, truth
        return self._open[0].folder

    def run(self, stop: threading.Event | None = None, progress: Progress | None = None) -> Path:
        """Write exposures until there are ``movies`` of them or ``stop`` is set; returns the session's folder.

        When stopped in the middle of a movie, that movie is taken away; the next run makes it again under its name.
        """
        stop = stop or threading.Event()
        folder = self.prepare()
        due = time.monotonic()
        while not stop.is_set():
            done = len(self._state[1].movies)
            if done >= self.movies or stop.wait(max(0.0, due - time.monotonic())):
                break
            due = time.monotonic() + self.interval_s
            name = self._expose(done, stop)
            if name is not None and progress is not None:
                progress(done + 1, self.movies, name)
        return folder

    @abstractmethod
    def _parameters(self) -> Parameters:
        """What decides the movies of the session."""

    def _implied(self) -> Parameters:
        """What sessions begun before these settings were written down had instead."""
        return {}

    @abstractmethod
    def _begin(self, started: datetime, parameters: Parameters) -> SessionTruth:
        """A session without exposures."""

    @abstractmethod
    def _writer(self, truth: SessionTruth) -> SessionWriter:
        """What writes the session's folders and small files."""

    @abstractmethod
    def _make(self, index: int, *, place: Place, acquired: datetime) -> Made:
        """The ``index``-th exposure; depends on the seed and its arguments alone."""

    @property
    def _state(self) -> tuple[SessionWriter, SessionTruth]:
        self.prepare()
        assert self._open is not None
        return self._open

    def _expose(self, index: int, stop: threading.Event) -> str | None:
        """Write one exposure; None when stopped in the middle."""
        writer, truth = self._state
        current = truth.current
        if current is None or current.index != index:
            current = Current(index=index, acquired=datetime.now(UTC).astimezone().replace(microsecond=0))
            truth = truth.model_copy(update={"current": current})
            self._keep(writer, truth)
        made = self._make(index, place=writer.grid.place(index), acquired=current.acquired)
        stem = writer.write_exposure(made.record, still=made.still, seed=self.seed)
        path = stem.with_name(stem.name + SUFFIXES[self.container])
        dose = made.truth.counts_per_px_per_frame * made.truth.frames
        if made.frames is not None and not write_movie(
            path, made.frames, stop, self.container, dose_e_per_px=dose, seed=self.seed + index
        ):
            return None
        movie = None if made.frames is None else path.relative_to(writer.folder).as_posix()
        done = made.truth.model_copy(update={"name": stem.name, "movie": movie})
        self._keep(writer, truth.model_copy(update={"current": None, "movies": (*truth.movies, done)}))
        return stem.name

    def _keep(self, writer: SessionWriter, truth: SessionTruth) -> None:
        write_truth(writer.folder, truth)
        self._open = writer, truth


def _require_same(begun: Parameters, parameters: Parameters, folder: Path) -> None:
    """A session goes on only with the settings it began with."""
    differing = sorted(name for name in parameters if begun.get(name) != parameters[name])
    if differing:
        raise Invalid(
            f"{folder} was begun with other settings ({', '.join(differing)}).",
            hint="Use the same settings to go on with it, or give an empty folder for a new session.",
        )
