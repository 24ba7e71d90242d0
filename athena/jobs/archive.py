"""Moving what a dataset or workflow holds to the archive storage, and back (WS-14).

What moves: uploaded files, and of a run the session folder. Metadata, previews and results stay where they are. Each
batch is copied and read back, then the catalogue is told in one transaction, then the originals go; an interruption
anywhere leaves every file readable where the catalogue says it is.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from athena.contract.elements import ElementKind, State
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind
from athena.contract.people import Action
from athena.contract.storages import StorageRole
from athena.db.acquisitions import SourceRow
from athena.db.elements import RAW, ElementRow, FileRow
from athena.db.events import append_event
from athena.db.storages import StorageRow
from athena.domain.job_kinds import CONTENT, JobSpec
from athena.domain.readable import count, size
from athena.errors import Forbidden
from athena.jobs.content import safe_path, session_items
from athena.jobs.context import JobContext
from athena.jobs.transfer import COPIES_AT_A_TIME, Item, in_chunks, put_verified
from athena.services.storage_access import storage_of
from athena.storages import Storage
from athena.storages.base import Stored
from athena.storages.local import LocalStorage

_ON = (ElementKind.WORKFLOW, ElementKind.DATASET)

ARCHIVE = JobSpec(
    name=JobKind.ARCHIVE.value,
    label="Archiving",
    action=Action.DELETE,
    elements=_ON,
    run="athena.jobs.archive:archive",
    prepare="athena.services.archiving:prepare_archive",
    tidy="athena.jobs.archive:drop_originals",
    slot=CONTENT,
    unit="files",
)
RESTORE = JobSpec(
    name=JobKind.RESTORE.value,
    label="Restoring",
    action=Action.DELETE,
    elements=_ON,
    run="athena.jobs.archive:restore",
    prepare="athena.services.archiving:prepare_restore",
    tidy="athena.jobs.archive:drop_originals",
    slot=CONTENT,
    unit="files",
)

BATCH = 32


def archive(context: JobContext) -> None:
    """Move the content to the archive storage."""
    drop_originals(context)
    mover = _Mover(context)
    for run_id, folder in mover.sessions():
        mover.archive_session(run_id, folder)
    mover.move_files(StorageRole.PRIMARY)
    mover.finish(State.ACTIVE, State.ARCHIVED, "archived")


def restore(context: JobContext) -> None:
    """Move the content back."""
    drop_originals(context)
    mover = _Mover(context)
    for run_id, folder in mover.sessions():
        mover.restore_session(run_id, folder)
    mover.move_files(StorageRole.ARCHIVE)
    mover.finish(State.ARCHIVED, State.ACTIVE, "restored")


def drop_originals(context: JobContext) -> None:
    """Remove what the last batch left behind where it came from: the catalogue knows it at its new place."""
    for storage_id, key in context.checkpoint.get("originals", []):
        with context.reading() as session:
            storage = storage_of(session, UUID(storage_id), context.settings)
        storage.delete(key)
    for path in context.checkpoint.get("paths", []):
        Path(path).unlink(missing_ok=True)
    context.checkpoint |= {"originals": [], "paths": []}


class _Mover:
    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._target_id = UUID(context.result["storage_id"])
        with context.reading() as session:
            self._target = storage_of(session, self._target_id, context.settings)
            self._top = session.get_one(ElementRow, context.element_id)
        self._within: ColumnElement[bool] = ElementRow.path.startswith(self._top.path, autoescape=True)
        self._done = int(context.checkpoint.get("files", 0))
        self._bytes = int(context.checkpoint.get("bytes", 0))

    def sessions(self) -> list[tuple[UUID, Path]]:
        """Runs of the subtree that have a session folder."""
        query = select(SourceRow.run_id, SourceRow.path).join(ElementRow, ElementRow.id == SourceRow.run_id)
        with self._context.reading() as session:
            return [(run_id, Path(path)) for run_id, path in session.execute(query.where(self._within))]

    def archive_session(self, run_id: UUID, folder: Path) -> None:
        """Copy a session folder; the originals go only where the settings let Athena delete there."""
        may_delete = self._context.settings.cleanup_acquisition
        known = self._raw_names(run_id)
        items = (item for item in session_items(folder, ()) if item.name not in known)
        for batch in in_chunks(items, BATCH):
            stored = self._copy([(f"{RAW}/{run_id}/{item.name}", item) for item in batch])
            with self._context.transaction() as session:
                for item, one in zip(batch, stored, strict=True):
                    session.add(
                        FileRow(
                            element_id=run_id,
                            storage_id=self._target_id,
                            key=f"{RAW}/{run_id}/{item.name}",
                            name=item.name,
                            role=RAW,
                            size=one.size,
                            sha256=one.sha256,
                        )
                    )
                self._save(session, stored, paths=[item.source for item in batch] if may_delete else [])
            drop_originals(self._context)
        if may_delete:
            _drop_empty_folders(folder)

    def restore_session(self, run_id: UUID, folder: Path) -> None:
        """Write back what is missing of a session folder; what was never taken away only goes from the archive."""
        writable = self._context.settings.cleanup_acquisition
        while rows := self._rows(FileRow.element_id == run_id, FileRow.role == RAW):
            storages = self._storages(rows)
            stored = []
            for row in rows:
                self._context.item = row.name
                stored.append(_put_back(storages[row.storage_id], row, folder, writable=writable))
            with self._context.transaction() as session:
                session.execute(delete(FileRow).where(FileRow.id.in_([row.id for row in rows])))
                self._save(session, stored, originals=[[str(row.storage_id), row.key] for row in rows])
            drop_originals(self._context)

    def move_files(self, role: StorageRole) -> None:
        """Move every uploaded file that lies on a storage of this role."""
        below = select(ElementRow.id).where(self._within)
        there = select(StorageRow.id).where(StorageRow.role == role.value)
        conditions = (FileRow.element_id.in_(below), FileRow.storage_id.in_(there), FileRow.role != RAW)
        with self._context.reading() as session:
            left = session.scalar(select(func.count()).select_from(FileRow).where(*conditions)) or 0
        self._context.progress(self._done, self._done + left)
        while rows := self._rows(*conditions):
            storages = self._storages(rows)
            stored = self._copy([(row.key, _file_item(storages[row.storage_id], row)) for row in rows])
            with self._context.transaction() as session:
                moved = update(FileRow).where(FileRow.id.in_([row.id for row in rows]))
                session.execute(moved.values(storage_id=self._target_id))
                self._save(session, stored, originals=[[str(row.storage_id), row.key] for row in rows])
            drop_originals(self._context)

    def finish(self, before: State, after: State, word: str) -> None:
        """Set the state of the element and of all below it, and end the job."""
        with self._context.transaction() as session:
            within = update(ElementRow).where(self._within, ElementRow.state == before.value)
            session.execute(within.values(state=after.value, updated=ElementRow.updated))
            self._context.result |= {"files": self._done, "bytes": self._bytes}
            self._context.checkpoint.clear()
            self._context.finish(session, message=f"{count(self._done)} files, {size(self._bytes)}, {word}.")
            append_event(session, EventKind.ELEMENT_UPDATED, element_id=self._context.element_id)

    def _copy(self, items: Sequence[tuple[str, Item]]) -> list[Stored]:
        self._context.check()
        self._context.item = items[0][1].name
        with ThreadPoolExecutor(COPIES_AT_A_TIME, thread_name_prefix="copy") as pool:
            return list(
                pool.map(lambda one: put_verified(self._target, one[0], one[1].open(), sha256=one[1].sha256), items)
            )

    def _save(
        self,
        session: Session,
        stored: Sequence[Stored],
        *,
        originals: Sequence[Sequence[str]] = (),
        paths: Sequence[str] = (),
    ) -> None:
        self._done += len(stored)
        self._bytes += sum(one.size for one in stored)
        self._context.checkpoint |= {
            "files": self._done,
            "bytes": self._bytes,
            "originals": list(originals),
            "paths": list(paths),
        }
        self._context.save(session, done=self._done)

    def _rows(self, *conditions: ColumnElement[bool]) -> list[FileRow]:
        self._context.check()
        with self._context.reading() as session:
            return list(session.scalars(select(FileRow).where(*conditions).order_by(FileRow.id).limit(BATCH)))

    def _storages(self, rows: Sequence[FileRow]) -> dict[UUID, Storage]:
        with self._context.reading() as session:
            ids = {row.storage_id for row in rows}
            return {one: storage_of(session, one, self._context.settings) for one in ids}

    def _raw_names(self, run_id: UUID) -> set[str]:
        with self._context.reading() as session:
            query = select(FileRow.name).where(FileRow.element_id == run_id, FileRow.role == RAW)
            return set(session.scalars(query))


def _file_item(storage: Storage, row: FileRow) -> Item:
    return Item(row.name, lambda: storage.stream(row.key), str(row.id), row.sha256)


def _put_back(archived: Storage, row: FileRow, folder: Path, *, writable: bool) -> Stored:
    """Make sure that a raw file is in its session folder again."""
    key = safe_path(row.name.removeprefix(f"{RAW}/"))
    place = folder.joinpath(*key.split("/"))
    if place.is_file() and place.stat().st_size == row.size:
        return Stored(row.size, row.sha256)
    if not writable:
        raise Forbidden(
            f"{place} is missing, and Athena only reads on acquisition storages.",
            hint="An administrator may allow it with ATHENA_CLEANUP_ACQUISITION; the archive still has the file.",
        )
    return put_verified(LocalStorage(folder), key, archived.stream(row.key), sha256=row.sha256)


def _drop_empty_folders(folder: Path) -> None:
    """Remove the folders that archiving emptied, but not the session folder itself."""
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts)):
        if not any(path.iterdir()):
            path.rmdir()
