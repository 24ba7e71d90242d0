"""A tab of the portal without a screen: it speaks Bokeh's protocol and the API's paths as a browser's page does.

What the server sends is taken apart only as far as :mod:`tests.benchmarks.played_tab` needs it: the portal's own
components (``Script`` classes) by name, with their values as they are now. Nothing is laid out, drawn or run.
"""

import asyncio
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

PATIENCE_S = 60.0
LARGEST_MESSAGE = 64 * 2**20


class WireError(Exception):
    """The server refused, said that it failed, or did not send what was waited for."""


@dataclass
class Part:
    """A component of the page: its class, the ids of its two models, and its values."""

    name: str
    model: str
    data: str
    values: dict[str, Any] = field(default_factory=dict)


def plain(value: Any) -> Any:
    """A value of Bokeh's wire format as Python's own; models stay as they are."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "map":
        return {plain(key): plain(one) for key, one in value.get("entries", [])}
    if value.get("type") == "number":
        return float(value["value"])
    return value


def packed(value: Any) -> Any:
    """A value of Python's own in Bokeh's wire format."""
    if isinstance(value, dict):
        return {"type": "map", "entries": [[key, packed(one)] for key, one in value.items()]}
    return [packed(one) for one in value] if isinstance(value, list) else value


def models_in(value: Any) -> Iterator[dict[str, Any]]:
    """Models that are written out within a value."""
    if isinstance(value, list):
        for one in value:
            yield from models_in(one)
    elif isinstance(value, dict):
        if value.get("type") == "object" and "id" in value:
            yield value
        for one in value.values():
            yield from models_in(one)


class WireTab:
    """One session with the portal.

    Parameters
    ----------
    portal : address of the portal.
    login : link that logs in.
    """

    def __init__(self, portal: str, login: str) -> None:
        self._portal = portal
        self._login = login
        self.http = httpx.AsyncClient(base_url=portal, timeout=PATIENCE_S, trust_env=False)
        self.parts: dict[str, list[Part]] = defaultdict(list)
        self.problems: list[str] = []
        self.received = 0
        """Bytes that came over the socket."""
        self.requests = 0
        """Requests of the API that were answered."""
        self._by_data: dict[str, Part] = {}
        self._socket: WebSocketClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._numbers = itertools.count(1)
        self._greeted = self._pulled = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self.http.aclose()

    async def open(self, search: str = "") -> None:
        """Log in and load a page, until the server knows that the page is ready."""
        if not self.http.cookies:
            answer = await self.http.get(self._login)
            if answer.status_code != 303:
                raise WireError(f"log-in was answered with {answer.status_code}")
        page = await self.http.get(f"/{search}")
        found = re.search(r'"token":"([^"]+)"', page.text)
        if found is None:
            raise WireError(f"the page (HTTP {page.status_code}) holds no session")
        address = f"{self._portal.replace('http', 'ws', 1)}/ws"
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        request = HTTPRequest(address, headers={"Cookie": cookies, "Origin": self._portal})
        self._socket = await websocket_connect(
            request, subprotocols=["bokeh", found[1]], max_message_size=LARGEST_MESSAGE
        )
        self._reading = asyncio.create_task(self._read(self._socket))
        await self.until(lambda: self._greeted, what="the server's greeting")
        await self._send("PULL-DOC-REQ", {})
        await self.until(lambda: self._pulled, what="the document")
        await self._tell({"type": "event", "name": "document_ready", "values": {"type": "map"}})

    # ── what a page does ────────────────────────────────────────────────────────────────────────

    def part(self, name: str) -> Part:
        """The newest component of a class."""
        if not self.parts[name]:
            raise WireError(f"the page has no {name}")
        return self.parts[name][-1]

    async def change(self, part: Part, name: str, value: Any) -> None:
        """Set a value of a component, as its script does."""
        part.values[name] = value
        change = {"kind": "ModelChanged", "model": {"id": part.data}, "attr": name, "new": packed(value)}
        await self._send("PATCH-DOC", {"events": [change]})

    async def message(self, part: Part, said: dict[str, Any]) -> None:
        """Send a component's message (``model.send_msg``)."""
        values = {"type": "map", "entries": [["model", {"id": part.model}], ["data", packed(said)]]}
        await self._tell({"type": "event", "name": "data_event", "values": values})

    async def until(self, ready: Callable[[], bool], *, what: str) -> None:
        """Wait until what was received makes a condition true."""

        def over() -> bool:
            return ready() or bool(self.problems)

        try:
            async with asyncio.timeout(PATIENCE_S), self._changed:
                await self._changed.wait_for(over)
        except TimeoutError as error:
            raise WireError(f"did not come within {PATIENCE_S:.0f} s: {what}") from error
        if not ready():
            raise WireError(f"waiting for {what}: {self.problems[-1]}")

    async def wake(self) -> None:
        """Let those who wait look again: something beside the socket's news changed."""
        async with self._changed:
            self._changed.notify_all()

    async def api(self, path: str) -> bytes:
        """What a script reads: ``runs/…`` through the portal."""
        answer = await self.http.get(f"/api/{path}")
        self.requests += 1
        if answer.is_error:
            raise WireError(f"{path}: HTTP {answer.status_code} {answer.text[:200]}")
        return answer.content

    async def json(self, path: str) -> Any:
        """The same, parsed."""
        return json.loads(await self.api(path))

    # ── the protocol ────────────────────────────────────────────────────────────────────────────

    async def _tell(self, event: dict[str, Any]) -> None:
        await self._send(
            "PATCH-DOC", {"events": [{"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}]}
        )

    async def _send(self, kind: str, content: dict[str, Any]) -> None:
        if self._socket is None:
            raise WireError("not open")
        header = {"msgid": str(next(self._numbers)), "msgtype": kind}
        async with self._sending:
            for fragment in (header, {}, content):
                await self._socket.write_message(json.dumps(fragment))

    async def _read(self, socket: WebSocketClientConnection) -> None:
        async def fragment() -> Any:
            text = await socket.read_message()
            if text is None:
                raise EOFError
            self.received += len(text)
            return text

        try:
            while True:
                header = json.loads(await fragment())
                await fragment()
                content = json.loads(await fragment())
                for _ in range(2 * header.get("num_buffers", 0)):
                    await fragment()
                async with self._changed:
                    self._take(header["msgtype"], content)
                    self._changed.notify_all()
        except EOFError:
            async with self._changed:
                self.problems.append("the server closed the session")
                self._changed.notify_all()

    def _take(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "ERROR":
            self.problems.append(str(content.get("text", content)))
        elif kind == "ACK":
            self._greeted = True
        elif kind == "PULL-DOC-REPLY":
            self._meet(content["doc"]["roots"])
            self._pulled = True
        elif kind == "PATCH-DOC":
            for event in content["events"]:
                self._meet(event)
                part = self._by_data.get(event.get("model", {}).get("id", "")) if "model" in event else None
                if part is not None and event["kind"] == "ModelChanged":
                    part.values[event["attr"]] = plain(event["new"])

    def _meet(self, value: Any) -> None:
        """Note the components that are written out in what came."""
        for model in models_in(value):
            told = model.get("attributes", {})
            data = told.get("data")
            if "class_name" in told and isinstance(data, dict) and data.get("type") == "object":
                values = {name: plain(one) for name, one in data.get("attributes", {}).items()}
                part = Part(told["class_name"], model["id"], data["id"], values)
                self.parts[part.name].append(part)
                self._by_data[part.data] = part
