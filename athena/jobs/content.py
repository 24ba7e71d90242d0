"""What a dataset holds, as items to copy: uploaded files, a run's session folder, its results."""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.db.elements import ElementRow, FileRow, MetadataRow
from athena.jobs.transfer import Item, read_file
from athena.services.storage_access import storage_of
from athena.settings import Settings
from athena.storages.keys import safe_name

DECIDED = (AcquisitionState.COMPLETED.value, AcquisitionState.ERROR.value)
"""States in which a filter can judge an acquisition: nothing more is measured."""


def file_items(session: Session, element_id: UUID, settings: Settings) -> Iterator[Item]:
    """Files of a free dataset, below ``files/``."""
    for row in session.scalars(select(FileRow).where(FileRow.element_id == element_id).order_by(FileRow.sort_key)):
        storage = storage_of(session, row.storage_id, settings)
        yield Item(safe_path(f"files/{row.name}"), partial(storage.stream, row.key), str(row.id), row.sha256)


def movie_items(row: AcquisitionRow, folder: Path) -> list[Item]:
    """The movie of an acquisition, if it is there and whole."""
    return [raw_item(Path(row.movie), folder)] if row.movie and row.state != AcquisitionState.AWAITING_MOVIE else []


def side_items(row: AcquisitionRow, folder: Path) -> list[Item]:
    """What the microscope wrote beside the movie of an acquisition."""
    return [raw_item(Path(path), folder) for _, path in sorted(row.files.items())]


def raw_item(path: Path, folder: Path) -> Item:
    """A file of a session, below ``raw/`` at the place it has in the session folder."""
    inside = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    return Item(safe_path(f"raw/{inside}"), partial(read_file, path), str(path))


def session_items(folder: Path, left_out: Collection[str]) -> Iterator[Item]:
    """All files of a session folder but those left out (by their full paths); links are not followed."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if str(path) not in left_out and path.is_file() and not path.is_symlink():
                yield raw_item(path, folder)


def source_folder(session: Session, run_id: UUID) -> tuple[Path | None, Path | None]:
    """Session folder of a run, and its gain reference."""
    source = session.get(SourceRow, run_id)
    if source is None:
        return None, None
    return Path(source.path), Path(source.gain_reference) if source.gain_reference else None


def kept_defects(parameters: Mapping[str, Any], run_id: UUID, settings: Settings) -> Item | None:
    """The file of camera defects that a run was given, as it was then; None without one."""
    digest, given = parameters.get("defects_sha256"), parameters.get("defects")
    if not digest or not given:
        return None
    kept = settings.run_defects(str(run_id)) / f"{digest}{Path(given).suffix.lower()}"
    return Item(safe_path(f"camera/{Path(given).name}"), partial(read_file, kept), str(kept), digest)


def element_document(session: Session, element_id: UUID, about_results: Mapping[str, object]) -> bytes:
    """General and grouped metadata of an element as JSON; of a run, also what its results were made with."""
    row = session.get_one(ElementRow, element_id)
    entries = session.scalars(
        select(MetadataRow).where(MetadataRow.element_id == element_id).order_by(MetadataRow.group, MetadataRow.name)
    )
    groups: dict[str, list[dict[str, object]]] = {}
    for entry in entries:
        told: dict[str, object] = {"name": entry.name, "type": entry.type, "value": json.loads(entry.value)}
        if entry.unit:
            told |= {"quantity": entry.quantity, "unit": entry.unit}
        groups.setdefault(entry.group, []).append(told)
    document = {
        "id": str(row.id),
        "name": row.name,
        "type": row.type,
        "description": row.description,
        "status": row.status,
        "created": row.created.isoformat(),
        "updated": row.updated.isoformat(),
        "metadata": groups,
        **about_results,
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def safe_path(path: str) -> str:
    """Path of which every part is a name that any storage takes."""
    return "/".join(safe_name(part) for part in path.split("/"))
