"""Files to an instance of one's own on this machine: written where it keeps them, with no server in between."""

import errno
import fcntl
import hashlib
import mmap
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from athena.contract import files as wire
from athena.errors import Busy, Conflict, Forbidden, Invalid, NotFound, Unavailable
from athena.sdk.client import LOOPBACK, Client
from athena.sdk.saving import Waiting

BLOCK = 16 << 20
"""Bytes written at once; a multiple of any page's size."""
LEAST = 1 << 20
"""Smaller files are sent the usual way: the exchange would cost more than it saves."""


def hand_over(client: Client, place: str, source: Path, progressed: Callable[[int], None]) -> wire.File | None:
    """Write a file where the instance said, and hash it on the way; None where it has to be sent.

    Only the holder of the instance's own token is told a place, and only a file of this very user is written to.
    Where anything goes wrong nothing is left in it, so that sending begins at its beginning.

    Parameters
    ----------
    place : path of the upload in the API.
    progressed : called with the bytes written so far; it may raise to end it.

    Raises
    ------
    Invalid : the file became shorter or longer meanwhile.
    """
    size = source.stat().st_size
    if httpx.URL(client.url).host not in LOOPBACK or size < LEAST:
        return None
    try:
        offer = client.get(f"{place}/hand-over", wire.HandOver)
    except (Forbidden, Conflict, NotFound, Busy, Unavailable):
        return None
    with _opened(Path(offer.path)) as target:
        if target is None:
            return None
        try:
            sha256 = _copy(source, size, target, progressed)
        except BaseException:
            os.ftruncate(target, 0)
            raise
    waiting = Waiting()
    while True:
        try:
            return client.put(f"{place}/hand-over", wire.HandedOver(sha256=sha256), wire.File)
        except (Unavailable, Busy) as problem:  # it is being started again: what was written is still there
            waiting.go_on(problem)


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """Handle of the file to write to, locked; None where it is not an empty file of this user that can be locked."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # another machine's path, or another user's file
        yield None
        return
    try:
        found = os.fstat(handle)
        fits = stat.S_ISREG(found.st_mode) and found.st_size == 0 and found.st_uid == os.geteuid()
        if fits:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another sends it
                fits = False
        yield handle if fits else None
    finally:
        os.close(handle)


def _copy(source: Path, size: int, target: int, progressed: Callable[[int], None]) -> str:
    """Copy a file and have it on the disk; SHA-256 of what was written, read back while the copying goes on."""
    digest = hashlib.sha256()
    done = 0
    with source.open("rb", buffering=0) as file, ThreadPoolExecutor(1) as hashing:
        parts: list[Future[None]] = []
        try:
            while count := _copy_block(file.fileno(), target, done):
                parts.append(hashing.submit(_hash_part, digest, target, done, count))
                done += count
                progressed(min(done, size))
            os.fdatasync(target)
            for part in parts:
                part.result()
        finally:
            hashing.shutdown(cancel_futures=True)
    if done != size:
        raise Invalid(f"{source} has changed its size while it was sent.")
    return digest.hexdigest()


def _copy_block(source: int, target: int, at: int) -> int:
    """Copy up to a block, by the kernel where it can; bytes copied, 0 at the end."""
    done = 0
    while done < BLOCK:
        try:
            count = os.copy_file_range(source, target, BLOCK - done, at + done, at + done)
        except OSError as problem:
            if problem.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
                raise
            piece = os.pread(source, BLOCK - done, at + done)
            count = os.pwrite(target, piece, at + done) if piece else 0
        if not count:
            break
        done += count
    return done


def _hash_part(digest: "hashlib._Hash", target: int, start: int, count: int) -> None:
    with mmap.mmap(target, count, offset=start, access=mmap.ACCESS_READ) as written:
        digest.update(written)
