"""One long poll of the API's events per user, fanned out to the user's open sessions."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from athena.contract.events import Event, EventPage
from athena.errors import AthenaError

log = logging.getLogger(__name__)

WAIT_SECONDS = 25.0
FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 10.0


class Listener(Protocol):
    """What a session hears. Called in the fan's thread: hand over to the session's own loop at once."""

    def events(self, events: Sequence[Event]) -> None:
        """Something changed."""

    def link(self, up: bool) -> None:
        """The API stopped answering, or answers (again): what is shown may be behind, so pull it once more."""


class EventFan:
    """Polls while anyone listens; its thread ends with the last listener.

    Parameters
    ----------
    poll : ``(after, wait) -> EventPage``; blocks up to ``wait`` seconds; ``after=-1`` only tells where the log stands.
    """

    def __init__(self, poll: Callable[[int, float], EventPage]) -> None:
        self._poll = poll
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.up: bool | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Start to hear; the returned call ends it."""
        with self._lock:
            self._listeners.append(listener)
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(target=self._run, args=(self._stop,), name="portal-events", daemon=True)
                self._thread.start()
        return lambda: self._leave(listener)

    def _leave(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
            if not self._listeners and self._thread is not None:
                self._stop.set()
                self._thread = None

    def _run(self, stop: threading.Event) -> None:
        after, pause, first = -1, FIRST_RETRY_SECONDS, True
        while not stop.is_set():
            begun = time.monotonic()
            try:
                page = self._poll(after, 0.0 if first else WAIT_SECONDS)
            except AthenaError as error:
                log.info("events: %s", error)
                self._set_link(up=False)
                stop.wait(pause)
                pause = min(pause * 2, LAST_RETRY_SECONDS)
                continue
            pause, first = FIRST_RETRY_SECONDS, False
            # where the log stands is remembered over an outage, so that nothing that happened meanwhile is missed
            after = page.last_seq
            self._set_link(up=True)
            if page.events and not stop.is_set():
                self._tell(page.events)
            elif time.monotonic() - begun < FIRST_RETRY_SECONDS / 10:
                # an API that answers empty at once would make this a busy loop
                stop.wait(FIRST_RETRY_SECONDS)

    def _set_link(self, *, up: bool) -> None:
        if up == self.up:
            return
        self.up = up
        for listener in self._snapshot():
            listener.link(up)

    def _tell(self, events: Sequence[Event]) -> None:
        for listener in self._snapshot():
            listener.events(events)

    def _snapshot(self) -> tuple[Listener, ...]:
        with self._lock:
            return tuple(self._listeners)
