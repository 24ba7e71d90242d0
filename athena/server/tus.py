"""The tus resumable upload protocol, version 1.0.0 (https://tus.io/protocols/resumable-upload): headers and bodies."""

import asyncio
import base64
import binascii
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from email.utils import format_datetime
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Request
from starlette.exceptions import HTTPException

from athena.contract.files import Upload, UploadWanted
from athena.errors import Invalid, TooLarge
from athena.services.uploads import Ticket
from athena.settings import Settings
from athena.storages.partials import ALGORITHMS, Appender

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
CHUNK_TYPE = "application/offset+octet-stream"
UPLOAD_PATHS = re.compile(r".*/api/elements/[^/]+/uploads(/[^/]+)?")
"""Paths of the routes that stream their bodies to the disk."""
STALL_SECONDS = 60.0
"""A sender that is silent for so long has gone; without this its lock would keep its next connection out."""

_BATCH = 1 << 20
_WRITERS = 4
"""Threads that write chunks; they are few and apart from those that answer all other requests."""
_WHOLE = re.compile(r"[0-9]{1,18}")
_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, CapacityLimiter] = WeakKeyDictionary()
T = TypeVar("T")


def check_version(request: Request) -> None:
    """Refuse another version of the protocol with 412, as the protocol wants it."""
    if request.headers.get("tus-resumable") != VERSION:
        raise HTTPException(412, "This address speaks tus 1.0.0.", headers={"Tus-Version": VERSION})


def capabilities(settings: Settings) -> dict[str, str]:
    """Headers that say what this server can do."""
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }
    return headers | ({"Tus-Max-Size": str(settings.max_upload_bytes)} if settings.max_upload_bytes else {})


def standing(upload: Upload | Ticket, *, offset: int) -> dict[str, str]:
    """Headers that say where an upload stands."""
    return {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(offset),
        "Upload-Length": str(upload.size),
        "Upload-Expires": format_datetime(upload.expires, usegmt=True),
        "Cache-Control": "no-store",
    }


def wanted_upload(headers: Mapping[str, str]) -> UploadWanted:
    """What the headers of a creation ask for. Raises Invalid."""
    metadata = _metadata(headers.get("upload-metadata", ""))
    name = metadata.get("filename") or metadata.get("name") or ""
    if not 1 <= len(name) <= 1000:
        raise Invalid("Upload-Metadata has to give the name of the file, as filename.")
    sha256 = metadata.get("sha256", "").lower()
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Invalid("The sha256 in Upload-Metadata is not 64 hexadecimal digits.")
    return UploadWanted(name=name, size=_number(headers, "upload-length"), sha256=sha256)


def has_chunk(request: Request) -> bool:
    """Whether a creation brings its first bytes along."""
    return request.headers.get("content-type") == CHUNK_TYPE


async def receive_chunk(request: Request, ticket: Ticket, *, at: int | None = None) -> int:
    """Write the body of a request to the end of an upload; returns where it stands then.

    Parameters
    ----------
    at : where the chunk begins; None: as its header says.

    Raises
    ------
    Invalid : it is no chunk, or longer than the rest of the file.
    Conflict : the upload stands elsewhere.
    ChecksumMismatch : it arrived other than it was sent; nothing of it was kept.
    """
    if not has_chunk(request):
        raise HTTPException(415, f"A chunk has the type {CHUNK_TYPE}.")
    start = _number(request.headers, "upload-offset") if at is None else at
    algorithm, expected = _checksum(request.headers.get("upload-checksum", ""))
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and start + int(announced) > ticket.size:
        raise _too_long(ticket)
    appender = await _in_thread(partial(ticket.partial.append, start, algorithm=algorithm, expected=expected))
    try:
        await _write_body(request, appender, ticket)
    except BaseException:
        appender.abandon()
        raise
    return await _in_thread(partial(appender.keep))


async def _write_body(request: Request, appender: Appender, ticket: Ticket) -> None:
    """Write batches in a thread while the next one is being received: two batches are all the memory it takes."""
    writing: asyncio.Task[None] | None = None
    received = appender.offset
    try:
        async for batch in _batches(request):
            received += sum(map(len, batch))
            if received > ticket.size:
                raise _too_long(ticket)
            if writing is not None:
                await writing
            writing = asyncio.create_task(_in_thread(partial(appender.write, batch)))
    finally:
        # also when the request is cancelled: the file may not be closed under a thread that writes to it
        if writing is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(asyncio.wait({writing}))
            if writing.done() and not writing.cancelled():
                writing.exception()  # looked at, so that the loop does not complain of it; raised below if it counts
    if writing is not None:
        await writing


async def _batches(request: Request) -> AsyncIterator[list[bytes]]:
    """Pieces of a body, a few together, so that a thread has something to do when it is woken."""
    held: list[bytes] = []
    size = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                piece = await anext(stream)
        except StopAsyncIteration:
            break
        except TimeoutError as problem:
            raise HTTPException(408, "Nothing was received for a minute.") from problem
        held.append(piece)
        size += len(piece)
        if size >= _BATCH:
            yield held
            held = []
            size = 0
    if size:
        yield held


async def _in_thread(work: "partial[T]") -> T:
    # one limiter an event loop: tests run several servers in one process
    loop = asyncio.get_running_loop()
    if loop not in _limiters:
        _limiters[loop] = CapacityLimiter(_WRITERS)
    return await run_sync(work, limiter=_limiters[loop])


def _metadata(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            text = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as problem:
            raise Invalid(f"Upload-Metadata: the value of {key[:40]!r} is not base64 of UTF-8.") from problem
        if key in found:
            raise Invalid(f"Upload-Metadata says {key[:40]!r} twice.")
        found[key] = text
    return found


def _checksum(header: str) -> tuple[str, bytes]:
    if not header:
        return "", b""
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise HTTPException(400, f"Upload-Checksum: known are {', '.join(ALGORITHMS)}.")
    try:
        return algorithm, base64.b64decode(value, validate=True)
    except binascii.Error as problem:
        raise HTTPException(400, "Upload-Checksum is not base64.") from problem


def _number(headers: Mapping[str, str], name: str) -> int:
    value = headers.get(name, "")
    if not _WHOLE.fullmatch(value):
        raise Invalid(f"{name.title()} has to be a number of bytes.")
    return int(value)


def _too_long(ticket: Ticket) -> TooLarge:
    return TooLarge(f"The chunk is longer than what {ticket.name!r} lacks of its {ticket.size} bytes.")
