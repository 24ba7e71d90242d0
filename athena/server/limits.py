"""Limits of a request: how large its body may be, how long a page of an answer."""

import re
from typing import Annotated

from fastapi import Query
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from athena.contract.base import Problem
from athena.errors import Invalid
from athena.server.problems import problem_response

MAX_BODY_BYTES = 1 << 20
"""No request of the contract comes near but the chunks of uploads, which go to the disk as they arrive."""
MAX_PAGE = 1000
TOO_LARGE = 413

Offset = Annotated[int, Query(ge=0, le=2**31 - 1, description="How many to leave out at the beginning.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many to give at most.")]


class BodyLimit:
    """ASGI middleware that refuses large bodies with 413, whether or not their length was announced.

    Parameters
    ----------
    unlimited : paths whose routes take a body piece by piece and bound it themselves.
    """

    def __init__(self, app: ASGIApp, *, unlimited: re.Pattern[str], max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._unlimited = unlimited
        self._max_bytes = max_bytes
        self._message = f"The body of a request may be {max_bytes} bytes long at most."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received."""
        if scope["type"] != "http" or self._unlimited.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self._max_bytes:
            answer = problem_response(
                Problem(code=Invalid.code, message=self._message), TOO_LARGE, headers={"Connection": "close"}
            )
            await answer(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                # the one kind of error that FastAPI lets pass while it reads a body
                raise HTTPException(TOO_LARGE, self._message)
            return message

        await self._app(scope, counted, send)
