"""Long work of a request, which ends when the client goes."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from athena.services.file_images import Unwanted, Wish

T = TypeVar("T")
CLIENT_GONE = 499
"""Nobody reads this answer; logs of servers know the number."""


async def while_wanted(request: Request, work: Callable[[Wish], T]) -> T:
    """Do work in a thread; where the client goes meanwhile, its wish ends and the work with it."""
    wish = Wish()
    watching = asyncio.create_task(_watch(request, wish))
    try:
        return await run_in_threadpool(work, wish)
    except Unwanted as gone:
        raise HTTPException(CLIENT_GONE, "The client went before the answer was made.") from gone
    finally:
        watching.cancel()


async def _watch(request: Request, wish: Wish) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    wish.end()
