"""Uploads from this machine by the tus protocol: in chunks with checksums, several at once, resumed by themselves."""

import base64
import hashlib
import os
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from athena.contract import files as wire
from athena.errors import AthenaError, Busy, ChecksumMismatch, Conflict, Invalid, NotFound, Unavailable
from athena.sdk.client import Client
from athena.sdk.handing_over import hand_over
from athena.sdk.progress import Advance, byte_bar
from athena.sdk.saving import Waiting, hash_of, sha256_of
from athena.storages.keys import check_name

CHUNK = 32 << 20
"""Bytes sent at once, held in memory; what a broken connection costs at most."""
AT_ONCE = 4
_PIECE = 256 << 10
_TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True)
class Source:
    """A file on this machine and the name it gets."""

    path: Path
    name: str
    size: int


def find_sources(paths: str | Path | Iterable[str | Path]) -> list[Source]:
    """Files named, and all files of the folders named, which then carry the folder's name.

    Raises
    ------
    Invalid : a path is not there, a name cannot be stored, or two files would get one name.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found = [source for path in given for source in _sources(Path(path).expanduser())]
    names: dict[str, Path] = {}
    for source in found:
        if source.name in names:
            raise Invalid(f"{source.path} and {names[source.name]} would both be named {source.name!r}.")
        names[source.name] = source.path
    return found


def upload(client: Client, element_id: UUID, sources: Sequence[Source], *, progress: bool) -> tuple[wire.File, ...]:
    """Upload files to an element, up to four at once; gives them in order.

    What is there already with the same content is left as it is; what an earlier call has sent of a file is not sent
    again. Where some fail the others are finished first, then the first failure is raised.
    """
    here = f"/api/elements/{element_id}/uploads"
    begun = {(one.name, one.size): one for one in client.get(here, tuple[wire.Upload, ...])}
    total = sum(source.size for source in sources)
    label = sources[0].name if len(sources) == 1 else f"{len(sources)} files"
    with byte_bar(total, label, shown=progress) as advance, ThreadPoolExecutor(AT_ONCE) as pool:
        senders = [_Sender(client, element_id, source, advance) for source in sources]
        ending = [pool.submit(sender.run, begun.get((sender.source.name, sender.source.size))) for sender in senders]
        try:
            failures = [problem for one in ending if (problem := one.exception()) is not None]
        except BaseException:  # Ctrl-C: what was sent stays, and the next call goes on from there
            for sender in senders:
                sender.stopped = True
            pool.shutdown(cancel_futures=True)
            raise
    if failures:
        raise failures[0]
    return tuple(one.result() for one in ending)


class _Sender:
    """Sends one file."""

    def __init__(self, client: Client, element_id: UUID, source: Source, advance: Advance) -> None:
        self.source = source
        self.stopped = False
        self._client = client
        self._here = f"/api/elements/{element_id}"
        self._advance = advance
        self._counted = 0

    def run(self, begun: wire.Upload | None) -> wire.File:
        """Send, or go on with an upload that was begun; verified by the SHA-256 of the whole."""
        known = self._already_there()
        if known is not None:
            self._count_to(self.source.size)
            return known
        upload_id, resumed = (begun.id, True) if begun is not None else (self._begin(), False)
        handed_over = hand_over(self._client, f"{self._here}/uploads/{upload_id}", self.source.path, self._progressed)
        if handed_over is not None:
            return handed_over
        sha256 = self._send_all(upload_id)
        file = self._client.get(f"{self._here}/files/{upload_id}", wire.File)
        if file.sha256 == sha256:
            return file
        self._client.send("DELETE", f"{self._here}/files/{upload_id}", headers={})
        if resumed:  # the file has changed since it was begun
            self._count_to(0)
            return self.run(None)
        raise Conflict(f"{self.source.path} arrived with another SHA-256.", hint="Was it written to meanwhile?")

    def _already_there(self) -> wire.File | None:
        """File of this name, if it is the same; Conflict if it is another."""
        page = self._client.get(f"{self._here}/files", wire.FilePage, params={"name": self.source.name, "limit": 1})
        if not page.items:
            return None
        (file,) = page.items
        if file.size == self.source.size and file.sha256 == sha256_of(self.source.path):
            return file
        raise Conflict(
            f"There is another file {self.source.name!r} already.", hint="Delete or rename it first, or rename yours."
        )

    def _begin(self) -> UUID:
        name = base64.b64encode(self.source.name.encode()).decode()
        headers = {**_TUS, "Upload-Length": str(self.source.size), "Upload-Metadata": f"filename {name}"}
        answer = self._client.send("POST", f"{self._here}/uploads", headers=headers)
        return UUID(answer["location"].rsplit("/", 1)[-1])

    def _send_all(self, upload_id: UUID) -> str:
        """Send what is missing, whatever happens on the way; SHA-256 of the file on this machine."""
        place = f"{self._here}/uploads/{upload_id}"
        waiting, last = Waiting(), None
        hashed, digest = 0, hashlib.sha256()
        while True:
            try:
                offset = int(self._client.send("HEAD", place, headers=_TUS)["upload-offset"])
            except (Unavailable, Busy) as problem:
                waiting.go_on(problem)
                continue
            except NotFound as problem:
                raise last or problem from None  # what ended it says more than that it has ended
            if offset != hashed:
                hashed, digest = offset, hash_of(self.source.path, stop=offset)
            self._count_to(offset)
            try:
                with closing(self._prepared(offset, digest)) as chunks:
                    for chunk in chunks:
                        headers = _chunk_headers(hashed, chunk)
                        self._client.send("PATCH", place, headers=headers, content=_pieces(chunk.content))
                        hashed, digest = hashed + len(chunk.content), chunk.digest
                        self._count_to(hashed)
                return digest.hexdigest()
            except (Unavailable, Conflict, ChecksumMismatch) as problem:
                last = problem
                waiting.go_on(problem, progressed=hashed > offset)

    def _prepared(self, offset: int, digest: "hashlib._Hash") -> Generator["_Chunk", None, None]:
        """Chunks with their checksums; each is read and hashed while the one before is being sent."""
        chunks = self._chunks(offset)

        def prepare(before: "hashlib._Hash") -> _Chunk | None:
            content = next(chunks, None)
            if content is None:
                return None
            grown = before.copy()
            grown.update(content)
            return _Chunk(content, zlib.crc32(content), grown)

        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(prepare, digest)
            while (chunk := coming.result()) is not None:
                coming = pool.submit(prepare, chunk.digest)
                yield chunk

    def _chunks(self, offset: int) -> Iterator[bytes]:
        with self.source.path.open("rb") as file:
            file.seek(offset)
            left = self.source.size - offset
            while left and (chunk := file.read(min(CHUNK, left))):
                if self.stopped:
                    raise AthenaError(f"The upload of {self.source.path} was stopped.")
                left -= len(chunk)
                yield chunk
        if left:
            raise Invalid(f"{self.source.path} has become shorter while it was sent.")

    def _progressed(self, done: int) -> None:
        if self.stopped:
            raise AthenaError(f"The upload of {self.source.path} was stopped.")
        self._count_to(done)

    def _count_to(self, done: int) -> None:
        self._advance(done - self._counted)
        self._counted = done


@dataclass(frozen=True)
class _Chunk:
    """Bytes to send, their CRC-32, and the SHA-256 of the file up to their end."""

    content: bytes
    crc32: int
    digest: "hashlib._Hash"


def _chunk_headers(offset: int, chunk: _Chunk) -> dict[str, str]:
    checksum = base64.b64encode(chunk.crc32.to_bytes(4, "big")).decode()
    return {
        **_TUS,
        "Content-Type": "application/offset+octet-stream",
        "Content-Length": str(len(chunk.content)),
        "Upload-Offset": str(offset),
        "Upload-Checksum": f"crc32 {checksum}",
    }


def _pieces(chunk: bytes) -> Iterator[bytes]:
    """Chunk in small pieces: what sends them copies the rest of a large one again for each part the socket takes."""
    for start in range(0, len(chunk), _PIECE):
        yield chunk[start : start + _PIECE]


def _sources(path: Path) -> Iterator[Source]:
    if path.is_file():
        yield Source(path, check_name(path.name), path.stat().st_size)
        return
    if not path.is_dir():
        raise Invalid(f"There is no file or folder {path} on this machine.")
    top = path.resolve()
    for parent, folders, names in os.walk(top):
        folders.sort()
        for name in sorted(names):
            file = Path(parent, name)
            if file.is_file():
                yield Source(file, check_name(file.relative_to(top.parent).as_posix()), file.stat().st_size)
