"""Taking away parts of a run's data by rules (EX-04)."""

import shutil
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.cleanup import CleanupParameters, CleanupRule
from athena.contract.elements import DatasetType
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind
from athena.contract.people import Action
from athena.db.acquisitions import AcquisitionRow, SourceRow, bump_version
from athena.db.branches import default_branch
from athena.db.events import append_event
from athena.domain.job_kinds import CONTENT, JobSpec
from athena.domain.readable import count, size
from athena.jobs.context import JobContext
from athena.jobs.failures import ItemFailures, JobFailed
from athena.jobs.work import explain_os_error
from athena.services.cleanup import DONE, RAW, files_of, place_of

KIND = JobSpec(
    name=JobKind.CLEANUP.value,
    label="Cleanup",
    parameters=CleanupParameters,
    action=Action.DELETE,
    dataset_types=(DatasetType.EPU_RUN,),
    run="athena.jobs.cleanup:run",
    prepare="athena.services.cleanup:prepare",
    slot=CONTENT,
    unit="acquisitions",
)

BLOCK = 64
FLAGS = {CleanupRule.MOVIES: "movie_removed", CleanupRule.PROCESSED: "micrograph_removed"}
"""Flags that tell a reader why something is not there."""


def run(context: JobContext) -> None:
    """Go through the acquisitions; what is gone already is passed over, so it may be interrupted anywhere."""
    wanted: CleanupParameters = context.parameters
    with context.reading() as session:
        store = context.settings.run_store(str(context.element_id), default_branch(session, context.element_id))
        source = session.get(SourceRow, context.element_id)
        folder = Path(source.path) if source is not None else None
        of_run = select(func.count()).select_from(AcquisitionRow).where(AcquisitionRow.run_id == context.element_id)
        context.progress(total=session.scalar(of_run) or 0)
    failures = ItemFailures()
    while rows := _next(context):
        gone: dict[int, list[CleanupRule]] = {}
        for row in rows:
            context.item = row.name
            if row.state not in DONE:
                continue
            gone[row.index] = [rule for rule in wanted.rules if _remove(context, row, rule, folder, store, failures)]
        context.checkpoint["after"] = rows[-1].index
        with context.transaction() as session:
            _record(session, context, gone)
        context.progress(rows[-1].index + 1, save=True)
    if failures.count:
        context.checkpoint["after"] = -1  # a retry looks at all of them again
        raise JobFailed(failures.words("could not be taken away."), item=failures.first)
    freed = int(context.checkpoint.get("bytes", 0))
    context.result |= {"files": int(context.checkpoint.get("files", 0)), "bytes": freed}
    context.progress(message=f"{count(context.result['files'])} files, {size(freed)}, were taken away.", save=True)


def _next(context: JobContext) -> list[AcquisitionRow]:
    after = int(context.checkpoint.get("after", -1))
    query = (
        select(AcquisitionRow)
        .where(AcquisitionRow.run_id == context.element_id, AcquisitionRow.index > after)
        .order_by(AcquisitionRow.index)
        .limit(BLOCK)
    )
    with context.reading() as session:
        return list(session.scalars(query))


def _remove(
    context: JobContext,
    row: AcquisitionRow,
    rule: CleanupRule,
    folder: Path | None,
    store: Path,
    failures: ItemFailures,
) -> bool:
    """Take away what a rule says of an acquisition; whether it is not there any more."""
    place = place_of(row, rule, store)
    if place is None:
        return False
    if rule in RAW and (folder is None or not place.resolve().is_relative_to(folder.resolve())):
        failures.add(str(place), "It does not lie in the run's session folder.")
        return False
    try:
        files = files_of(place)
        size = sum(file.stat().st_size for file in files)
        if place.is_dir() and rule not in RAW:
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
    except OSError as error:
        failures.add(str(place), explain_os_error(error))
        return False
    context.checkpoint["files"] = int(context.checkpoint.get("files", 0)) + len(files)
    context.checkpoint["bytes"] = int(context.checkpoint.get("bytes", 0)) + size
    return True


def _record(session: Session, context: JobContext, gone: dict[int, list[CleanupRule]]) -> None:
    query = select(AcquisitionRow).where(
        AcquisitionRow.run_id == context.element_id,
        AcquisitionRow.index.in_([at for at, rules in gone.items() if rules]),
    )
    rows = session.scalars(query).all()
    for row in rows:
        rules = gone[row.index]
        if CleanupRule.MOVIES in rules:
            row.movie = None
        if CleanupRule.INTEGRATED in rules:
            row.files = {kind: path for kind, path in row.files.items() if kind != "image"}
        row.flags = sorted({*row.flags, *(FLAGS[rule] for rule in rules if rule in FLAGS)})
    if rows:
        session.flush()
        version = bump_version(session, context.element_id)
        append_event(session, EventKind.RUN_CHANGED, element_id=context.element_id, version=version)
