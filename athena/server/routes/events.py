"""What changed: long-polled, never pushed."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from athena.contract.events import EventPage
from athena.server.caller import Caller, CallerDep
from athena.services import events

router = APIRouter(prefix="/events", tags=["events"])

MAX_WAIT_SECONDS = 60.0


@router.get("")
async def list_events(
    caller: CallerDep,
    *,
    after: Annotated[int, Query(ge=-1, le=2**63 - 1, description="Last number the caller knows; -1: only ask for it.")],
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="How long to wait for news, s.")] = 0,
) -> EventPage:
    """Give the events after a number that the caller may see; with ``wait``, as soon as there is one.

    ``last_seq`` also counts events the caller may not see: go on from it.
    """
    clock = caller.server.clock
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    while True:
        page = await run_in_threadpool(_page, caller, after)
        left = deadline - loop.time()
        if after == -1 or page.events or left <= 0 or not await clock.wait_past(page.last_seq, timeout_seconds=left):
            return page
        after = page.last_seq


def _page(caller: Caller, after: int) -> EventPage:
    with caller.reading() as session:
        return events.list_events(session, caller.principal, after)
