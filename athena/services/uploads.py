"""Uploads to steps and free datasets: begin, go on, finish, cancel, expire (WS-16).

The bytes of an upload grow in a partial file named after its id; its size is how far the upload is. Finishing moves it
to its storage and then adds the file's row. Each step may be killed and done again: the id of the file, and so its key,
is that of the upload from the beginning.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.files import File, HandedOver, HandOver, Upload, UploadWanted
from athena.contract.people import Principal, PrincipalKind
from athena.contract.storages import StorageRole
from athena.db import base
from athena.db.elements import FileRow
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.storages import StorageRow, UploadRow
from athena.errors import Busy, Conflict, Forbidden, Invalid, NotFound, TooLarge
from athena.services.audit import record
from athena.services.files import describe_files, flush_named, name_taken, require_file_place
from athena.services.storage_access import chosen_row, open_row
from athena.settings import Settings
from athena.storages import Storage
from athena.storages.copying import checksum
from athena.storages.keys import check_name
from athena.storages.local import sweep_folder
from athena.storages.partials import Partial

MAX_OPEN = 1000
"""Unfinished uploads a user may have at once."""


@dataclass(frozen=True)
class Ticket:
    """An upload that may be gone on with: what it is, where it grows, and where it will lie."""

    id: UUID
    element_id: UUID
    name: str
    size: int
    sha256: str
    expires: datetime
    partial: Partial
    storage: Storage
    key: str

    @property
    def offset(self) -> int:
        """Bytes that are here; all of them once the file is moved to its storage."""
        if self.partial.exists():
            return self.partial.offset
        return self.size if self.storage.exists(self.key) else 0

    def near_its_end(self, settings: Settings) -> bool:
        """Whether it expires before half of its time is over again: then it is time to put that off."""
        return self.expires - base.now() < timedelta(hours=settings.upload_hours / 2)


def begin_upload(
    session: Session, principal: Principal, element_id: UUID, wanted: UploadWanted, *, settings: Settings
) -> Upload:
    """Note a new upload; its partial file is made by the first bytes.

    Raises
    ------
    NotFound, Forbidden : as for any change of the element.
    Invalid : a run, or a kind of element that holds no files; or no safe name.
    Conflict : there is a file of this name, or the caller has too many unfinished uploads.
    TooLarge : more than this instance takes, the storage's quota allows, or there is room for.
    """
    element = require_file_place(session, principal, element_id)
    name = check_name(wanted.name)
    if session.scalar(select(FileRow.id).where(FileRow.element_id == element_id, FileRow.name == name)) is not None:
        raise name_taken(element, name)
    mine = select(func.count()).select_from(UploadRow).where(UploadRow.user_id == principal.user_id)
    if (session.scalar(mine) or 0) >= MAX_OPEN:
        raise Conflict(f"You have {MAX_OPEN} unfinished uploads.", hint="Finish or cancel some of them first.")
    storage = chosen_row(session, StorageRole.PRIMARY)
    _check_room(session, storage, wanted, settings)
    now = base.now()
    row = UploadRow(
        id=uuid4(),
        element_id=element_id,
        user_id=principal.user_id,
        storage_id=storage.id,
        name=name,
        size=wanted.size,
        sha256=wanted.sha256,
        created=now,
        expires=now + timedelta(hours=settings.upload_hours),
    )
    session.add(row)
    session.flush()
    return _describe(row, offset=0)


def list_uploads(session: Session, principal: Principal, element_id: UUID, *, settings: Settings) -> tuple[Upload, ...]:
    """Unfinished uploads of the caller to an element, oldest first. Raises NotFound, Forbidden, Invalid."""
    require_file_place(session, principal, element_id)
    rows = session.scalars(
        select(UploadRow)
        .where(
            UploadRow.element_id == element_id,
            UploadRow.user_id == principal.user_id,
            UploadRow.expires > base.now(),
        )
        .order_by(UploadRow.created, UploadRow.id)
    )
    return tuple(_describe(row, offset=_ticket(session, row, settings).offset) for row in rows)


def find_upload(
    session: Session, principal: Principal, element_id: UUID, upload_id: UUID, *, settings: Settings
) -> Ticket:
    """Unfinished upload of the caller, to go on with. Raises NotFound, Forbidden, Invalid, Conflict."""
    require_file_place(session, principal, element_id)
    return _ticket(session, _row(session, principal, element_id, upload_id), settings)


def find_finished(session: Session, principal: Principal, element_id: UUID, upload_id: UUID) -> File | None:
    """File that an upload has become; None where it has not. Raises as :func:`find_upload`."""
    require_file_place(session, principal, element_id)
    row = session.scalar(
        select(FileRow).where(
            FileRow.id == upload_id,
            FileRow.element_id == element_id,
            FileRow.creator_id == principal.user_id,
            FileRow.deleted.is_(None),
        )
    )
    return describe_files(session, [row])[0] if row is not None else None


def keep_alive(
    session: Session, principal: Principal, element_id: UUID, upload_id: UUID, *, settings: Settings
) -> None:
    """Put off the end of an upload that goes on."""
    require_file_place(session, principal, element_id)
    row = _row(session, principal, element_id, upload_id)
    row.expires = base.now() + timedelta(hours=settings.upload_hours)


def offer_hand_over(principal: Principal, ticket: Ticket) -> HandOver:
    """Empty partial file that the owner of this instance, on the same machine, may write by himself.

    Raises
    ------
    Forbidden : the caller came with anything but the instance's own token, which only its owner can read.
    Conflict : bytes are here already, sent the other way: that is how to go on.
    """
    if principal.kind is not PrincipalKind.LOCAL:
        raise Forbidden("Files are handed over only to who owns this instance.", hint="Send them by tus.")
    if ticket.offset:
        raise Conflict(f"{ticket.offset} bytes of {ticket.name!r} are here already.", hint="Go on by tus.")
    with ticket.partial.locked():  # makes it where it is not there yet
        return HandOver(path=str(ticket.partial.path))


def accept_hand_over(database: Database, principal: Principal, ticket: Ticket, done: HandedOver) -> File:
    """Make a file of an upload whose bytes its sender has written himself, and hashed as he did.

    Raises as :func:`offer_hand_over` and :func:`complete_upload`; Conflict where bytes are missing.
    """
    if principal.kind is not PrincipalKind.LOCAL:
        raise Forbidden("Files are handed over only by who owns this instance.", hint="Send them by tus.")
    if ticket.offset != ticket.size:
        raise Conflict(f"{ticket.offset} of {ticket.size} bytes of {ticket.name!r} are here.", hint="Write the rest.")
    return complete_upload(database, principal, ticket, sha256_told=done.sha256)


def complete_upload(database: Database, principal: Principal, ticket: Ticket, *, sha256_told: str = "") -> File:
    """Make a file of an upload whose bytes are all here; done again after a kill, it goes on where it was.

    Raises as :func:`begin_upload`, and Conflict where the bytes have not the SHA-256 they should; the upload is then
    ended and its bytes are removed.

    Parameters
    ----------
    sha256_told : by who wrote the bytes and may be believed; empty: it is computed.
    """
    try:
        if ticket.partial.exists():
            with ticket.partial.locked():
                sha256 = sha256_told or ticket.partial.sha256()
                _check_whole(ticket, sha256)
                ticket.storage.adopt(ticket.key, ticket.partial.path)
                ticket.partial.moved()
        else:
            if not ticket.size:  # no chunk has made a partial file
                ticket.storage.put(ticket.key, b"")
            sha256 = checksum(ticket.storage, ticket.key).sha256
            _check_whole(ticket, sha256)
        with database.session() as session:
            return _add_file(session, principal, ticket, sha256=sha256)
    except Busy:
        raise
    except (Conflict, NotFound, Forbidden, Invalid):
        with database.session() as session:
            if session.get(FileRow, ticket.id) is None:  # else another request has finished it
                upload = session.get(UploadRow, ticket.id)
                if upload is not None:
                    session.delete(upload)
                discard(ticket)
        raise


def _check_whole(ticket: Ticket, sha256: str) -> None:
    if ticket.sha256 and ticket.sha256 != sha256:
        raise Conflict(
            f"{ticket.name!r} arrived with the SHA-256 {sha256}, not {ticket.sha256}.",
            hint="Nothing was kept of it. Was the file changed while it was sent? Send it again.",
        )


def _add_file(session: Session, principal: Principal, ticket: Ticket, *, sha256: str) -> File:
    element = require_file_place(session, principal, ticket.element_id)
    upload = _row(session, principal, ticket.element_id, ticket.id)
    row = FileRow(
        id=ticket.id,
        element_id=ticket.element_id,
        storage_id=upload.storage_id,
        key=ticket.key,
        name=ticket.name,
        size=ticket.size,
        sha256=sha256,
        creator_id=principal.user_id,
        created=base.now(),
    )
    session.add(row)
    session.delete(upload)
    record(session, principal, AuditAction.FILE_ADDED, element, name=ticket.name, sha256=sha256)
    flush_named(session, element, ticket.name)
    append_event(session, EventKind.FILE_CHANGED, element_id=ticket.element_id)
    return describe_files(session, [row])[0]


def cancel_upload(
    session: Session, principal: Principal, element_id: UUID, upload_id: UUID, *, settings: Settings
) -> Ticket:
    """End an upload; the caller removes its bytes. Raises NotFound, Forbidden, Invalid."""
    ticket = find_upload(session, principal, element_id, upload_id, settings=settings)
    session.delete(_row(session, principal, element_id, upload_id))
    return ticket


def discard(ticket: Ticket) -> None:
    """Remove the bytes of an upload that has ended without becoming a file."""
    ticket.partial.remove()
    ticket.storage.delete(ticket.key)


def remove_expired(database: Database, settings: Settings) -> int:
    """End the uploads that nobody goes on with, and remove what they left; returns how many those were."""
    with database.session(read_only=True) as session:
        rows = session.scalars(select(UploadRow).where(UploadRow.expires < base.now()).limit(MAX_OPEN)).all()
        tickets = [_ticket(session, row, settings) for row in rows]
    return sum(_end_expired(database, ticket) for ticket in tickets)


def _end_expired(database: Database, ticket: Ticket) -> bool:
    try:
        with ticket.partial.locked(), database.session() as session:
            row = session.get(UploadRow, ticket.id)
            if row is not None and row.expires >= base.now():
                return False
            ticket.partial.remove()
            if row is None:
                return False  # finished or cancelled in the meantime
            session.delete(row)
            ticket.storage.delete(ticket.key)
            return True
    except Busy:  # its sender is back
        return False


def sweep_partials(database: Database, settings: Settings) -> int:
    """Remove old partial files that no upload belongs to: of killed writers, of elements and people that are gone."""
    old = timedelta(hours=2 * settings.upload_hours)
    with database.session(read_only=True) as session:
        rows = session.scalars(select(StorageRow).where(StorageRow.role != StorageRole.ACQUISITION.value)).all()
    swept = sum(open_row(row, settings).sweep(old) for row in rows)
    return swept + sweep_folder(settings.upload_dir, old)


def file_key(element_id: UUID, file_id: UUID) -> str:
    """Key of an uploaded file: of ids alone, so nothing that people name can reach a path."""
    return f"{element_id.hex}/{file_id.hex}"


def _check_room(session: Session, storage: StorageRow, wanted: UploadWanted, settings: Settings) -> None:
    if settings.max_upload_bytes and wanted.size > settings.max_upload_bytes:
        raise TooLarge(
            f"{wanted.name!r} has {wanted.size} bytes; this instance takes files of up to {settings.max_upload_bytes}."
        )
    if storage.quota_bytes is not None:
        kept = session.scalar(select(func.sum(FileRow.size)).where(FileRow.storage_id == storage.id)) or 0
        coming = session.scalar(select(func.sum(UploadRow.size)).where(UploadRow.storage_id == storage.id)) or 0
        if kept + coming + wanted.size > storage.quota_bytes:
            raise TooLarge(
                f"{wanted.name!r} does not fit into the quota of the storage “{storage.name}”.",
                hint="Delete files, or ask an administrator for more room.",
            )
    target = open_row(storage, settings)
    staged = target.staging or settings.upload_dir
    free = Partial.room(staged)
    if wanted.size > free:
        raise TooLarge(
            f"{wanted.name!r} has {wanted.size} bytes, but the storage “{storage.name}” has {free} free.",
            hint="Delete files, or ask an administrator for more room.",
        )


def _row(session: Session, principal: Principal, element_id: UUID, upload_id: UUID) -> UploadRow:
    row = session.scalar(
        select(UploadRow).where(
            UploadRow.id == upload_id,
            UploadRow.element_id == element_id,
            UploadRow.user_id == principal.user_id,
            UploadRow.expires > base.now(),
        )
    )
    if row is None:
        raise NotFound(
            f"There is no unfinished upload {upload_id}.", hint="It was finished, cancelled, or has expired."
        )
    return row


def _ticket(session: Session, row: UploadRow, settings: Settings) -> Ticket:
    storage = open_row(session.get_one(StorageRow, row.storage_id), settings)
    folder: Path = storage.staging or settings.upload_dir
    return Ticket(
        id=row.id,
        element_id=row.element_id,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        expires=row.expires,
        partial=Partial(folder / row.id.hex),
        storage=storage,
        key=file_key(row.element_id, row.id),
    )


def _describe(row: UploadRow, *, offset: int) -> Upload:
    return Upload(
        id=row.id,
        element_id=row.element_id,
        name=row.name,
        size=row.size,
        offset=offset,
        created=row.created,
        expires=row.expires,
    )
