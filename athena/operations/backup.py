"""Backing up a whole instance while it runs, and verifying a backup.

The catalogue is copied first, as it is at one moment; then the files. What the catalogue says is done was written
before it said so, so every result it names is among the files; results of a later moment that are there too are done
again after a restore, and written as they were.
"""

import os
import shutil
import sqlite3
import stat
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import make_url, select

from athena.db.acquisitions import SourceRow
from athena.db.engine import Database
from athena.errors import Conflict, Unavailable
from athena.operations.catalogue import Progress, copy_sqlite, take_catalogue
from athena.operations.copying import check_file, copy_file, explained, hash_file, in_parallel, link_file
from athena.operations.manifest import (
    CATALOGUE,
    DATA,
    HOME,
    NAME,
    Entry,
    Head,
    Manifest,
    read_manifest,
    write_manifest,
)
from athena.settings import Settings
from athena.zarrio.stores import PARTIAL

LEFT_OUT = frozenset({"logs", "scratch", "instance.json"})
"""What lies in a home and is of no use elsewhere."""
UNFINISHED = (PARTIAL, ".part")
SQLITE = b"SQLite format 3\x00"
SQLITE_BESIDE = ("-wal", "-shm", "-journal")
SPARE_BYTES = 64 << 20
"""What must stay free beside the backup."""

Steps = Callable[[str], Progress]
"""Called with the name of a stage; what it gives is told how far the stage is."""


@dataclass(frozen=True)
class Found:
    """A file to back up: where it is, its name in the backup, and whether it is a SQLite database."""

    path: Path
    name: str
    size: int
    mtime_ns: int
    sqlite: bool = False


@dataclass
class Walk:
    """What is found below the folders of an instance."""

    files: list[Found] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)


def back_up(settings: Settings, target: Path, steps: Steps, *, since: Path | None = None) -> Manifest:
    """Write a backup of the instance into a new folder, which appears under its name once it is whole.

    ``since`` is an earlier backup: files that have not changed are shared with it (hard links) and take no room again.

    Raises
    ------
    Conflict : the folder is there already, or the database is of another version of Athena.
    Unavailable : the disk is full, a file cannot be read, the database does not answer.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{target} is there already.", hint="A backup is a new folder: give another name.")
    before = {entry.path: entry for entry in read_manifest(since).entries} if since is not None else {}
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}{PARTIAL}")
    try:
        with explained("The backup cannot be written"):
            partial.mkdir(parents=True, mode=0o700)
            manifest = _fill(settings, partial, steps, since=since, before=before)
            os.sync()
            if target.exists():
                target.rmdir()
            partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return manifest


def verify(folder: Path, steps: Steps) -> Manifest:
    """Read every file of a backup and compare it with the manifest.

    Raises
    ------
    BadFile : one is damaged or missing, or the manifest is.
    """
    manifest = read_manifest(folder)
    progress, done = steps("Verifying"), 0
    for entry, _ in in_parallel(lambda one: check_file(folder, one), manifest.entries):
        done += entry.size
        progress(done, manifest.size)
    return manifest


def _fill(settings: Settings, partial: Path, steps: Steps, *, since: Path | None, before: dict[str, Entry]) -> Manifest:
    moment = datetime.now(UTC)
    url = settings.resolved_database_url
    revision = take_catalogue(url, partial / CATALOGUE, steps("Catalogue"))
    (partial / CATALOGUE).chmod(0o600)
    entries = [hash_file(partial / CATALOGUE, name=CATALOGUE)]
    walk = find_files(settings, leave_out=[partial])
    reused = {one.name for one in walk.files if _is_same(one, before.get(one.name))}
    _check_room(partial, sum(one.size for one in walk.files if one.name not in reused))

    def take(found: Found) -> Entry | None:
        known = before[found.name] if found.name in reused else None
        if known is not None and since is not None and link_file(since / known.path, partial / known.path):
            return known
        return _copy(found, partial)

    progress, done, whole = steps("Files"), 0, sum(one.size for one in walk.files)
    # the root of a run store says how long its arrays are, so it must not be younger than they are
    roots = [one for one in walk.files if one.name.endswith(".zarr/zarr.json")]
    rest = [one for one in walk.files if not one.name.endswith(".zarr/zarr.json")]
    for part in (roots, rest):
        for found, entry in in_parallel(take, part):
            done += found.size
            progress(done, whole)
            if entry is not None:
                entries.append(entry)
    head = Head(
        athena=version("athena-cryoem"),
        created=moment,
        database=make_url(url).get_backend_name(),
        revision=revision,
        private_folders=tuple(walk.private),
    )
    write_manifest(partial, head, entries)
    (partial / NAME).chmod(0o600)
    return Manifest(head=head, entries=tuple(entries))


def _copy(found: Found, partial: Path) -> Entry | None:
    """Copy a file; None if it has gone since it was found, with the element it belonged to."""
    target = partial / found.name
    try:
        if not found.sqlite:
            return copy_file(found.path, target, name=found.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_sqlite(found.path, target, lambda _done, _whole: None)
    except FileNotFoundError:
        return None
    except sqlite3.Error as error:
        raise Unavailable(f"The database {found.path} cannot be copied: {error}.") from error
    target.chmod(found.path.stat().st_mode & 0o777)
    return hash_file(target, name=found.name)


def find_files(settings: Settings, *, leave_out: Collection[Path] = ()) -> Walk:
    """Every file of the instance but its catalogue, logs, what is half written, and sessions it only reads."""
    walk = Walk()
    url = make_url(settings.resolved_database_url)
    database = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    skipped = {path.resolve() for path in (*leave_out, settings.resolved_data_dir, *_sessions(settings))}
    if database is not None:
        skipped |= {database.resolve().with_name(database.name + ending) for ending in ("", *SQLITE_BESIDE)}
    _walk(walk, settings.home.resolve(), HOME, skipped | {settings.home.resolve() / name for name in LEFT_OUT})
    skipped.discard(settings.resolved_data_dir.resolve())
    _walk(walk, settings.resolved_data_dir.resolve(), DATA, skipped)
    return walk


def _sessions(settings: Settings) -> list[Path]:
    """Session folders of the instance's runs: Athena only reads there, and they are large."""
    database = Database(settings.resolved_database_url)
    try:
        with database.session(read_only=True) as session:
            return [Path(path) for path in session.scalars(select(SourceRow.path))]
    finally:
        database.dispose()


