"""Following a run's source: scan the session folder, register what is new, say how it stands."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from athena.contract.acquisitions import DiscoveredSession
from athena.contract.events import EventKind
from athena.contract.runs import SourceState
from athena.db.acquisitions import SourceRow, count_states
from athena.db.base import now
from athena.db.engine import Database
from athena.db.events import append_event
from athena.domain.readable import count
from athena.errors import AthenaError, BadFile
from athena.formats.movies import open_movie
from athena.ingest.adapter import load_adapter
from athena.ingest.delta import SessionDelta
from athena.ingest.registrar import register
from athena.ingest.watcher import FolderBell, MovieWatch, Verdict
from athena.jobs.leases import LeaseLost, SourceLease, hold, release
from athena.services.statuses import follow_acquisitions
from athena.settings import Settings

log = logging.getLogger(__name__)

SCAN_SHARE = 0.25
"""Of its time a follower spends at most this part scanning, so that huge folders on slow storage are not worn out."""
AWAY_SECONDS = 5.0
"""Pause between looks at a folder that is not there."""
SHOWN_PROBLEMS = 50


@dataclass(frozen=True)
class Look:
    """What one round found: the words for the source's row, and how to go on."""

    state: SourceState
    message: str
    problems: tuple[str, ...] = ()
    session_name: str = ""
    pause: float = 0.0


def movie_problem(path: Path) -> str:
    """Why the file is not a whole movie; empty when it is one."""
    try:
        open_movie(path).close()
    except BadFile as error:
        return str(error)
    return ""


