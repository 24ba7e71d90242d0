"""A session of whatever kind that is written step by step, and goes on where it stopped."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from athena.errors import Invalid
from athena_pipelines.simulate.containers import Container
from athena_pipelines.simulate.truth import TRUTH_FILE, Parameters

Progress = Callable[[int, int, str], None]
"""Called after each exposure with (exposures there, exposures wanted, name)."""


class StepwiseSession(ABC):
    """Writes a session below ``out``, one exposure after another.

    Parameters
    ----------
    wanted : exposures in all.
    seed : with the same seed and settings, the same movies.
    interval_s : seconds from one exposure to the next; 0 is as fast as it goes.
    container : of the movies.

    Raises
    ------
    Invalid : no session can be written there, or with such a seed.
    """

    def __init__(self, out: Path, *, wanted: int, seed: int, interval_s: float, container: Container) -> None:
        if seed < 0:
            raise Invalid(f"{seed} is no seed.", hint="Give a whole number from 0.")
        if out.exists() and not out.is_dir():
            raise Invalid(f"{out} is a file.", hint="Give a folder to write the session below.")
        self.out = out
        self.wanted = wanted
        self.seed = seed
        self.interval_s = interval_s
        self.container = container

    @property
    def session(self) -> Path:
        """Folder of the session; begun when it is not there yet."""
        return self.prepare()

    @abstractmethod
    def prepare(self) -> Path:
        """Find the session that is to go on, or begin one without exposures; returns its folder.

        Raises
        ------
        Invalid : there is a session that was begun with other settings.
        """

    def run(self, stop: threading.Event | None = None, progress: Progress | None = None) -> Path:
        """Write exposures until there are ``wanted`` of them or ``stop`` is set; returns the session's folder.

        When stopped in the middle of a movie, that movie is taken away; the next run makes it again under its name.
        """
        stop = stop or threading.Event()
        folder = self.prepare()
        due = time.monotonic()
        while not stop.is_set():
            done = self._done()
            if done >= self.wanted or stop.wait(max(0.0, due - time.monotonic())):
                break
            due = time.monotonic() + self.interval_s
            name = self._expose(done, stop)
            if name is not None and progress is not None:
                progress(done + 1, self.wanted, name)
        return folder

    def _find(self, session_file: str) -> Path | None:
        """Folder of the latest session below ``out`` that has a truth and this file; None where there is none."""
        found = [path.parent for path in sorted(self.out.glob(f"*/{TRUTH_FILE}"))]
        return next((folder for folder in reversed(found) if (folder / session_file).exists()), None)

    def _require_same(self, begun: Parameters, folder: Path) -> None:
        """A session goes on only with the settings it began with.

        Raises
        ------
        Invalid : they differ; the settings are named.
        """
        parameters, before = self._parameters(), self._implied() | begun
        differing = sorted(name for name in parameters if before.get(name) != parameters[name])
        if differing:
            raise Invalid(
                f"{folder} was begun with other settings ({', '.join(differing)}).",
                hint="Use the same settings to go on with it, or give an empty folder for a new session.",
            )

    @abstractmethod
    def _parameters(self) -> Parameters:
        """What decides the movies of the session."""

    def _implied(self) -> Parameters:
        """What sessions begun before these settings were written down had instead."""
        return {}

    @abstractmethod
    def _done(self) -> int:
        """How many exposures are there."""

    @abstractmethod
    def _expose(self, index: int, stop: threading.Event) -> str | None:
        """Write one exposure; its name, or None when stopped in the middle."""
