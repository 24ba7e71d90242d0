"""The manifest of a backup: one JSON line for its head, one for each file, one that closes it.

A list that ends without its last line, or whose lines are not those the last one counted, is not a whole backup.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from athena.contract.base import Wire
from athena.errors import BadFile

NAME = "manifest.jsonl"
CATALOGUE = "catalogue.sqlite"
HOME, DATA = "home", "data"
"""Folders of a backup: what lay in the home of the instance, and its run stores and files."""


class Head(Wire):
    """What a backup is of."""

    format: Literal["athena-backup"] = "athena-backup"
    version: Literal[1] = 1
    athena: str = Field(description="Version of Athena that wrote it.")
    created: datetime = Field(description="The moment of the catalogue; files are as of a little later.")
    database: str = Field(description="Kind of database the catalogue came from.")
    revision: str = Field(description="Schema of the catalogue.")
    private_folders: tuple[str, ...] = Field((), description="Folders that only their owner may enter.")


class Entry(Wire):
    """One file of a backup; ``path`` is relative to the backup, with slashes."""

    path: str
    size: int
    sha256: str
    mode: int
    mtime_ns: int


class Foot(Wire):
    """The last line: how many lines and bytes there are, and the SHA-256 of all lines before it."""

    files: int
    bytes: int
    sha256: str


class Manifest(Wire):
    """A whole manifest."""

    head: Head
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)


def write_manifest(folder: Path, head: Head, entries: Iterable[Entry]) -> None:
    """Write the manifest of a backup."""
    digest, files, size = hashlib.sha256(), 0, 0
    with (folder / NAME).open("wb") as stream:

        def put(line: Wire) -> bytes:
            data = line.model_dump_json().encode() + b"\n"
            stream.write(data)
            return data

        digest.update(put(head))
        for entry in entries:
            digest.update(put(entry))
            files, size = files + 1, size + entry.size
        put(Foot(files=files, bytes=size, sha256=digest.hexdigest()))


def read_manifest(folder: Path) -> Manifest:
    """Manifest of a backup.

    Raises
    ------
    BadFile : there is none, it is damaged or cut short, or it names files outside the backup.
    """
    path = folder / NAME
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise BadFile(f"{folder} is not a backup of Athena: {NAME} cannot be read ({error.strerror}).") from error
    damaged = BadFile(f"{path} is damaged or cut short.", hint="This backup cannot be trusted; use another.")
    if len(lines) < 2:
        raise damaged
    try:
        foot = Foot.model_validate_json(lines[-1])
        whole = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
        if foot.sha256 != whole or foot.files != len(lines) - 2:
            raise damaged
        head = Head.model_validate_json(lines[0])
        entries = tuple(Entry.model_validate_json(line) for line in lines[1:-1])
    except ValidationError as error:
        raise damaged from error
    for entry in entries:
        check_path(entry.path, path)
    return Manifest(head=head, entries=entries)


def check_path(path: str, manifest: Path) -> None:
    """Refuse a path that leads out of the backup: it would be written anywhere at a restore."""
    parts = path.split("/")
    plain = not any(part in ("", "..", ".") or "\0" in part for part in parts)
    if not plain or (parts[0] not in (HOME, DATA) and path != CATALOGUE):
        raise BadFile(f"{manifest} names “{path[:200]}”, which is no file of a backup.", hint="Do not restore it.")
