"""Restoring a whole instance from a backup into a home that is empty, or is put aside."""

import json
import os
import re
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url

from athena.errors import Conflict
from athena.operations.backup import Steps
from athena.operations.catalogue import clear_services, put_catalogue
from athena.operations.copying import explained, in_parallel, restore_file
from athena.operations.manifest import CATALOGUE, DATA, HOME, Manifest, read_manifest
from athena.sdk.instance import find_instance
from athena.settings import Settings

ELSEWHERE = re.compile(r"^\s*(home|database_url|data_dir)\s*=", re.MULTILINE)
"""Settings that point to the places of the instance that was backed up, which may still be in use."""


def restore(folder: Path, settings: Settings, steps: Steps, *, database_url: str = "", replace: bool = False) -> Path:
    """Make the home of ``settings`` the instance of a backup; every file is checked before anything is in place.

    Parameters
    ----------
    folder : the backup.
    settings : of the restored instance; its run stores go to ``<home>/data``, or to ``data_dir`` if that is set.
    database_url : where the catalogue goes; empty: what the settings say, else SQLite in the home.
    replace : a home that is there is put aside under another name. A PostgreSQL database has to be empty even so.

    Returns
    -------
    The folder the former home was put aside to, or the home itself if there was none.

    Raises
    ------
    BadFile : the backup is damaged; nothing was changed.
    Conflict : the home is not empty, or an instance runs there.
    """
    url = database_url or settings.resolved_database_url
    manifest = read_manifest(folder)
    _check_free(settings, replace=replace)
    mark = uuid.uuid4().hex[:8]
    places = {HOME: _beside(settings.home, mark)}
    if settings.data_dir is not None:
        places[DATA] = _beside(settings.data_dir, mark)
    try:
        with explained("The backup cannot be restored"):
            _copy_out(folder, manifest, places, steps)
            _point_here(places[HOME], _own_places(settings, database_url))
            _place_catalogue(places[HOME], url, settings, steps, replace=replace)
            former = _swap(places[HOME], settings.home)
            if settings.data_dir is not None:
                _swap(places[DATA], settings.data_dir)
    except BaseException:
        for place in places.values():
            shutil.rmtree(place, ignore_errors=True)
        raise
    return former


def _check_free(settings: Settings, *, replace: bool) -> None:
    running = find_instance(settings)
    if running is not None:
        raise Conflict(
            f"Athena runs in {settings.home} (process {running.pid}).", hint="Stop it before restoring there."
        )
    for place in (settings.home, settings.data_dir):
        if place is not None and place.exists() and any(place.iterdir()) and not replace:
            raise Conflict(
                f"{place} is not empty.", hint="Restore into a new home (--home), or put this one aside (--replace)."
            )


def _beside(place: Path, mark: str) -> Path:
    """A folder on the same file system, from which one rename leads into place."""
    return place.with_name(f".{place.name}.{mark}.restoring")


def _copy_out(folder: Path, manifest: Manifest, places: dict[str, Path], steps: Steps) -> None:
    progress, done = steps("Files"), 0
    places[HOME].mkdir(parents=True, mode=0o700)

    def target(path: str) -> Path:
        top, _, rest = path.partition("/")
        if path == CATALOGUE:
            return places[HOME] / CATALOGUE
        if top == DATA:
            return (places.get(DATA) or places[HOME] / DATA) / rest
        return places[HOME] / rest

    for private in manifest.head.private_folders:
        target(private).mkdir(parents=True, exist_ok=True, mode=0o700)
    for entry, _ in in_parallel(lambda one: restore_file(folder, one, target(one.path)), manifest.entries):
        done += entry.size
        progress(done, manifest.size)
    for place in places.values():
        place.mkdir(exist_ok=True)


def _own_places(settings: Settings, database_url: str) -> dict[str, str]:
    """Settings that say where the restored instance keeps its things, unless variables or defaults do."""
    database = database_url or ("" if "ATHENA_DATABASE_URL" in os.environ else settings.database_url)
    data = "" if settings.data_dir is None or "ATHENA_DATA_DIR" in os.environ else str(settings.data_dir)
    return {name: value for name, value in (("database_url", database), ("data_dir", data)) if value}


def _point_here(home: Path, own: dict[str, str]) -> None:
    """Let the settings file name the places of this instance, no longer those of the one that was backed up."""
    path = home / "athena.toml"
    text = path.read_text() if path.exists() else ""
    kept = ELSEWHERE.sub(lambda found: f"# as it was backed up: {found.group().strip()}", text)
    kept = "".join(f"{name} = {json.dumps(value)}\n" for name, value in own.items()) + kept
    if kept != text:
        path.write_text(kept)
        path.chmod(0o600)


def _place_catalogue(home: Path, url: str, settings: Settings, steps: Steps, *, replace: bool) -> None:
    snapshot, parsed = home / CATALOGUE, make_url(url)
    if parsed.get_backend_name() != "sqlite":
        put_catalogue(snapshot, url, steps("Catalogue"))
        snapshot.unlink()
        return
    clear_services(snapshot)
    final = Path(str(parsed.database))
    if final.is_relative_to(settings.home):
        inside = home / final.relative_to(settings.home)
        inside.parent.mkdir(parents=True, exist_ok=True)
        snapshot.rename(inside)
        return
    if final.exists() and not replace:
        raise Conflict(f"{final} is there already.", hint="Name another file, or --replace it.")
    final.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(snapshot, final)


def _swap(made: Path, place: Path) -> Path:
    """Put a finished folder in its place; what is there goes aside, and where it went is returned."""
    former = place
    if place.exists():
        if any(place.iterdir()):
            former = place.with_name(f"{place.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
            place.rename(former)
        else:
            place.rmdir()
    made.rename(place)
    return former
