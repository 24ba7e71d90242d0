"""What every storage can do, and the values it speaks in."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from athena.errors import Conflict

PIECE = 1 << 20
"""Bytes a stream gives at once: memory stays flat whatever the size of a file."""


@dataclass(frozen=True)
class Stat:
    """A file on a storage. ``tag`` changes when its content does."""

    key: str
    size: int
    modified: datetime
    tag: str


@dataclass(frozen=True)
class Stored:
    """What was written: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Capacity:
    """Room on the device a storage lies on, in bytes."""

    total: int
    free: int


class Storage(Protocol):
    """Files under keys; thread-safe.

    Keys are checked by :func:`athena.storages.keys.check_key` in every method (Invalid). All methods raise NotFound
    where there is no such file, Forbidden where the storage is read only, and Unavailable where it does not answer.
    """

    @property
    def url(self) -> str:
        """Address, without any secret."""

    @property
    def read_only(self) -> bool:
        """Whether nothing may be written."""

    @property
    def staging(self) -> Path | None:
        """Folder from which ``adopt`` moves files in by renaming them; None where it has to copy them."""

    def path(self, key: str) -> Path | None:
        """The file on this machine's file system; None where the storage is not on it. It need not exist."""

    def stat(self, key: str) -> Stat:
        """Size, time and tag of a file."""

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""

    def read(self, key: str, *, start: int = 0, stop: int | None = None) -> bytes:
        """Bytes ``start`` to ``stop`` (not included; None: the end) of a file; fewer where it ends before."""

    def stream(self, key: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """As ``read``, in pieces. NotFound is raised at the call, not at the first piece."""

    def put(self, key: str, content: bytes | Iterable[bytes], *, sha256: str = "") -> Stored:
        """Write a file, all of it or nothing: readers see the old file or the new one.

        Conflict, and nothing changed, where ``sha256`` is given and the content has another.
        """

    def adopt(self, key: str, file: Path) -> None:
        """Move a finished file of this machine in; it is gone from its old place afterwards."""

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""

    def delete_prefix(self, prefix: str) -> int:
        """Remove all files below a prefix, return how many there were. ``""`` is refused (Invalid)."""

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """Files below a prefix (whole parts: ``a`` finds ``a/b`` and not ``ab``), in any order."""

    def usage(self, prefix: str = "") -> int:
        """Bytes of all files below a prefix; reads the whole listing."""

    def sweep(self, older_than: timedelta) -> int:
        """Remove what killed writers left unfinished that long ago; return how many files that was."""

    def capacity(self) -> Capacity | None:
        """Room on the device; None where there is no bound to be told."""

    def check(self) -> None:
        """Raise Unavailable, with the reason, unless the storage can be used for what it is meant."""


def hashed(content: bytes | Iterable[bytes], *, sha256: str = "") -> "HashedPieces":
    """Pieces of a content, hashed as they pass."""
    return HashedPieces([content] if isinstance(content, bytes) else content, expected=sha256)


class HashedPieces:
    """Passes pieces on and knows their size and SHA-256 at the end.

    Where another hash was expected the last step raises Conflict, before whoever writes the pieces can commit them.
    """

    def __init__(self, pieces: Iterable[bytes], *, expected: str) -> None:
        self._pieces = pieces
        self._expected = expected
        self._hash = hashlib.sha256()
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._hash.update(piece)
            self._size += len(piece)
            yield piece
        if self._expected and self.stored.sha256 != self._expected:
            raise Conflict(
                f"The content has the SHA-256 {self.stored.sha256}, not {self._expected}: it changed on the way.",
                hint="Nothing was stored. Try again; if it happens again, suspect the disk or the memory.",
            )

    @property
    def stored(self) -> Stored:
        """Size and hash of what has passed so far."""
        return Stored(self._size, self._hash.hexdigest())