def _walk(walk: Walk, folder: Path, name: str, skipped: set[Path]) -> None:
    for place, about in _children(folder):
        inner = f"{name}/{place.name}"
        if place.name.endswith(UNFINISHED) or place in skipped:
            continue
        if stat.S_ISDIR(about.st_mode):
            key = (about.st_dev, about.st_ino)
            if key in walk.seen:  # a link in a circle
                continue
            walk.seen.add(key)
            if not about.st_mode & 0o077:
                walk.private.append(inner)
            _walk(walk, place, inner, skipped)
        elif stat.S_ISREG(about.st_mode):
            found = Found(place, inner, about.st_size, about.st_mtime_ns, _is_sqlite(place))
            if not _is_beside_sqlite(place):
                walk.files.append(found)


def _children(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """What is in a folder, links followed (a run store may lie on another disk); what goes meanwhile is left out."""
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    for path in paths:
        try:
            yield path, path.stat()
        except FileNotFoundError:
            continue


def _is_sqlite(path: Path) -> bool:
    if path.suffix not in (".sqlite", ".db"):
        return False
    with path.open("rb") as stream:
        return stream.read(len(SQLITE)) == SQLITE


def _is_beside_sqlite(path: Path) -> bool:
    """Whether a file is a part of a database beside it, which is copied as a whole."""
    for ending in SQLITE_BESIDE:
        if path.name.endswith(ending):
            database = path.with_name(path.name.removesuffix(ending))
            return database.exists() and _is_sqlite(database)
    return False


def _is_same(found: Found, known: Entry | None) -> bool:
    """Whether a file is as an earlier backup has it: writers here replace files, so time and size tell."""
    if known is None or found.sqlite:
        return False
    return (found.size, found.mtime_ns) == (known.size, known.mtime_ns)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise Unavailable(
            f"The backup needs {needed / 1e9:.2f} GB, and {folder.parent} has {free / 1e9:.2f} GB free.",
            hint="Free some space, choose a folder on another disk, or share files with an earlier backup (--since).",
        )
