"""From one storage to another, with the content verified."""

import hashlib

from athena.errors import Conflict
from athena.storages.base import Storage, Stored


def copy(source: Storage, key: str, target: Storage, target_key: str, *, sha256: str = "") -> Stored:
    """Copy a file and read it back; returns its size and SHA-256.

    Parameters
    ----------
    sha256 : what the source must have, where it is known.

    Raises
    ------
    Conflict : the source has another SHA-256 than it must (nothing is written), or the copy reads back differently
        (it is removed).
    """
    stored = target.put(target_key, source.stream(key), sha256=sha256)
    try:
        verify(target, target_key, stored.sha256)
    except Conflict:
        target.delete(target_key)
        raise
    return stored


def verify(storage: Storage, key: str, sha256: str) -> None:
    """Read a file and compare its SHA-256; Conflict where it differs."""
    found = checksum(storage, key)
    if found.sha256 != sha256:
        raise Conflict(
            f"The file {key!r} on {storage.url} has the SHA-256 {found.sha256}, not {sha256}.",
            hint="It was changed or damaged on the storage.",
        )


def checksum(storage: Storage, key: str) -> Stored:
    """Size and SHA-256 of a file, read whole."""
    digest, size = hashlib.sha256(), 0
    for piece in storage.stream(key):
        digest.update(piece)
        size += len(piece)
    return Stored(size, digest.hexdigest())
