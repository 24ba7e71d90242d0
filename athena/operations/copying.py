"""Copying files whole and hashed, with errors that say what to do."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from athena.errors import AthenaError, BadFile, Unavailable
from athena.operations.manifest import Entry

PIECE = 1 << 20
COPIERS = 4
"""Files at a time: hashing takes as long as reading, and small files wait for the disk."""

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(act: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[T, R]]:
    """Each item with what ``act`` made of it, in order; what has not begun when the caller stops never does."""
    pool = ThreadPoolExecutor(COPIERS, thread_name_prefix="copier")
    try:
        yield from zip(items, pool.map(act, items), strict=True)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an error of the operating system into one that names the file and says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename2 or error.filename or what
        hint = ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason, hint = "the disk is full", "Free some space, or choose a folder on another disk."
        elif error.errno in (errno.EACCES, errno.EPERM):
            hint = "Run it as the user that Athena runs as."
        raise Unavailable(f"{what}: {where}: {reason}.", hint=hint) from error


def copy_file(source: Path, target: Path, *, name: str) -> Entry:
    """Copy a file with its mode and time; its entry is of the bytes that were read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading:
        about = os.fstat(reading.fileno())
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as writing:
            while piece := reading.read(PIECE):
                digest.update(piece)
                writing.write(piece)
                size += len(piece)
    target.chmod(about.st_mode & 0o777)
    os.utime(target, ns=(about.st_mtime_ns, about.st_mtime_ns))
    return Entry(
        path=name, size=size, sha256=digest.hexdigest(), mode=about.st_mode & 0o777, mtime_ns=about.st_mtime_ns
    )


def hash_file(path: Path, *, name: str) -> Entry:
    """Entry of a file that is in its place already."""
    with path.open("rb") as stream:
        about = os.fstat(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Entry(path=name, size=about.st_size, sha256=digest, mode=about.st_mode & 0o777, mtime_ns=about.st_mtime_ns)


def link_file(previous: Path, target: Path) -> bool:
    """Let a backup share a file with an earlier one; False where the file system does not allow it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(previous, target)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOENT):
            return False
        raise
    return True


def check_file(folder: Path, entry: Entry) -> Path:
    """Path of a file of a backup that is as its entry says.

    Raises
    ------
    BadFile : it is missing, or not what was written.
    """
    path = folder / entry.path
    if path.is_symlink() or not path.is_file():
        raise damaged(path, "it is missing")
    with explained("The backup cannot be read"):
        found = hash_file(path, name=entry.path)
    return _same(path, entry, found)


def restore_file(folder: Path, entry: Entry, target: Path) -> None:
    """Copy a file out of a backup, checked on the way.

    Raises
    ------
    BadFile : it is missing, or not what was written; the copy is removed.
    """
    path = folder / entry.path
    if path.is_symlink() or not path.is_file():
        raise damaged(path, "it is missing")
    found = copy_file(path, target, name=entry.path)
    try:
        _same(path, entry, found)
    except AthenaError:
        target.unlink()
        raise
    target.chmod(entry.mode)


def _same(path: Path, entry: Entry, found: Entry) -> Path:
    if found.size != entry.size:
        raise damaged(path, f"it has {found.size} bytes, not {entry.size}")
    if found.sha256 != entry.sha256:
        raise damaged(path, "its content is not what was written")
    return path


def damaged(path: Path, reason: str) -> BadFile:
    """The one answer for a file of a backup that is not as it was written."""
    return BadFile(f"The backup is damaged: {path}: {reason}.", hint="Use another backup.")
