"""Looking at the storages: whether they answer, what they hold, what room they have.

A storage may take long to answer, so no transaction is open while it is asked.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from athena.contract.events import EventKind
from athena.contract.storages import StorageState
from athena.db import base
from athena.db.elements import FileRow
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.storages import StorageRow
from athena.errors import AthenaError
from athena.services.storage_access import open_row
from athena.settings import Settings
from athena.storages import Capacity

CHECK_EVERY = timedelta(minutes=5)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Found:
    state: StorageState
    message: str
    capacity: Capacity | None


def check_due(database: Database, settings: Settings) -> int:
    """Look at every storage that nobody has looked at for five minutes; returns how many those were.

    Several processes may do this: whoever moves the time of the last look on first does the looking.
    """
    with database.session(read_only=True) as session:
        due = session.scalars(select(StorageRow.id).where(_is_due())).all()
    return sum(_claim(database, storage_id) and check_storage(database, storage_id, settings) for storage_id in due)


def check_storage(database: Database, storage_id: UUID, settings: Settings) -> bool:
    """Look at one storage now; False where it is gone."""
    with database.session(read_only=True) as session:
        row = session.get(StorageRow, storage_id)
        if row is None:
            return False
        count, used = session.execute(
            select(func.count(), func.coalesce(func.sum(FileRow.size), 0)).where(FileRow.storage_id == storage_id)
        ).one()
    found = _look(row, settings)
    with database.session() as session:
        now_there = session.get(StorageRow, storage_id, with_for_update=True)
        if now_there is None:
            return False
        _record(session, now_there, found, count=count, used=int(used))
    return True


def _look(row: StorageRow, settings: Settings) -> _Found:
    try:
        storage = open_row(row, settings)
        storage.check()
        return _Found(StorageState.STABLE, "", storage.capacity())
    except AthenaError as problem:
        logger.warning("the storage “%s” is down: %s", row.name, problem)
        return _Found(StorageState.DOWN, str(problem), None)


def _record(session: Session, row: StorageRow, found: _Found, *, count: int, used: int) -> None:
    turned = row.state != found.state
    row.state, row.message, row.checked = found.state.value, found.message, base.now()
    row.file_count, row.used_bytes = count, used
    if found.capacity is not None:
        row.total_bytes, row.free_bytes = found.capacity.total, found.capacity.free
    session.flush()
    if turned:
        append_event(session, EventKind.STORAGE_CHANGED)


def _claim(database: Database, storage_id: UUID) -> bool:
    with database.session() as session:
        wanted = update(StorageRow).where(StorageRow.id == storage_id, _is_due())
        return session.scalar(wanted.values(checked=base.now()).returning(StorageRow.id)) is not None


def _is_due() -> ColumnElement[bool]:
    return or_(StorageRow.checked.is_(None), StorageRow.checked < base.now() - CHECK_EVERY)
