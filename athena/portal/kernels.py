"""Executing the notebooks of reports on the portal's machine: one at a time for each user, few at a time for all.

A notebook starts a kernel of its own, which takes a core for some seconds and about 300 MB: as many as people click for
would take the machine from those who process.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from athena.errors import Conflict, Unavailable

AT_ONCE = 2
KEPT = 8
"""Notebooks remembered, of some hundred kB each: its other forms need no second kernel."""

Key = tuple[object, ...]


class ReportKernels:
    """Counts what is being executed, and remembers the last results. For all sessions of the process.

    Parameters
    ----------
    at_once : notebooks executed at the same time, for all users.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._done: dict[Key, bytes] = {}

    def executed(self, user: str, key: Key, execute: Callable[[], bytes]) -> bytes:
        """What ``execute`` gives, or gave before for the same user and key; it runs in the caller's thread.

        Raises
        ------
        Conflict : a notebook of this user is being executed.
        Unavailable : as many are being executed as may be at once.
        """
        whole = (user, *key)
        with self._lock:
            known = self._done.get(whole)
        if known is not None:
            return known
        with self._taken(user):
            made = execute()
        with self._lock:
            while len(self._done) >= KEPT:
                del self._done[next(iter(self._done))]
            self._done[whole] = made
        return made

    @contextmanager
    def _taken(self, user: str) -> Iterator[None]:
        with self._lock:
            if user in self._busy:
                raise Conflict(
                    "A notebook of yours is being executed already.",
                    hint="Ask again when it is there: in some seconds.",
                )
            if len(self._busy) >= self._at_once:
                raise Unavailable(
                    f"{len(self._busy)} notebooks are being executed, as many as the portal does at once.",
                    hint="Ask again in half a minute, or save the page as PDF, which takes no kernel.",
                )
            self._busy.add(user)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(user)
