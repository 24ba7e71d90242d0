"""Waiting for the next event: one watcher a process that reads the event clock while somebody waits.

The database is asked, not the process: an event may come from the runner or from another API process.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from athena.db.engine import Database
from athena.db.events import last_seq

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.15
"""How often the clock is read while somebody waits."""
RETRY_SECONDS = 1.0
APART_SECONDS = 0.04
"""Those who wait for the same event are let go so far apart on average: each of them reads what changed at once."""
LAST_SECONDS = 1.0
"""However many wait, the last is let go after this."""


class EventClock:
    """Newest event number, and a way to wait until it moves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._moved = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._waiting = 0
        self._crowd = 1
        self._seq = 0
        self._closed = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block lasts."""
        watcher = asyncio.create_task(self._watch(), name="event clock")
        try:
            yield
        finally:
            await self.close()
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    async def close(self) -> None:
        """Let everybody who waits go, now and from now on: the server is stopping."""
        self._closed = True
        async with self._moved:
            self._moved.notify_all()

    @property
    def closed(self) -> bool:
        """Whether the server is stopping."""
        return self._closed

    async def wait_past(self, seq: int, *, timeout_seconds: float) -> bool:
        """Wait until an event after ``seq`` is there; False when the time is over or the server stops.

        Of many who wait each is let go at a moment of its own, so that whoever asks for something else meanwhile does
        not stand behind all of them.
        """
        self._waiting += 1
        self._wanted.set()
        try:
            async with asyncio.timeout(timeout_seconds), self._moved:
                await self._moved.wait_for(lambda: self._closed or self._seq > seq)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._wanted.clear()
        if not self._closed:
            await asyncio.sleep(random.uniform(0, min(LAST_SECONDS, APART_SECONDS * (self._crowd - 1))))
        return not self._closed

    async def _watch(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                seq = await run_in_threadpool(self._read)
            except SQLAlchemyError as error:
                # A database that restarts must not end the watcher; those who wait run into their own deadline.
                logger.warning("the event clock cannot be read: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if seq != self._seq:
                self._seq, self._crowd = seq, self._waiting
                async with self._moved:
                    self._moved.notify_all()
            await asyncio.sleep(TICK_SECONDS)

    def _read(self) -> int:
        with self._database.session(read_only=True) as session:
            return last_seq(session)
