"""Files of elements: list, look up, rename, delete; where their bytes are."""

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Function, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from athena.contract.audit import AuditAction
from athena.contract.elements import DatasetType, ElementKind, State
from athena.contract.events import EventKind
from athena.contract.files import File, FileFolder, FilePage, FileSort, FileUpdate
from athena.contract.people import Principal
from athena.db import base
from athena.db.elements import ElementRow, FileRow
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.people import UserRow
from athena.db.search import SearchEntryRow
from athena.db.storages import StorageRow
from athena.domain.tree import sort_key
from athena.domain.zarr_folders import ROOTS, is_zarr_folder
from athena.errors import Conflict, Invalid, NotFound
from athena.services.audit import record
from athena.services.guard import get_visible_element, require_writer
from athena.services.storage_access import open_row
from athena.settings import Settings
from athena.storages import Storage
from athena.storages.keys import check_name, check_prefix

MAX_PAGE = 1000
MAX_FOLDERS = 10_000
"""Folders of one folder that are told."""
_NAMES_AT_ONCE = 500
LEFT_AFTER = timedelta(minutes=1)
"""A deletion that has not ended by then was killed, and is taken up by the housekeeping."""

_SORT_COLUMNS: dict[FileSort, InstrumentedAttribute[Any]] = {
    FileSort.NAME: FileRow.sort_key,
    FileSort.CREATED: FileRow.created,
    FileSort.SIZE: FileRow.size,
}
_RUN_WORDS = {
    DatasetType.EPU_RUN: "an EPU run",
    DatasetType.TOMO_RUN: "a Tomo run",
    DatasetType.CRYOSPARC_LIVE_RUN: "a CryoSPARC Live run",
}
_FIELD_TYPES = {
    **dict.fromkeys((".mrc", ".mrcs", ".map", ".rec", ".st", ".ali"), "image/x-mrc"),
    **dict.fromkeys((".star", ".mdoc", ".md", ".log", ".com", ".yaml", ".yml", ".toml"), "text/plain"),
    ".eer": "image/x-eer",
}


@dataclass(frozen=True)
class Content:
    """Where the bytes of a file are; ``size`` is what the catalogue says."""

    name: str
    media_type: str
    size: int
    storage: Storage
    key: str


def list_files(
    session: Session,
    principal: Principal,
    element_id: UUID,
    *,
    offset: int = 0,
    limit: int = 100,
    sort: FileSort = FileSort.NAME,
    descending: bool = False,
    name: str | None = None,
    folder: str | None = None,
) -> FilePage:
    """Files that lie in an element itself, not in those below it. Raises NotFound, Invalid.

    Parameters
    ----------
    name : of the one file that is asked for.
    folder : only files that lie in this folder itself, with the folders in it; empty: at the top.
    """
    get_visible_element(session, principal, element_id)
    if offset < 0 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page starts at 0 or later and has 1 to {MAX_PAGE} files.")
    here = _present(element_id)
    if name is not None:
        here.append(FileRow.name == check_name(name))
    folders: tuple[FileFolder, ...] = ()
    if folder is not None:
        prefix = check_prefix(folder)
        folders = _folders(session, [*here, *below_folder(prefix)], prefix)
        here = in_folder(element_id, prefix)
    total, size = session.execute(select(func.count(), func.coalesce(func.sum(FileRow.size), 0)).where(*here)).one()
    column = _SORT_COLUMNS[sort]
    order = (column.desc(), FileRow.id.desc()) if descending else (column, FileRow.id)
    rows = session.scalars(select(FileRow).where(*here).order_by(*order).offset(offset).limit(limit)).all()
    return FilePage(items=describe_files(session, rows), total=total, total_bytes=int(size), folders=folders)


def _present(element_id: UUID) -> list[ColumnElement[bool]]:
    return [FileRow.element_id == element_id, FileRow.deleted.is_(None)]


