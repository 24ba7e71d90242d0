"""An EPU session that grows exposure by exposure, whatever makes its movies, and goes on where it stopped."""

import threading
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.containers import SUFFIXES, Container, write_movie
from athena_pipelines.simulate.epu.grid import Place
from athena_pipelines.simulate.epu.writer import ExposureRecord, SessionWriter
from athena_pipelines.simulate.stepwise import StepwiseSession
from athena_pipelines.simulate.truth import (
    Current,
    MovieTruth,
    Parameters,
    SessionTruth,
    read_truth,
    write_truth,
)


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


class GrowingSession(StepwiseSession):
    """Writes a session below ``out``, an atlas session beside it, and ``truth.json`` into the session.

    Parameters
    ----------
    movies : exposures in all.
    """

    def __init__(self, out: Path, *, movies: int, seed: int, interval_s: float, container: Container = "tiff") -> None:
        super().__init__(out, wanted=movies, seed=seed, interval_s=interval_s, container=container)
        self._open: tuple[SessionWriter, SessionTruth] | None = None

    def prepare(self) -> Path:
        """Find the session that is to go on, or begin one: session, squares and atlas, no exposure yet.

        Raises
        ------
        Invalid : there is a session that was begun with other settings.
        """
        if self._open is None:
            found = self._find("EpuSession.dm")
            if found is not None:
                truth = read_truth(found)
                self._require_same(truth.parameters, found)
            else:
                truth = self._begin(datetime.now(UTC).astimezone(), self._parameters())
            writer = self._writer(truth)
            writer.begin()
            write_truth(writer.folder, truth)
            self._open = writer, truth
        return self._open[0].folder

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

    def _done(self) -> int:
        return len(self._state[1].movies)

    def _expose(self, index: int, stop: threading.Event) -> str | None:
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
