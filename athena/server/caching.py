"""Conditional and partial answers: entity tags, If-None-Match, single byte ranges (RFC 9110, sections 8.8, 13, 14)."""

import errno
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from athena.errors import NotFound

LIVE = "private, no-cache"
"""May be kept, but must be asked about: a run's data change under the same address."""
IMMUTABLE = "private, max-age=31536000, immutable"
"""The address names the content (``?v=<hash>``)."""

_PIECE = 1 << 20
_IN_MEMORY = 4 << 20
"""Bodies up to this are read at once; larger ones are streamed piece by piece."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class ByteRange:
    """Bytes ``start`` to ``stop`` (not included) of a body."""

    start: int
    stop: int


class UnsatisfiableRange(Exception):
    """The asked range lies outside the body."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Range of a header for a body of ``size`` bytes; None: the whole (also for forms this server does not give).

    Raises
    ------
    UnsatisfiableRange : no byte of the range exists.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        if not length:
            raise UnsatisfiableRange
        return ByteRange(size - length, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise UnsatisfiableRange
    return ByteRange(start, min(int(last) + 1, size) if last else size)


def content_tag(content: bytes) -> str:
    """Entity tag of a body that is at hand."""
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the client already has the body with this tag (If-None-Match)."""
    asked = request.headers.get("if-none-match", "")
    known = {item.strip().removeprefix("W/") for item in asked.split(",")}
    return tag in known or "*" in known


def content_response(request: Request, content: bytes, *, media_type: str, cache_control: str = LIVE) -> Response:
    """Answer with a body made in memory, or 304 when the client has it."""
    headers = {"ETag": (tag := content_tag(content)), "Cache-Control": cache_control, "Vary": "Authorization"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def cache_control(version: str | None) -> str:
    """How long an answer may be kept: for good where its address names the content."""
    return IMMUTABLE if version else LIVE


def file_response(request: Request, path: Path) -> Response:
    """Answer a GET or HEAD with a file's bytes, whole or a range, never encoded.

    The tag, the length and the bytes come from one open file, so a writer that renames a new one over it tears nothing.

    Raises
    ------
    NotFound : there is no such file.
    """
    try:
        stream = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFound("There is nothing under this key.") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise NotFound("There is nothing under this key.") from error
    status = os.fstat(stream.fileno())
    tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"'
    headers = {"ETag": tag, "Cache-Control": LIVE, "Vary": "Authorization", "Accept-Ranges": "bytes"}
    if is_known(request, tag):
        stream.close()
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
    try:
        part = parse_range(asked, status.st_size)
    except UnsatisfiableRange:
        stream.close()
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{status.st_size}"})
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{status.st_size}"
    code = 200 if part is None else 206
    return _body(request, stream, part or ByteRange(0, status.st_size), code=code, headers=headers)


def _body(request: Request, stream: BinaryIO, part: ByteRange, *, code: int, headers: dict[str, str]) -> Response:
    kind = "application/octet-stream"
    length = part.stop - part.start
    if request.method == "HEAD":
        stream.close()
        return Response(status_code=code, media_type=kind, headers={**headers, "Content-Length": str(length)})
    stream.seek(part.start)
    if length <= _IN_MEMORY:
        with stream:
            return Response(stream.read(length), status_code=code, media_type=kind, headers=headers)
    headers["Content-Length"] = str(length)
    return StreamingResponse(_pieces(stream, length), status_code=code, media_type=kind, headers=headers)


def _pieces(stream: BinaryIO, length: int) -> Iterator[bytes]:
    with stream:
        while length > 0 and (piece := stream.read(min(_PIECE, length))):
            length -= len(piece)
            yield piece
