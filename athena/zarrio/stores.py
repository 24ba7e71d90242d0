"""Zarr stores by URL, and the read-only store over Athena's HTTP API."""

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype
from zarr.storage import FsspecStore, LocalStore

from athena.errors import Unavailable

Fetch = Callable[[str, str, Mapping[str, str]], tuple[int, Mapping[str, str], bytes]]
"""``fetch(method, key, headers) -> (status, headers, body)``: one HTTP exchange with the API's zarr route of a run."""

PARTIAL = ".partial"
"""Ending of whatever is being written and not yet in place (zarr's own ``LocalStore`` uses it for files)."""


def local_path(url: str | Path) -> Path | None:
    """Folder that a URL means, or None when it is not on a local file system."""
    if isinstance(url, Path):
        return url
    if url.startswith("file://"):
        return Path(url.removeprefix("file://"))
    return None if "://" in url else Path(url)


def open_store(url: str | Path, read_only: bool = False) -> Store:
    """Zarr store for a local path or any URL that fsspec knows (``s3://``, ``gs://``, ``abfs://``, …).

    Raises
    ------
    Unavailable : the URL's scheme needs a package that is not installed.
    """
    path = local_path(url)
    if path is not None:
        return LocalStore(path, read_only=read_only)
    try:
        return FsspecStore.from_url(str(url), read_only=read_only)
    except (ImportError, ValueError) as problem:
        raise Unavailable(
            f"The storage {str(url).split('://')[0]}:// cannot be opened: {problem}.",
            hint="Install the fsspec package for this kind of storage (s3fs, gcsfs, adlfs, …).",
        ) from problem


def clean_partials(url: str | Path) -> int:
    """Remove what killed writers left in and beside a run's group; return how many entries went.

    For when a run is finished: nobody writes to it any more but a worker that everyone has given up on, whose half
    written files may go too. On object storage there is nothing to do, since a write there appears whole or not at all.
    """
    store = local_path(url)
    if store is None:
        return 0
    found = [*store.parent.glob(f"{store.name}.*{PARTIAL}"), *sorted(store.rglob(f"*{PARTIAL}"))]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(found)


def put_in_place(partial: Path, final: Path) -> bool:
    """Rename a finished folder to its final name; False (and ``partial`` removed) if another is there already."""
    try:
        partial.rename(final)
    except OSError as problem:
        if problem.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        shutil.rmtree(partial)
        return False
    return True


@contextmanager
def exclusive(folder: Path | None) -> Iterator[None]:
    """Hold the advisory lock of a local folder (None: no lock, as on object storage)."""
    if folder is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _range_header(byte_range: ByteRequest | None) -> dict[str, str]:
    match byte_range:
        case None:
            return {}
        case RangeByteRequest(start=start, end=end):
            return {"Range": f"bytes={start}-{end - 1}"}
        case OffsetByteRequest(offset=offset):
            return {"Range": f"bytes={offset}-"}
        case SuffixByteRequest(suffix=suffix):
            return {"Range": f"bytes=-{suffix}"}
        case _:
            raise TypeError(f"Unexpected byte_range, got {byte_range!r}")


def _cut(body: bytes, byte_range: ByteRequest | None) -> bytes:
    """Apply a range to a whole body, for an answer that ignored the Range header (HTTP allows that)."""
    match byte_range:
        case RangeByteRequest(start=start, end=end):
            return body[start:end]
        case OffsetByteRequest(offset=offset):
            return body[offset:]
        case SuffixByteRequest(suffix=suffix):
            return body[max(0, len(body) - suffix) :]
        case _:
            return body


class ApiStore(Store):
    """Read-only zarr store over the API's ``/zarr/<run>/<key>`` route.

    ``fetch`` is synchronous (the SDK's client is) and is called in threads, so that zarr's concurrent reads stay
    concurrent. There is no listing over HTTP: readers know every path from ``athena.zarrio.layout``.
    """

    supports_writes: bool = False
    supports_deletes: bool = False
    supports_listing: bool = False

    @property
    def supports_partial_writes(self) -> Literal[False]:
        """Never."""
        return False

    def __init__(self, fetch: Fetch, *, read_only: bool = True) -> None:
        if not read_only:
            raise ValueError("ApiStore reads only: results are written by the runner alone")
        super().__init__(read_only=True)
        self._fetch = fetch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiStore) and self._fetch == other._fetch

    def __hash__(self) -> int:
        return hash(self._fetch)

    def __repr__(self) -> str:
        return f"ApiStore({self._fetch!r})"

    def with_read_only(self, read_only: bool = False) -> "ApiStore":
        """Return the same store; there is no writable one."""
        return type(self)(self._fetch, read_only=read_only)

    def get_sync(
        self, key: str, *, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Bytes of a key, None where there is none."""
        headers = _range_header(byte_range)
        status, _, body = self._fetch("GET", quote(key), headers)
        prototype = prototype or default_buffer_prototype()
        match status:
            case 206:
                return prototype.buffer.from_bytes(body)
            case 200:
                return prototype.buffer.from_bytes(_cut(body, byte_range))
            case 404:
                return None
            case 416:  # the range begins past the end: nothing there
                return prototype.buffer.from_bytes(b"")
            case _:
                raise Unavailable(f"Reading {key!r} of the run's results was answered with HTTP {status}.")

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Bytes of a key, None where there is none."""
        return await asyncio.to_thread(self.get_sync, key, prototype=prototype, byte_range=byte_range)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Several ranges at once."""
        return list(await asyncio.gather(*(self.get(key, prototype, byte_range) for key, byte_range in key_ranges)))

    async def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        status, _, _ = await asyncio.to_thread(self._fetch, "HEAD", quote(key), {})
        return status == 200

    async def getsize(self, key: str) -> int:
        """Size of a key's value in bytes."""
        status, headers, _ = await asyncio.to_thread(self._fetch, "HEAD", quote(key), {})
        if status != 200:
            raise FileNotFoundError(key)
        lengths = {name.lower(): value for name, value in headers.items()}
        return int(lengths["content-length"])

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: read-only."""
        self._check_writable()

    async def delete(self, key: str) -> None:
        """Refuse: read-only."""
        self._check_writable()

    def list(self) -> AsyncIterator[str]:
        """Refuse: the API does not list keys."""
        raise self._no_listing()

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: the API does not list keys."""
        raise self._no_listing()

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Refuse: the API does not list keys."""
        raise self._no_listing()

    def _no_listing(self) -> Exception:
        return NotImplementedError(
            "a run's store over the API cannot be listed; see athena.zarrio.layout for its paths"
        )
