"""The Python half of the ``comm`` data source: answers a view's requests through the SDK's client."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Protocol
from urllib.parse import quote

from athena.contract.base import Problem
from athena.contract.events import Event, EventPage
from athena.errors import AthenaError, Forbidden
from athena_widgets import messages

BRANCH_SAFE = "-_.!~*'()"
"""What JavaScript's ``encodeURIComponent`` leaves as it is, besides letters and digits."""
WORKERS = 4
"""Requests answered at once for one widget; as many as OpenSeadragon loads tiles."""


class ApiClient(Protocol):
    """What a widget needs of the SDK's client."""

    def get_bytes(self, path: str) -> bytes:
        """Body of ``GET /api/<path>``; raises the classes of ``athena.errors``."""
        ...

    def events(self, after: int = -1) -> EventPage:
        """Events after a number; after −1 only the number to go on from."""
        ...

    def follow(self, after: int = -1) -> Iterator[tuple[Event, ...]]:
        """Events page by page without end; an empty page when a wait ended without news."""
        ...


class Messenger(Protocol):
    """What an anywidget offers for custom messages."""

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send to the browser."""
        ...

    def on_msg(self, callback: Any, remove: bool = False) -> None:
        """Register (or remove) a receiver of ``(widget, content, buffers)``."""
        ...


def allowed_path(run_id: str, branch: str = "") -> re.Pattern[str]:
    """Pattern of the API paths that a view of this run (of a branch of its results) may ask for.

    The browser side of a notebook is not trusted with the user's whole API: a page that got hold of the message
    channel could otherwise read any run the user can.
    """
    number, signed = r"\d{1,9}", r"-?\d{1,12}(?:\.\d{1,12})?(?:e[+-]?\d{1,3})?"
    acquisition = rf"acquisitions/{number}"
    paths = (
        r"",
        r"/table\?columns=[A-Za-z0-9_,]{0,2000}&start=\d{1,9}&limit=\d{1,6}",
        r"/columns\?columns=[A-Za-z0-9_,]{0,2000}&start=\d{1,9}&limit=\d{1,6}",
        r"/verdicts",
        rf"/curves\?indices={number}(?:,{number}){{0,199}}",
        rf"/acquisitions\?offset={number}&limit={number}",
        rf"/{acquisition}",
        rf"/{acquisition}/thumbnail\.png",
        rf"/{acquisition}/spectrum\.png\?fit=[01]",
        rf"/{acquisition}/image\.json",
        rf"/{acquisition}/tiles/\d{{1,2}}/{number}_{number}\.png\?low={signed}&high={signed}&v=[A-Za-z0-9%._-]{{0,200}}",
    )
    # as ``ofBranch`` in source.ts writes it
    which = rf"[?&]branch={re.escape(quote(branch, safe=BRANCH_SAFE))}" if branch else ""
    return re.compile(rf"runs/{re.escape(run_id)}(?:{'|'.join(paths)}){which}")


def allowed_volume_path(volume: str) -> re.Pattern[str]:
    """Pattern of the API paths that a view of a volume (``elements/<id>/files/<id>``) may ask for."""
    named = r"[A-Za-z0-9]{1,100}"
    paths = (
        r"volume\.json(?:\?stack=true)?",
        rf"texture\.bin\?edge=\d{{1,3}}&v={named}(?:&stack=true)?",
        rf"plane\.png\?axis=[zyx]&section=\d{{1,9}}&slab=\d{{1,3}}&v={named}(?:&stack=true)?",
    )
    return re.compile(rf"{re.escape(volume)}/(?:{'|'.join(paths)})")


def _content_type(path: str) -> str:
    if ".png" in path:
        return "image/png"
    return "application/octet-stream" if "/columns?" in path or "/texture.bin" in path else "application/json"


class CommSource:
    """Answers GET messages of one widget, several at once, until it is closed.

    Parameters
    ----------
    widget : the widget whose messages are answered.
    client : where the answers come from.
    allowed : the only paths that may be asked for.
    """

    def __init__(self, widget: Messenger, client: ApiClient, *, allowed: re.Pattern[str]) -> None:
        self._widget = widget
        self._client = client
        self._allowed = allowed
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="athena-widget")
        self._pending: dict[int, Future[None]] = {}
        self._lock = Lock()
        widget.on_msg(self._received)

    def _received(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        kind, request = content.get("kind"), content.get("id")
        if not isinstance(request, int):
            return
        if kind == messages.CANCEL:
            with self._lock:
                pending = self._pending.pop(request, None)
            if pending is not None:
                pending.cancel()
        elif kind == messages.GET:
            with self._lock:
                self._pending[request] = self._pool.submit(self._answer, request, str(content.get("path", "")))

    def _answer(self, request: int, path: str) -> None:
        status, content_type, body = self._fetch(path)
        with self._lock:
            wanted = self._pending.pop(request, None) is not None
        if wanted:
            message = {"kind": messages.ANSWER, "id": request, "status": status, "content_type": content_type}
            self._widget.send(message, [body])

    def _fetch(self, path: str) -> tuple[int, str, bytes]:
        try:
            if not self._allowed.fullmatch(path):
                raise Forbidden("This view may only read what it shows.")
            body = self._client.get_bytes(path)
        except AthenaError as error:
            problem = Problem(code=error.code, message=error.message, hint=error.hint)
            return error.status, "application/json", json.dumps(problem.model_dump()).encode()
        return 200, _content_type(path), body

    def close(self) -> None:
        """Stop answering; what runs is left to end by itself."""
        self._widget.on_msg(self._received, remove=True)
        self._pool.shutdown(wait=False, cancel_futures=True)