def in_folder(element_id: UUID, prefix: str) -> list[ColumnElement[bool]]:
    """Condition of the files of an element that lie right below a prefix."""
    return [*_present(element_id), *below_folder(prefix), ~_rest(prefix).contains("/")]


def _rest(prefix: str) -> Function[Any]:
    """What follows a prefix in a name."""
    return func.substr(FileRow.name, len(prefix) + 1)


def below_folder(prefix: str) -> list[ColumnElement[bool]]:
    """Condition of names that begin with a prefix; by letters, since LIKE does not tell case on SQLite."""
    return [func.substr(FileRow.name, 1, len(prefix)) == prefix] if prefix else []


def _folders(session: Session, within: Sequence[ColumnElement[bool]], prefix: str) -> tuple[FileFolder, ...]:
    """Folders right below a prefix, in order of their names as people order them."""
    find = func.instr if session.get_bind().dialect.name == "sqlite" else func.strpos
    slash = find(_rest(prefix), "/")
    label = func.substr(FileRow.name, len(prefix) + 1, slash - 1).label("folder")
    counted = (
        select(label, func.count(), func.sum(FileRow.size)).where(*within, slash > 0).group_by(label).limit(MAX_FOLDERS)
    )
    rows = session.execute(counted).all()
    volumes = _volumes(session, within, prefix, [name for name, _, _ in rows if is_zarr_folder(name)])
    found = [FileFolder(name=name, count=count, size=int(size), volume=volumes.get(name)) for name, count, size in rows]
    return tuple(sorted(found, key=lambda one: sort_key(one.name)))


def _volumes(
    session: Session, within: Sequence[ColumnElement[bool]], prefix: str, folders: Sequence[str]
) -> dict[str, UUID]:
    """The file that stands for each of some zarr folders, where it is there."""
    found: dict[str, UUID] = {}
    for root in reversed(ROOTS):  # the first of them wins
        for first in range(0, len(folders), _NAMES_AT_ONCE):
            named = {f"{prefix}{folder}/{root}": folder for folder in folders[first : first + _NAMES_AT_ONCE]}
            rows = session.execute(select(FileRow.name, FileRow.id).where(*within, FileRow.name.in_(named)))
            found |= {named[name]: file_id for name, file_id in rows}
    return found


def get_file(session: Session, principal: Principal, element_id: UUID, file_id: UUID) -> File:
    """One file of an element. Raises NotFound."""
    get_visible_element(session, principal, element_id)
    (file,) = describe_files(session, [file_row(session, element_id, file_id)])
    return file


def get_content(
    session: Session, principal: Principal, element_id: UUID, file_id: UUID, *, settings: Settings
) -> Content:
    """Where the bytes of a file are. Raises NotFound, also where the file's element may not be seen."""
    get_visible_element(session, principal, element_id)
    return content_of(session, file_row(session, element_id, file_id), settings)


def content_of(session: Session, row: FileRow, settings: Settings) -> Content:
    """Where the bytes of a row are, for callers that have guarded its element."""
    storage = open_row(session.get_one(StorageRow, row.storage_id), settings)
    return Content(row.name, media_type(row.name), row.size, storage, row.key)


def rename_file(session: Session, principal: Principal, element_id: UUID, file_id: UUID, change: FileUpdate) -> File:
    """Give a file another name; its bytes stay where they are. Raises NotFound, Forbidden, Invalid, Conflict."""
    element = require_writer(session, principal, element_id)
    row = file_row(session, element_id, file_id)
    name = check_name(change.name)
    if name != row.name:
        record(session, principal, AuditAction.FILE_RENAMED, element, before=row.name, after=name)
        row.name = name
        flush_named(session, element, name)
        append_event(session, EventKind.FILE_CHANGED, element_id=element_id)
    (file,) = describe_files(session, [row])
    return file


