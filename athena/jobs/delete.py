"""Deleting an element with all below it: files, run stores, then rows, from the bottom up (WS-13)."""

import os
import shutil
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from athena.contract.elements import ElementKind
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind
from athena.contract.people import Action
from athena.db.acquisitions import AcquisitionRow, FoilHoleRow, GridSquareRow, RunRow
from athena.db.base import now
from athena.db.elements import ElementRow, FileRow, PermissionSetRow
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.domain.job_kinds import JobSpec
from athena.jobs.context import JobContext
from athena.services.storage_access import storage_of
from athena.zarrio.stores import PARTIAL

KIND = JobSpec(
    name=JobKind.DELETE.value,
    label="Deletion",
    run="athena.jobs.delete:run",
    action=Action.DELETE,
    elements=tuple(ElementKind),
    prepare="athena.services.deletion:prepare",
    slot="delete",
    unit="elements",
    cancellable=False,
    automatic_attempts=0,
)

_OF_RUNS = (JobKind.PROCESSING.value, JobKind.USER_METRICS.value)
"""Jobs that are part of their run."""
BATCH_ELEMENTS = 50
"""Elements whose rows go in one transaction, so that others need not wait long for the database."""
BATCH_FILES = 50
BATCH_ROWS = 2000
"""Rows of a run that go in one transaction."""
BUSY_SECONDS = 1.0
FILES_A_LOOK = 500

_ROWS_OF_RUNS: tuple[
    tuple[type[AcquisitionRow] | type[FoilHoleRow] | type[GridSquareRow], InstrumentedAttribute[int]], ...
] = (
    (AcquisitionRow, AcquisitionRow.index),
    (FoilHoleRow, FoilHoleRow.hole_id),
    (GridSquareRow, GridSquareRow.square_id),
)


def run(context: JobContext) -> None:
    """Delete; begun again after an interruption it goes on with what is still there."""
    with context.reading() as session:
        top = session.get_one(ElementRow, context.element_id)
        left = _count(session, top.path)
    total = int(context.checkpoint.setdefault("total", left))
    context.progress(total - left, total, message="Waiting for other work on it to end.", save=True)
    _await_others(context, top.path)
    while batch := _deepest(context, top):
        for row in batch:
            context.item = row.name
            _delete_content(context, row)
        with context.transaction() as session:
            _delete_rows(session, batch)
        left -= len(batch)
        context.progress(total - left, message=f"{left} elements to go.")
    context.item = top.name
    _delete_content(context, top)
    _finish(context, top)


def _await_others(context: JobContext, path: str) -> None:
    """Wait until whoever worked on the content has let go of it, so that nothing is written behind our back."""
    while True:
        with context.reading() as session:
            held = session.scalar(
                select(
                    exists().where(
                        JobRow.element_id == ElementRow.id,
                        ElementRow.path.startswith(path, autoescape=True),
                        JobRow.id != context.lease.job_id,
                        JobRow.lease_until > now(),
                    )
                )
            )
        if not held:
            return
        context.wait(BUSY_SECONDS)


def _deepest(context: JobContext, top: ElementRow) -> list[ElementRow]:
    """Some of the deepest elements below the top: all of one level, for none may go before what it holds."""
    below = (ElementRow.path.startswith(top.path, autoescape=True), ElementRow.id != top.id)
    depth = select(func.max(func.length(ElementRow.path))).where(*below).scalar_subquery()
    with context.reading() as session:
        query = select(ElementRow).where(*below, func.length(ElementRow.path) == depth)
        return list(session.scalars(query.limit(BATCH_ELEMENTS)))


def _delete_content(context: JobContext, row: ElementRow) -> None:
    """Take away what an element holds outside the tree, and the many rows of a run."""
    context.check()
    _delete_files(context, row.id)
    if row.kind != ElementKind.DATASET:
        return
    for store in context.settings.run_stores(str(row.id)):
        delete_store(context, store)
    for table, key in _ROWS_OF_RUNS:
        gone = BATCH_ROWS
        while gone == BATCH_ROWS:
            with context.transaction() as session:
                some = select(key).where(table.run_id == row.id).limit(BATCH_ROWS)
                rows = delete(table).where(table.run_id == row.id, key.in_(some)).returning(key)
                gone = len(session.execute(rows).all())
    delete_store(context, context.settings.run_defects(str(row.id)))
    # whatever a straggling worker wrote meanwhile
    for store in context.settings.run_stores(str(row.id)):
        delete_store(context, store)


def _delete_files(context: JobContext, element_id: UUID) -> None:
    """Remove files from whatever storages they lie on, archives too; a row goes after its bytes."""
    some = select(FileRow).where(FileRow.element_id == element_id).limit(BATCH_FILES)
    while True:
        with context.reading() as session:
            rows = list(session.scalars(some))
            storages = {row.storage_id: storage_of(session, row.storage_id, context.settings) for row in rows}
        if not rows:
            return
        for row in rows:
            storages[row.storage_id].delete(row.key)
        with context.transaction() as session:
            session.execute(delete(FileRow).where(FileRow.id.in_([row.id for row in rows])))


def delete_store(context: JobContext, store: Path) -> None:
    """Remove a run's zarr group: out of sight by one rename, then file by file."""
    if store.exists():
        store.rename(store.with_name(f"{store.name}.{uuid4().hex}{PARTIAL}"))
    for outgoing in store.parent.glob(f"{store.name}.*{PARTIAL}"):
        removed = 0
        for folder, _, files in os.walk(outgoing, topdown=False):
            for name in files:
                Path(folder, name).unlink(missing_ok=True)
                removed += 1
                if removed % FILES_A_LOOK == 0:
                    context.progress()
        shutil.rmtree(outgoing)


def _delete_rows(session: Session, rows: list[ElementRow], *, keep: UUID | None = None) -> None:
    ids = [row.id for row in rows]
    # other jobs stay on the lists of who started them: an export's path is worth knowing for longer than its origin
    session.execute(delete(JobRow).where(JobRow.element_id.in_(ids), JobRow.kind.in_(_OF_RUNS)))
    session.execute(delete(RunRow).where(RunRow.id.in_(ids)))
    session.execute(delete(ElementRow).where(ElementRow.id.in_(ids)))
    _drop_unused_sets(session, [row.permission_set_id for row in rows if row.permission_set_id != keep])


def _drop_unused_sets(session: Session, sets: list[UUID]) -> None:
    """Remove permission sets that no element refers to any more."""
    used = exists().where(ElementRow.permission_set_id == PermissionSetRow.id)
    for row in session.scalars(select(PermissionSetRow).where(PermissionSetRow.id.in_(sets), ~used)):
        session.delete(row)


def _finish(context: JobContext, top: ElementRow) -> None:
    """Remove the top and end the job in one transaction. Its permission set stays: the last event names it."""
    with context.transaction() as session:
        permissions = top.permission_set_id
        _delete_rows(session, [top], keep=permissions)
        # events last: they hold the clock
        context.finish(session, message="Deleted.", permission_set_id=permissions)
        append_event(session, EventKind.ELEMENT_DELETED, element_id=top.id, permission_set_id=permissions)
        if top.parent_id is not None:
            append_event(session, EventKind.ELEMENT_UPDATED, element_id=top.parent_id)


def _count(session: Session, path: str) -> int:
    below = select(func.count()).select_from(ElementRow).where(ElementRow.path.startswith(path, autoescape=True))
    return session.scalar(below) or 0
