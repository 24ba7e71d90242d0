"""Bytes of stored files as answers: ranges, entity tags, names that are safe in a header."""

from collections.abc import Iterator
from functools import partial
from typing import Protocol
from urllib.parse import quote

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from athena.server.caching import LIVE, ByteRange, UnsatisfiableRange, is_known, parse_range
from athena.services.files import Content

BYTES: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The bytes of the file."},
    206: {"content": {"application/octet-stream": {}}, "description": "The asked range of them."},
    304: {"description": "The client has them."},
    416: {"description": "No byte of the range exists."},
}
_NO_SCRIPTS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
"""A file is somebody's: a browser that opens it on this origin must not run it."""


class Body(Protocol):
    """Bytes that are there, or made while they are read."""

    def __call__(self, *, start: int, stop: int) -> Iterator[bytes]:
        """Those from ``start`` to ``stop`` (not included)."""
        ...


def content_response(request: Request, content: Content) -> Response:
    """Answer a GET or HEAD with a stored file.

    Raises
    ------
    NotFound : the bytes are missing on the storage.
    Unavailable : the storage does not answer.
    """
    found = content.storage.stat(content.key)
    return body_response(
        request,
        partial(content.storage.stream, content.key),
        size=found.size,
        tag=found.tag,
        name=content.name.rsplit("/", 1)[-1],
        media_type=content.media_type,
    )


def body_response(request: Request, body: Body, *, size: int, tag: str, name: str, media_type: str) -> Response:
    """Answer a GET or HEAD with bytes to be saved under a name, whole or a range of them."""
    tag = f'"{tag}"'
    headers = {
        "ETag": tag,
        "Cache-Control": LIVE,
        "Vary": "Authorization",
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition(name),
        **_NO_SCRIPTS,
    }
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
    try:
        part = parse_range(asked, size)
    except UnsatisfiableRange:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    code = 200 if part is None else 206
    sent = part or ByteRange(0, size)
    headers["Content-Length"] = str(sent.stop - sent.start)
    if request.method == "HEAD":
        return Response(status_code=code, media_type=media_type, headers=headers)
    pieces = body(start=sent.start, stop=sent.stop)
    return StreamingResponse(_closing(pieces), status_code=code, media_type=media_type, headers=headers)


def disposition(name: str) -> str:
    """Content-Disposition that saves under a name (RFC 6266): no character of it can end the header or the quotes."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\%' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _closing(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces, whose file is closed also where the reader goes away."""
    try:
        yield from pieces
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
