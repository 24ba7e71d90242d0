"""The API under the portal's origin: what the browser left is not gone on with."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from athena.portal.proxy import ApiProxy

PATIENCE_S = 10.0


class OpenDoor:
    """Lets everybody in."""

    async def token(self, _handler: object) -> str:
        """A token."""
        return "token"


async def behind(ask: Callable[[str], Awaitable[None]]) -> dict[str, bool]:
    """Ask a portal whose API never answers; what happened to the request at the API."""
    seen = {"begun": asyncio.Event(), "left": asyncio.Event()}

    serving: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        seen["begun"].set()
        while await reader.read(1000):
            pass
        seen["left"].set()

    api = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = api.sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
        given = {"api": client, "door": OpenDoor()}
        portal = HTTPServer(Application([(r"/api/(.*)", ApiProxy, given)]))
        sockets = bind_sockets(0, "127.0.0.1")
        portal.add_sockets(sockets)
        asking = asyncio.ensure_future(ask(f"http://127.0.0.1:{sockets[0].getsockname()[1]}"))
        await asyncio.wait_for(seen["begun"].wait(), PATIENCE_S)
        asking.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(seen["left"].wait(), PATIENCE_S / 4)
        portal.stop()
        await portal.close_all_connections()
        left = {name: one.is_set() for name, one in seen.items()}
    for writer in serving:
        writer.close()
        await writer.wait_closed()
    api.close()
    return left


@pytest.mark.feature("WS-07")
@pytest.mark.parametrize(("method", "left"), [("GET", True), ("POST", False)])
def test_what_only_reads_ends_with_its_browser(method: str, left: bool) -> None:
    async def ask(url: str) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE_S) as browser:
            headers = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
            await browser.request(method, f"{url}/api/elements", headers=headers)

    seen = asyncio.run(behind(ask))
    assert seen["left"] is left
