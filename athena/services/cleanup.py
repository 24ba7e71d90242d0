"""Cleanup of a run: what each rule would take away, and whether it may (EX-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.cleanup import CleanupParameters, CleanupRule, CleanupSize
from athena.contract.elements import DatasetType
from athena.contract.jobs import JobKind
from athena.contract.people import Principal
from athena.contract.runs import SourceState
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.db.branches import default_branch
from athena.db.elements import ElementRow
from athena.db.jobs import JobRow
from athena.domain.job_kinds import Prepared
from athena.domain.job_life import OPEN
from athena.errors import Conflict, Forbidden, Invalid
from athena.services.guard import require_owner
from athena.settings import Settings
from athena.zarrio.layout import image_path

LABELS = {
    CleanupRule.MOVIES: "Movies (fractions, EER)",
    CleanupRule.INTEGRATED: "Integrated images",
    CleanupRule.PROCESSED: "Motion-corrected micrographs",
}
RULES: dict[DatasetType, tuple[CleanupRule, ...]] = {DatasetType.EPU_RUN: tuple(CleanupRule)}
"""Rules of each type of dataset."""
RAW = frozenset({CleanupRule.MOVIES, CleanupRule.INTEGRATED})
"""Rules that take away what the microscope wrote."""
DONE = (AcquisitionState.COMPLETED.value, AcquisitionState.ERROR.value)
"""Of an acquisition that still waits for processing nothing is taken away."""
READ_ONLY = "They lie on an acquisition storage, where Athena only reads."


@dataclass(frozen=True)
class CleanupContent:
    """Files and folders that each rule would take away."""

    places: dict[CleanupRule, tuple[Path, ...]]
    raw_allowed: bool


def prepare(
    session: Session, principal: Principal, element: ElementRow, parameters: CleanupParameters, settings: Settings
) -> Prepared:
    """Check that the rules are the dataset's, that nothing needs the data, and that they may go.

    Raises
    ------
    Invalid : a rule that datasets of this type do not have.
    Forbidden : raw data on an acquisition storage, and no setting that allows it.
    Conflict : the run is still being acquired or processed, or an export reads it.
    """
    rules = RULES.get(DatasetType(element.type), ())
    if unknown := [rule.value for rule in parameters.rules if rule not in rules]:
        raise Invalid(f"“{element.name}” has no {', '.join(unknown)} to clean up.")
    if RAW & set(parameters.rules) and not settings.cleanup_acquisition:
        raise Forbidden(
            f"The raw data of “{element.name}” stay: {READ_ONLY[0].lower()}{READ_ONLY[1:]}",
            hint="An administrator may allow it with ATHENA_CLEANUP_ACQUISITION.",
        )
    _refuse_busy(session, element)
    return Prepared(parameters)


def list_content(session: Session, principal: Principal, run_id: UUID, *, settings: Settings) -> CleanupContent:
    """What each rule of a run would take away; for its owners."""
    element = require_owner(session, principal, run_id)
    rules = RULES.get(DatasetType(element.type), ()) if element.kind == "dataset" else ()
    if not rules:
        raise Invalid(f"“{element.name}” has nothing that a cleanup takes away.", hint="Runs of EPU have.")
    query = select(AcquisitionRow).where(AcquisitionRow.run_id == run_id, AcquisitionRow.state.in_(DONE))
    found: dict[CleanupRule, list[Path]] = {rule: [] for rule in rules}
    store = settings.run_store(str(run_id), default_branch(session, run_id))
    for row in session.scalars(query.execution_options(yield_per=1000)):
        for rule in rules:
            if (place := place_of(row, rule, store)) is not None:
                found[rule].append(place)
    return CleanupContent({rule: tuple(places) for rule, places in found.items()}, settings.cleanup_acquisition)


def measure(content: CleanupContent) -> tuple[CleanupSize, ...]:
    """Files and bytes of each rule; looks at every file, so call it with no transaction open."""
    sizes = []
    for rule, places in content.places.items():
        files, size = _measured(places)
        allowed = rule not in RAW or content.raw_allowed
        reason = "" if allowed else READ_ONLY
        sizes.append(
            CleanupSize(rule=rule, label=LABELS[rule], files=files, bytes=size, allowed=allowed, reason=reason)
        )
    return tuple(sizes)


def place_of(row: AcquisitionRow, rule: CleanupRule, store: Path) -> Path | None:
    """File or folder that a rule takes away of an acquisition; None where there is none."""
    if rule is CleanupRule.MOVIES:
        return Path(row.movie) if row.movie else None
    if rule is CleanupRule.INTEGRATED:
        return Path(row.files["image"]) if "image" in row.files else None
    return store / image_path(row.index)


def _measured(places: Sequence[Path]) -> tuple[int, int]:
    sizes = [file.stat().st_size for place in places for file in files_of(place)]
    return len(sizes), sum(sizes)


def files_of(place: Path) -> list[Path]:
    """The file, or the files below the folder; none where nothing is there."""
    if place.is_dir():
        return [path for path in place.rglob("*") if path.is_file()]
    return [place] if place.is_file() else []


def _refuse_busy(session: Session, element: ElementRow) -> None:
    source = session.get(SourceRow, element.id)
    if source is not None and source.state in (SourceState.WATCHING, SourceState.IMPORTING):
        raise Conflict(f"“{element.name}” is still being acquired.", hint="Clean it up when it is complete.")
    kinds = (JobKind.EXPORT.value, JobKind.LIVE_EXPORT.value, JobKind.PROCESSING.value, JobKind.REPROCESS.value)
    busy = exists().where(JobRow.element_id == element.id, JobRow.kind.in_(kinds), JobRow.state.in_(OPEN))
    if session.scalar(select(busy)):
        raise Conflict(f"“{element.name}” is being processed or exported.", hint="Wait for the end of it.")
