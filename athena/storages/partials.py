"""A file that grows piece by piece over many requests, and survives the process that writes it."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from athena.errors import Busy, ChecksumMismatch, Conflict, Unavailable
from athena.storages.base import PIECE
from athena.storages.local import create_file, told, write_all


class Checksum(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes in."""

    def digest(self) -> bytes:
        """Checksum of what was taken in."""


class Crc32:
    """CRC-32 (ISO 3309) in hashlib's manner, four bytes, most significant first. Several times quicker than SHA-256."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        """Take more bytes in."""
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        """Checksum of what was taken in."""
        return self._value.to_bytes(4, "big")


ALGORITHMS: dict[str, Callable[[], Checksum]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),  # the one every tus server has to know
    "sha256": hashlib.sha256,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "crc32": Crc32,
}
"""Checksums a chunk may come with."""


class _Hashes:
    """SHA-256 of the first bytes of partial files, as far as this process has written them.

    Only a shortcut: what is missing is read again, after a restart from the beginning.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Path, tuple[int, hashlib._Hash]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path) -> tuple[int, "hashlib._Hash"]:
        with self._lock:
            offset, digest = self._known.get(path, (0, hashlib.sha256()))
            return offset, digest.copy()

    def keep(self, path: Path, offset: int, digest: "hashlib._Hash") -> None:
        with self._lock:
            self._known[path] = (offset, digest)
            self._known.move_to_end(path)
            while len(self._known) > 1000:
                self._known.popitem(last=False)

    def forget(self, path: Path) -> None:
        with self._lock:
            self._known.pop(path, None)


_HASHES = _Hashes()


class Partial:
    """One growing file. Its size is how far it is; a lock of the file system keeps two writers apart."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether it was begun and is not yet moved away."""
        return self.path.is_file()

    @property
    def offset(self) -> int:
        """Bytes that are here."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @staticmethod
    def room(folder: Path) -> int:
        """Bytes free where a partial would lie; its folder need not exist yet."""
        for place in (folder, *folder.parents):
            # asked at once: another request may take the empty folder away between a look and a question
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                return shutil.disk_usage(place).free
        raise Unavailable(f"There is no folder above {folder}.")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing to it. Raises Busy where another does."""
        handle = self._lock()
        try:
            yield
        finally:
            os.close(handle)

    def append(self, at: int, *, algorithm: str = "", expected: bytes = b"") -> "Appender":
        """Begin to write at the end, which has to be at ``at`` (else Conflict); end it with ``keep`` or ``abandon``."""
        handle = self._lock()
        here = os.fstat(handle).st_size
        if here != at:
            os.close(handle)
            raise Conflict(f"The upload stands at byte {here}, not at {at}.", hint="Go on from there.")
        return Appender(handle, self.path, at, ALGORITHMS[algorithm]() if algorithm else None, expected)

    def sha256(self) -> str:
        """SHA-256 of the whole; only what this process has not hashed while writing is read."""
        done, digest = _HASHES.get(self.path)
        with self.path.open("rb") as file:
            file.seek(done)
            while piece := file.read(PIECE):
                digest.update(piece)
                done += len(piece)
        _HASHES.keep(self.path, done, digest)
        return digest.hexdigest()

    def remove(self) -> None:
        """Remove it."""
        _HASHES.forget(self.path)
        self.path.unlink(missing_ok=True)

    def moved(self) -> None:
        """Say that the file is in its place now."""
        _HASHES.forget(self.path)

    def _lock(self) -> int:
        handle = create_file(self.path, self.path.name, exclusive=False)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(handle)
            if problem.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise Busy("Another request is writing this upload.", hint="Try again in a moment.") from None
        return handle


class Appender:
    """Writes to the end of a partial file, and hashes what it writes; not for two threads at once.

    With a checksum, what was written stays only if ``keep`` finds that it agrees. Without one it stays in any case, so
    that a sender whose connection broke goes on from there.
    """

    def __init__(self, handle: int, path: Path, at: int, checksum: Checksum | None, expected: bytes) -> None:
        self.offset = at
        self._at = at
        self._handle = handle
        self._path = path
        self._checksum = checksum
        self._expected = expected
        hashed, digest = _HASHES.get(path)
        self._digest = digest if hashed == at else None
        os.lseek(handle, at, os.SEEK_SET)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Add bytes."""
        for piece in pieces:
            with told(self._path.name):
                write_all(self._handle, piece)
            self.offset += len(piece)
            if self._checksum is not None:
                self._checksum.update(piece)
            if self._digest is not None:
                self._digest.update(piece)

    def keep(self) -> int:
        """End well; returns where the file ends now. Raises ChecksumMismatch, and keeps nothing, where that is so."""
        if self._checksum is not None and self._checksum.digest() != self._expected:
            self.abandon()
            raise ChecksumMismatch(
                "The chunk arrived with another checksum than it was sent with.", hint="It was not kept: send it again."
            )
        self._close()
        return self.offset

    def abandon(self) -> None:
        """End after a failure: drop what cannot be verified, keep the rest."""
        if self._checksum is not None:
            os.ftruncate(self._handle, self._at)
            os.close(self._handle)
            return
        os.ftruncate(self._handle, self.offset)  # a full disk may have taken a piece of a piece
        self._close()

    def _close(self) -> None:
        if self._digest is not None:
            _HASHES.keep(self._path, self.offset, self._digest)
        os.close(self._handle)
