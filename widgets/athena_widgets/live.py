"""Keeps widgets in a notebook current: one long poll per client, one version bump per changed run."""

from threading import Event as Flag
from threading import Lock, Thread
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from athena.errors import AthenaError
from athena_widgets.source import ApiClient

RETRY_S = 5.0
"""Pause after the API did not answer."""


class Versioned(Protocol):
    """A view that pulls anew when its version changes."""

    run_id: str
    version: int

    def __hash__(self) -> int: ...


class Follower:
    """Follows one client's events in a thread as long as there is a view that cares."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._views: WeakSet[Versioned] = WeakSet()
        self._lock = Lock()
        self._running = False
        self._pause = Flag()

    def add(self, view: Versioned) -> None:
        """Keep a view current from now on."""
        with self._lock:
            self._views.add(view)
            if not self._running:
                self._running = True
                Thread(target=self._run, name="athena-widget-events", daemon=True).start()

    def remove(self, view: Versioned) -> None:
        """Leave a view alone; the thread ends after its present wait if that was the last."""
        with self._lock:
            self._views.discard(view)

    def _idle(self) -> bool:
        with self._lock:
            self._running = len(self._views) > 0
            return not self._running

    def _run(self) -> None:
        while not self._idle():
            try:
                self._listen()
            except AthenaError:
                # the instance restarts, say; views show what they have until it is back
                self._pause.wait(RETRY_S)

    def _listen(self) -> None:
        after = self._client.events(-1).last_seq
        # what changed before this number is in what they pull now; what changes after it is told
        self._bump({view.run_id for view in self._listed()})
        for events in self._client.follow(after):
            if self._idle():
                return
            self._bump({str(event.element_id) for event in events if event.element_id is not None})

    def _listed(self) -> list[Versioned]:
        with self._lock:
            return list(self._views)

    def _bump(self, runs: set[str]) -> None:
        """Let the views of these runs pull. What the number is does not matter, only that it grows."""
        for view in self._listed():
            if view.run_id in runs:
                view.version += 1


_followers: WeakKeyDictionary[ApiClient, Follower] = WeakKeyDictionary()


def follower(client: ApiClient) -> Follower:
    """The follower of a client; made on first use."""
    if client not in _followers:
        _followers[client] = Follower(client)
    return _followers[client]
