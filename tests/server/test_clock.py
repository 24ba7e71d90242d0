"""Those who wait for an event are let go when it comes, many of them one after another."""

import asyncio
import time

from athena.contract.events import EventKind
from athena.db.engine import Database
from athena.db.events import append_event
from athena.server.clock import LAST_SECONDS, EventClock


async def _let_go(database: Database, *, after: int, waiting: int) -> list[float]:
    """Seconds from an event until each of those who wait for it goes on."""
    clock = EventClock(database)

    async def wait() -> float:
        assert await clock.wait_past(after, timeout_seconds=20)
        return time.monotonic()

    async with clock.running():
        tasks = [asyncio.create_task(wait()) for _ in range(waiting)]
        await asyncio.sleep(0.5)
        with database.session() as session:
            append_event(session, EventKind.STORAGE_CHANGED)
        begun = time.monotonic()
        return [await task - begun for task in tasks]


def test_one_goes_on_at_once_and_many_one_after_another(database: Database) -> None:
    (alone,) = asyncio.run(_let_go(database, after=0, waiting=1))
    many = asyncio.run(_let_go(database, after=1, waiting=100))
    assert max(many) - min(many) > LAST_SECONDS / 2
    assert max(many) - alone < LAST_SECONDS + 2
