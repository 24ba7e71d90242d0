"""A storage on an object store: S3 and what speaks like it, Google Cloud, Azure."""

import builtins
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from athena.errors import AthenaError, Forbidden, Invalid, NotFound, Unavailable
from athena.storages.base import PIECE, Capacity, Stat, Stored, hashed
from athena.storages.keys import check_key, check_prefix, is_key

PART_BYTES = 32 << 20
"""Object stores take at most 10 000 parts a file: this allows 312 GiB."""
PARTS_AT_ONCE = 4
_RETRIES = 3
_RETRY_SECONDS = 20.0
_from_any_url: Any = from_url  # its overloads know one kind of store each
_QUERY = re.compile(r"\?\S+")


class ObjectStorage:
    """Files as objects below a URL such as ``s3://bucket/folder``.

    An object appears whole or not at all: a larger one is a multipart upload that is committed at its end and aborted
    when it fails. What a killed process leaves of one is hidden; a lifecycle rule of the bucket clears it.
    """

    def __init__(self, url: str, options: Mapping[str, str], *, read_only: bool = False) -> None:
        self.url = url
        self.read_only = read_only
        plain = any(name.endswith("endpoint") and value.startswith("http://") for name, value in options.items())
        try:
            self._store: Any = _from_any_url(
                url,
                config=dict(options),
                client_options={"allow_http": plain, "connect_timeout": timedelta(seconds=5)},
                retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
            )
        except (BaseError, ValueError, TypeError) as problem:
            raise Invalid(f"The storage {url} cannot be opened: {_first_line(problem)}.") from problem

    def __repr__(self) -> str:
        return f"ObjectStorage({self.url!r}, read_only={self.read_only})"  # never the options: they hold secrets

    @property
    def staging(self) -> Path | None:
        """None: files have to be copied there."""
        return None

    def path(self, key: str) -> Path | None:
        """None: not on this machine's file system."""
        check_key(key)
        return None

    def stat(self, key: str) -> Stat:
        """Size, time and tag of an object."""
        checked = check_key(key)
        with self._told(key):
            return _stat(obstore.head(self._store, checked))

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            self.stat(key)
        except NotFound:
            return False
        return True

    def read(self, key: str, *, start: int = 0, stop: int | None = None) -> bytes:
        """Bytes of an object."""
        return b"".join(self.stream(key, start=start, stop=stop))

    def stream(self, key: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes of an object in pieces."""
        checked = check_key(key)
        if start == 0 and stop is None:
            with self._told(key):
                return self._pieces(key, obstore.get(self._store, checked))
        # a range past the end is an error to an object store, and none to a reader
        size = self.stat(key).size
        end = size if stop is None else min(stop, size)
        if start >= end:
            return iter(())
        with self._told(key):
            return self._pieces(key, obstore.get(self._store, checked, options={"range": (start, end)}))

    def put(self, key: str, content: bytes | Iterable[bytes], *, sha256: str = "") -> Stored:
        """Write an object, all of it or nothing."""
        target = self._writable(key)
        pieces = hashed(content, sha256=sha256)
        whole = b"".join(pieces) if isinstance(content, bytes) else None
        with self._told(key):
            obstore.put(
                self._store,
                target,
                iter(pieces) if whole is None else whole,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        return pieces.stored

    def adopt(self, key: str, file: Path) -> None:
        """Copy a file in, then remove it."""
        target = self._writable(key)
        with self._told(key):
            obstore.put(self._store, target, file, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
        file.unlink()

    def delete(self, key: str) -> None:
        """Remove an object."""
        target = self._writable(key)
        try:
            with self._told(key):
                obstore.delete(self._store, target)
        except NotFound:  # S3 does not mind; others do
            return

    def delete_prefix(self, prefix: str) -> int:
        """Remove all objects below a prefix."""
        checked = check_prefix(prefix)
        if not checked:
            raise Invalid("A whole storage is not deleted at once.", hint="Name the prefix to delete.")
        self._writable(checked.removesuffix("/"))
        count = 0
        for batch in self._listing(checked):
            keys = [found["path"] for found in batch]
            with self._told(prefix):
                obstore.delete(self._store, keys)
            count += len(keys)
        return count

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """Objects below a prefix; names that no key can have are passed over."""
        for batch in self._listing(check_prefix(prefix)):
            yield from (_stat(found) for found in batch if is_key(found["path"]))

    def usage(self, prefix: str = "") -> int:
        """Bytes of all objects below a prefix."""
        return sum(found.size for found in self.list(prefix))

    def sweep(self, older_than: timedelta) -> int:
        """0: what was not finished is hidden by the store, and cleared by a rule of the bucket."""
        return 0

    def capacity(self) -> Capacity | None:
        """None: object stores tell no bound."""
        return None

    def check(self) -> None:
        """List something; where it may be written, write, read and delete a small object."""
        with self._told(""):
            next(iter(obstore.list(self._store, chunk_size=1)), None)
        if not self.read_only:
            key = f"athena-check-{uuid.uuid4().hex}"
            self.put(key, b"athena")
            self.delete(key)

    def _listing(self, checked_prefix: str) -> Iterator[builtins.list[Any]]:
        with self._told(checked_prefix):
            yield from obstore.list(self._store, checked_prefix.removesuffix("/") or None)

    def _pieces(self, key: str, answer: Any) -> Iterator[bytes]:
        with self._told(key):
            for piece in answer.stream(min_chunk_size=PIECE):
                yield bytes(piece)

    def _writable(self, key: str) -> str:
        checked = check_key(key)
        if self.read_only:
            raise Forbidden(f"The storage {self.url} is read only.")
        return checked

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Tell an error of the object store as one of Athena's."""
        try:
            yield
        except AthenaError:
            raise
        except FileNotFoundError as problem:
            if "NoSuchBucket" in str(problem):
                raise Unavailable(f"The bucket of {self.url} does not exist.") from problem
            raise NotFound(f"There is no file {key!r} on the storage.") from problem
        except (PermissionDeniedError, UnauthenticatedError) as problem:
            raise Unavailable(
                f"The storage {self.url} refuses Athena's credentials.", hint="An administrator can renew them."
            ) from problem
        except (BaseError, OSError) as problem:
            raise Unavailable(f"The storage {self.url} failed at {key!r}: {_first_line(problem)}.") from problem


def _stat(found: Any) -> Stat:
    modified = found["last_modified"]
    tag = (found["e_tag"] or f"{modified.timestamp():.0f}-{found['size']}").strip('"')
    return Stat(found["path"], found["size"], modified, tag)


def _first_line(problem: Exception) -> str:
    """Error without its debug dump and without queries of addresses, which can hold signatures."""
    first = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
    return _QUERY.sub("", first)[:300].rstrip(". ")
