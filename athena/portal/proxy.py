"""The API under the portal's own origin: the browser talks to one origin only and never holds a token."""

import asyncio
from collections.abc import Iterable

import httpx
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from athena.contract.base import Problem
from athena.errors import Unavailable
from athena.portal.auth import Door, same_origin

SAFE_METHODS = frozenset({"GET", "HEAD"})
REQUEST_HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Range",
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
)
"""What goes on to the API. Cookies and credentials of the browser never do."""
ANSWER_HEADERS = (
    "Accept-Ranges",
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Location",
    "Retry-After",
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Offset",
    "Vary",
)


class ApiProxy(RequestHandler):
    """``/api/…``: passes a request on with the visitor's token and streams the answer back."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

    def initialize(self, api: httpx.AsyncClient, door: Door) -> None:
        self.api = api
        self.door = door
        self._relaying: asyncio.Task[None] | None = None

    def check_xsrf_cookie(self) -> None:
        """Tornado's own form token is not used: unsafe methods are held to the portal's origin instead."""

    async def get(self, path: str) -> None:
        """Pass it on."""
        self._relaying = asyncio.ensure_future(self._relay(path))
        try:
            await self._relaying
        except asyncio.CancelledError:
            if not self._relaying.cancelled():  # not the browser went, but this process
                raise

    def on_connection_close(self) -> None:
        """The browser went: what it only read, the API need not go on with. What it changes is done to its end."""
        if self._relaying is not None and self.request.method in SAFE_METHODS:
            self._relaying.cancel()

    head = post = put = patch = delete = get

    async def _relay(self, path: str) -> None:
        if self.request.method not in SAFE_METHODS and not same_origin(self):
            self._refuse(403, Problem(code="forbidden", message="This request did not come from the portal."))
            return
        try:
            token = await self.door.token(self)
        except Unavailable as error:
            self._refuse(503, Problem(code=error.code, message=error.message, hint=error.hint))
            return
        if token is None:
            self._refuse(401, Problem(code="unauthorized", message="Not logged in.", hint="Log in to the portal."))
            return
        headers = dict(_picked(self.request.headers.get_all(), REQUEST_HEADERS))
        headers["Authorization"] = f"Bearer {token}"
        # unless told so, httpx would ask for compression that this browser did not offer to undo
        headers.setdefault("Accept-Encoding", "identity")
        # the raw target: decoding and encoding it again would change keys that hold escaped characters
        target = "/api/" + self.request.uri.split("/api/", 1)[1]
        try:
            try:
                await self._pass_on(target, headers)
            except (httpx.ReadError, httpx.RemoteProtocolError):
                # a kept connection may be closed by the API just as it is used again: reading twice harms nothing
                if self._headers_written or self.request.method not in SAFE_METHODS:
                    raise
                await self._pass_on(target, headers)
        except httpx.TransportError:
            if not self._headers_written:
                self._refuse(
                    503,
                    Problem(code="unavailable", message="The API does not answer.", hint="Is `athena api` running?"),
                )
            else:
                # the length was promised already: only a broken connection tells the browser that bytes are missing
                self.request.connection.stream.close()
        except StreamClosedError:
            return

    async def _pass_on(self, target: str, headers: dict[str, str]) -> None:
        method, body = self.request.method or "GET", self.request.body or None
        async with self.api.stream(method, target, headers=headers, content=body) as answer:
            await self._stream(answer)

    async def _stream(self, answer: httpx.Response) -> None:
        self.set_status(answer.status_code)
        self.clear_header("Content-Type")
        for name, value in _picked(answer.headers.items(), ANSWER_HEADERS):
            self.set_header(name, value)
        self._harden()
        if self.request.method == "HEAD" or answer.status_code in (204, 304):
            self.finish()
            return
        async for piece in answer.aiter_raw():
            self.write(piece)
            await self.flush()
        self.finish()

    def _refuse(self, status: int, problem: Problem) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self._harden()
        self.finish(problem.model_dump_json())

    def _harden(self) -> None:
        """Data of users must never run as a page of this origin, whatever type it claims."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")


def _picked(headers: Iterable[tuple[str, str]], names: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    wanted = {name.lower() for name in names}
    return ((name, value) for name, value in headers if name.lower() in wanted)