def mark_deleted(session: Session, principal: Principal, element_id: UUID, file_id: UUID) -> None:
    """First half of deleting a file: nobody sees it any more, and its name is free. Raises NotFound, Forbidden."""
    element = require_writer(session, principal, element_id)
    row = file_row(session, element_id, file_id)
    record(session, principal, AuditAction.FILE_DELETED, element, name=row.name, sha256=row.sha256)
    row.deleted = base.now()
    row.name = f"{row.id} (deleted)"
    session.flush()
    session.execute(delete(SearchEntryRow).where(SearchEntryRow.file_id == row.id))
    append_event(session, EventKind.FILE_CHANGED, element_id=element_id)


def remove_deleted(database: Database, settings: Settings, *, file_id: UUID | None = None) -> int:
    """Second half: remove the bytes, then the row; of one file, or of all whose deletion was killed half-way."""
    which = FileRow.id == file_id if file_id else FileRow.deleted < base.now() - LEFT_AFTER
    with database.session(read_only=True) as session:
        rows = session.scalars(select(FileRow).where(FileRow.deleted.is_not(None), which).limit(MAX_PAGE)).all()
        places = [(row.id, content_of(session, row, settings)) for row in rows]
    for row_id, place in places:
        place.storage.delete(place.key)
        with database.session() as session:
            row = session.get(FileRow, row_id)
            if row is not None:
                session.delete(row)
    return len(places)


def require_file_place(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element that the caller may put files into (WS-05, WS-16).

    Raises NotFound, Forbidden, Conflict (archived, being deleted), or Invalid where no element of its kind or type
    takes files of people.
    """
    element = require_writer(session, principal, element_id)
    if element.kind == ElementKind.DATASET and element.type != DatasetType.FREE:
        raise Invalid(
            f"“{element.name}” is {_RUN_WORDS[DatasetType(element.type)]}: it is filled by its acquisition, and nobody "
            "uploads to it.",
            hint="Make a free dataset in the same step and upload to that.",
        )
    if element.kind not in (ElementKind.STEP, ElementKind.DATASET):
        raise Invalid(f"“{element.name}” is a {element.kind}: only steps and free datasets hold files.")
    if element.state != State.ACTIVE:
        raise Conflict(f"“{element.name}” is {element.state}.", hint="Restore it first.")
    return element


def flush_named(session: Session, element: ElementRow, name: str) -> None:
    """Write, and tell a name that is taken."""
    taken = name_taken(element, name)  # the element cannot be read any more once the flush has failed
    try:
        session.flush()
    except IntegrityError as problem:
        raise taken from problem


def name_taken(element: ElementRow, name: str) -> Conflict:
    """The answer where an element has a file of this name already."""
    return Conflict(
        f"“{element.name}” has a file {name!r} already.", hint="Use another name, or delete or rename that file."
    )


def media_type(name: str) -> str:
    """Media type by the ending of a file's name."""
    ending = f".{name.rsplit('.', 1)[-1].lower()}" if "." in name else ""
    return _FIELD_TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def describe_files(session: Session, rows: Sequence[FileRow]) -> tuple[File, ...]:
    """Rows as the contract has them."""
    storages = dict(session.execute(select(StorageRow.id, StorageRow.name)).all())
    people = {row.creator_id for row in rows if row.creator_id is not None}
    names = dict(session.execute(select(UserRow.id, UserRow.username).where(UserRow.id.in_(people))).all())
    return tuple(
        File(
            id=row.id,
            element_id=row.element_id,
            name=row.name,
            role=row.role,
            media_type=media_type(row.name),
            size=row.size,
            sha256=row.sha256,
            storage=storages[row.storage_id],
            creator=names.get(row.creator_id, "") if row.creator_id else "",
            created=row.created,
            acquisition_index=row.acquisition_index,
        )
        for row in rows
    )


def file_row(session: Session, element_id: UUID, file_id: UUID) -> FileRow:
    """A file of an element, for callers that have guarded it. Raises NotFound."""
    row = session.scalar(
        select(FileRow).where(FileRow.id == file_id, FileRow.element_id == element_id, FileRow.deleted.is_(None))
    )
    if row is None:
        raise NotFound(f"The element has no file {file_id}.", hint="It may have been deleted.")
    return row