class SourceFollower:
    """Follows one leased source on a thread of its own, until stopped, finished or overtaken.

    Parameters
    ----------
    on_registered : told the run whenever acquisitions became ready.
    """

    def __init__(
        self, settings: Settings, database: Database, lease: SourceLease, *, on_registered: Callable[[UUID], None]
    ) -> None:
        self._settings = settings
        self._database = database
        self._on_registered = on_registered
        self.lease = lease
        with database.session(read_only=True) as session:
            row = session.get_one(SourceRow, lease.run_id)
        self._folder = Path(row.path)
        self._follow = row.follow
        self._adapter_name = row.adapter
        self._delta = SessionDelta(stable_seconds=settings.stable_seconds)
        self._movies = MovieWatch(
            settle_seconds=settings.settle_seconds,
            stable_seconds=settings.stable_seconds,
            problem_of=movie_problem,
        )
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"source {lease.run_id}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it still follows."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; the lease stays to be released by :meth:`join`."""
        self._stop.set()
        self._wake.set()

    def cancel(self) -> None:
        """A source is not called off by a job; ending it is all there is."""
        self.stop()

    def join(self) -> None:
        """Wait for the end and give the lease back."""
        self._thread.join()
        with self._database.session() as session:
            release(session, self.lease)

    def _run(self) -> None:
        bell = FolderBell(self._folder, self._wake) if self._follow else None
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                pause = self._round()
                if pause is None:
                    return
                spent = time.monotonic() - started
                self._rest(pause, at_least=spent * (1 / SCAN_SHARE - 1))
        except LeaseLost:
            log.info("source of run %s has been taken over", self.lease.run_id)
        finally:
            if bell is not None:
                bell.close()

    def _rest(self, pause: float, *, at_least: float) -> None:
        """Sleep until the pause is over or the folder stirs, but at least for ``at_least`` seconds."""
        self._stop.wait(at_least)
        if pause > at_least:
            self._wake.wait(pause - at_least)
        self._wake.clear()

    def _round(self) -> float | None:
        """One scan and registration; seconds to the next, None when there is to be no next."""
        try:
            look = self._look()
            self._say(look)
        except OperationalError as error:
            log.warning("source of run %s: the database does not answer, trying again: %s", self.lease.run_id, error)
            return AWAY_SECONDS
        return look.pause if look.state is SourceState.WATCHING or look.state is SourceState.IMPORTING else None

    def _look(self) -> Look:
        open_state = SourceState.WATCHING if self._follow else SourceState.IMPORTING
        if not self._folder.is_dir():
            message = f"The folder {self._folder} is not there (is its storage away?). Athena keeps looking for it."
            return Look(open_state, message, pause=min(AWAY_SECONDS, 5 * self._settings.poll_seconds))
        try:
            adapter = load_adapter(self._adapter_name)
            if not adapter.recognises(self._folder):
                return self._unrecognised(open_state)
            session = adapter.scan(self._folder)
        except AthenaError as error:
            state = open_state if self._follow else SourceState.ERROR
            return Look(state, str(error), pause=AWAY_SECONDS)
        except OSError as error:
            return Look(open_state, f"{self._folder} cannot be read: {error}. Athena tries again.", pause=AWAY_SECONDS)
        except Exception as error:  # an adapter is foreign code; its mistake must not stop the runner
            log.exception("adapter %s failed on %s", self._adapter_name, self._folder)
            reason = f"The {self._adapter_name} adapter failed on {self._folder}: {type(error).__name__}: {error}."
            return Look(open_state, f"{reason} Athena tries again.", pause=AWAY_SECONDS)
        verdict = self._movies.judge(self._delta.movies_to_judge(session))
        self._register(session, verdict)
        return self._describe(session, verdict, open_state)

    def _unrecognised(self, open_state: SourceState) -> Look:
        message = f"{self._folder} holds no {self._adapter_name} session"
        if self._follow:
            return Look(open_state, f"{message} yet. Athena keeps looking.", pause=self._settings.poll_seconds)
        return Look(SourceState.ERROR, f"{message}. Give the session's own folder, then attach it again.")

    def _register(self, session: DiscoveredSession, verdict: Verdict) -> None:
        for batch in self._delta.batches(session, verdict):
            with self._database.session() as transaction:
                self._hold(transaction)
                report = register(
                    transaction, self.lease.run_id, batch.session, batch.whole, broken_movies=batch.broken
                )
            self._delta.done(batch)
            if report.version is not None:
                self._on_registered(self.lease.run_id)

    def _describe(self, session: DiscoveredSession, verdict: Verdict, open_state: SourceState) -> Look:
        exposures, movies = len(session.exposures), sum(e.movie is not None for e in session.exposures)
        pending = len(verdict.waiting) + len(self._delta.without_metadata(session, verdict))
        message = describe_session(exposures, movies)
        problems = (*session.problems, *verdict.broken.values())[:SHOWN_PROBLEMS]
        pause = self._settings.poll_seconds
        if verdict.look_again is not None:
            pause = min(pause, verdict.look_again)
        state = open_state if self._follow or pending else SourceState.COMPLETED
        return Look(state, message, problems, session.name, pause)

    def _hold(self, session: Session) -> SourceRow:
        """Hold the lease, and with it the source; lost too when the run was given another folder meanwhile."""
        hold(session, self.lease)
        row = session.get_one(SourceRow, self.lease.run_id, populate_existing=True)
        if (row.path, row.adapter) != (str(self._folder), self._adapter_name):
            raise LeaseLost(f"the source of run {self.lease.run_id} is now {row.path}")
        return row

    def _say(self, look: Look) -> None:
        """Bring the source's row up to date; an event only when it says something new."""
        with self._database.session() as session:
            row = self._hold(session)
            known = {
                "state": look.state.value,
                "message": look.message,
                "problems": list(look.problems),
                "movies_missing": count_states(session, self.lease.run_id).awaiting_movie,
            }
            changed = {name: value for name, value in known.items() if getattr(row, name) != value}
            for name, value in changed.items():
                setattr(row, name, value)
            row.last_scan = now()
            self._follow = row.follow
            if changed:
                session.flush()
                follow_acquisitions(session, self.lease.run_id)
                append_event(session, EventKind.SOURCE_CHANGED, element_id=self.lease.run_id)


def describe_session(exposures: int, movies: int) -> str:
    """What a scan found, in words."""
    if exposures == 0:
        return "The session holds no exposures yet."
    noun = "exposure" if exposures == 1 else "exposures"
    missing = exposures - movies
    if missing == 0:
        return f"{count(exposures)} {noun}, each with its movie."
    verb = "has" if missing == 1 else "have"
    if movies == 0:
        return f"No movies were found: {count(exposures)} {noun} {verb} metadata only."
    return f"{count(exposures)} {noun}, of which {count(missing)} {verb} metadata only."
