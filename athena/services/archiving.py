"""What archiving and restoring check before they begin (WS-14)."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from athena.contract.base import Wire
from athena.contract.elements import State
from athena.contract.people import Principal
from athena.contract.runs import SourceState
from athena.contract.storages import StorageRole
from athena.db.acquisitions import SourceRow
from athena.db.elements import ElementRow, FileRow
from athena.db.jobs import JobRow
from athena.db.storages import StorageRow
from athena.domain.job_kinds import Prepared
from athena.domain.job_life import OPEN
from athena.errors import Conflict
from athena.services.storage_access import chosen_row
from athena.settings import Settings


def prepare_archive(
    session: Session, _principal: Principal, element: ElementRow, parameters: Wire, _settings: Settings
) -> Prepared:
    """Settle the archive storage.

    Raises
    ------
    Conflict : it is archived already, or a run below is still being acquired, or other work is going on there.
    Unavailable : no archive storage is chosen.
    """
    if element.state == State.ARCHIVED:
        raise Conflict(f"“{element.name}” is archived already.")
    below = select(ElementRow.id).where(ElementRow.path.startswith(element.path, autoescape=True))
    open_sources = (SourceState.WATCHING.value, SourceState.IMPORTING.value)
    if session.scalar(select(exists().where(SourceRow.run_id.in_(below), SourceRow.state.in_(open_sources)))):
        raise Conflict(f"In “{element.name}” a run is still being acquired.", hint="Archive it when it is complete.")
    if session.scalar(select(exists().where(JobRow.element_id.in_(below), JobRow.state.in_(OPEN)))):
        raise Conflict(f"Other jobs are at work in “{element.name}”.", hint="Wait for their end, or cancel them.")
    row = chosen_row(session, StorageRole.ARCHIVE)
    return Prepared(parameters, result={"storage_id": str(row.id), "storage": row.name})


def prepare_restore(
    session: Session, _principal: Principal, element: ElementRow, parameters: Wire, _settings: Settings
) -> Prepared:
    """Settle the storage that uploads go to.

    Raises
    ------
    Conflict : it is not archived.
    Unavailable : no primary storage is chosen.
    """
    below = select(ElementRow.id).where(ElementRow.path.startswith(element.path, autoescape=True))
    archives = select(StorageRow.id).where(StorageRow.role == StorageRole.ARCHIVE.value)
    # what a cancelled archiving had moved by then may be brought back too
    moved = select(exists().where(FileRow.element_id.in_(below), FileRow.storage_id.in_(archives)))
    if element.state != State.ARCHIVED and not session.scalar(moved):
        raise Conflict(f"“{element.name}” is not archived.")
    row = chosen_row(session, StorageRole.PRIMARY)
    return Prepared(parameters, result={"storage_id": str(row.id), "storage": row.name})
