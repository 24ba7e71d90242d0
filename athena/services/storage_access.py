"""Storages opened for use, by services and jobs; who may use what they hold is decided by the caller's guard."""

from functools import lru_cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.storages import StorageRole
from athena.db.storages import StorageRow
from athena.errors import Unavailable
from athena.settings import Settings
from athena.storages import Storage, open_storage
from athena.storages.opening import local_folder


def open_row(row: StorageRow, settings: Settings) -> Storage:
    """Storage of a row; acquisition storages are read only. Raises Invalid where its URL or options are none."""
    options = tuple(sorted({**row.options, **row.secrets}.items()))
    return _opened(row.url, options, settings.home, read_only=row.role == StorageRole.ACQUISITION)


def storage_of(session: Session, storage_id: UUID, settings: Settings) -> Storage:
    """Storage by its identifier, which a file's row holds."""
    return open_row(session.get_one(StorageRow, storage_id), settings)


def chosen_row(session: Session, role: StorageRole) -> StorageRow:
    """Row of the storage that new files of a role go to; Unavailable where an administrator has chosen none."""
    row = session.scalar(select(StorageRow).where(StorageRow.role == role.value, StorageRow.chosen))
    if row is None:
        raise Unavailable(
            f"No {role.value} storage is chosen.", hint="An administrator connects and chooses one among the storages."
        )
    return row


def acquisition_folders(session: Session, settings: Settings) -> list[Path]:
    """Folders of the server below which sessions may be read: those of the settings, and acquisition storages."""
    urls = session.scalars(select(StorageRow.url).where(StorageRow.role == StorageRole.ACQUISITION.value))
    found = [local_folder(url, home=settings.home) for url in urls]
    return [*settings.acquisition_roots, *(folder for folder in found if folder is not None)]


@lru_cache(maxsize=64)  # an object store's client keeps its connections
def _opened(url: str, options: tuple[tuple[str, str], ...], home: Path, *, read_only: bool) -> Storage:
    return open_storage(url, dict(options), home=home, read_only=read_only)
