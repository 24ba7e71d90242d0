"""Runs: what they hold, the session folder that fills them, and the grid they were taken on."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import DiscoveredAtlas, DiscoveredFoilHole, DiscoveredGridSquare
from athena.contract.audit import AuditAction
from athena.contract.branches import FIRST
from athena.contract.elements import DatasetType, ElementKind, State
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind
from athena.contract.people import Principal
from athena.contract.processing import GainOrientation, GainSense
from athena.contract.runs import ParametersUpdate, Run, RunGrid, Source, SourceCreate, SourceState
from athena.db.acquisitions import (
    AcquisitionRow,
    AtlasRow,
    FoilHoleRow,
    GridSquareRow,
    RunRow,
    SourceRow,
    bump_version,
    count_states,
)
from athena.db.branches import BranchRow
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.jobs import JobRow, processing_job, reopen_processing
from athena.domain.templates import RUN_ADAPTERS, TEMPLATES
from athena.domain.tree import path_ids
from athena.errors import Conflict, Invalid
from athena.services.audit import record
from athena.services.criteria import rules_of
from athena.services.elements import get_element
from athena.services.guard import get_visible_run, require_writer
from athena.services.parameters import apply_parameters
from athena.services.run_filters import saved_filter
from athena.services.session_paths import checked_folder
from athena.services.statuses import follow_acquisitions
from athena.services.storage_access import acquisition_folders
from athena.services.user_metrics import describe_metrics
from athena.settings import Settings
from athena.zarrio.layout import METRICS


def get_run(session: Session, principal: Principal, run_id: UUID, *, settings: Settings) -> Run:
    """Run as the caller sees it, with its counts and source; NotFound for what is not a run."""
    run = get_visible_run(session, principal, run_id)
    source = session.get(SourceRow, run_id)
    return Run(
        element=get_element(session, principal, run_id),
        version=run.version,
        counts=count_states(session, run_id),
        source=_describe_source(source) if source is not None else None,
        pixel_size_angstrom=_pixel_size(session, run_id),
        metrics=tuple(METRICS),
        user_metrics=describe_metrics(session, run_id, source=False),
        **_branch_names(session, run),
        parameters=run.parameters,
        criteria=rules_of(session, run_id, settings).rules,
        filter=saved_filter(session, run_id).rules,
    )


Locate = Callable[[Path, str], Path]
"""Takes a folder and an adapter's name to the session folder that is meant."""


def attach_source(
    session: Session,
    principal: Principal,
    run_id: UUID,
    wanted: SourceCreate,
    *,
    settings: Settings,
    locate: Locate = lambda folder, _adapter: folder,
) -> Run:
    """Let a session folder fill a run; a runner takes it up from there.

    Attaching the same folder again wakes the source (and changes ``follow``). In a workflow whose template processes
    movies, the run's processing job is made with it. Raises NotFound, Forbidden, Invalid (no such adapter, folder
    missing or outside the acquisition roots, adapter of another kind of run) or Conflict (it is archived, or another
    folder fills it, which has not been looked at in vain).
    """
    element = require_writer(session, principal, run_id)
    run = get_visible_run(session, principal, run_id)
    if element.state == State.ARCHIVED:
        raise Conflict(f"The run “{element.name}” is archived.", hint="Restore it first.")
    _check_adapter(wanted.adapter, DatasetType(element.type))
    allowed = acquisition_folders(session, settings)
    folder = locate(checked_folder(wanted.path, settings, allowed), wanted.adapter)
    # what lies in an allowed folder may be a link out of it
    folder = checked_folder(str(folder), settings, allowed)
    # the order in which the registrar and the collector lock too
    session.execute(processing_job(run_id).with_for_update(key_share=True))
    session.refresh(run, with_for_update={"key_share": True})
    source = session.get(SourceRow, run_id)
    if source is None:
        source = SourceRow(run_id=run_id, adapter=wanted.adapter, path=str(folder))
        session.add(source)
    elif (source.adapter, source.path) != (wanted.adapter, str(folder)):
        if not _came_to_nothing(run, source):
            raise Conflict(
                f"The run “{element.name}” is already filled from {source.path}.",
                hint="One folder fills one run: make another run for this folder.",
            )
        # whoever follows the old folder sees it when it next acts, and gives the source up
        source.adapter, source.path, source.last_scan = wanted.adapter, str(folder), None
    source.follow = wanted.follow
    source.state = (SourceState.WATCHING if wanted.follow else SourceState.IMPORTING).value
    source.message = ""
    if wanted.parameters:
        apply_parameters(session, run, wanted.parameters, settings=settings)
    woken = TEMPLATES[_template(session, element)].processes_movies and _wake_processing(session, principal, run_id)
    session.flush()
    record(session, principal, AuditAction.SOURCE_ATTACHED, element, adapter=wanted.adapter, follow=wanted.follow)
    # every row lock is taken before the first event: events hold the clock, and two orders would deadlock
    follow_acquisitions(session, run_id)
    append_event(session, EventKind.SOURCE_CHANGED, element_id=run_id)
    if woken:
        append_event(session, EventKind.JOB_CHANGED, element_id=run_id)
    return get_run(session, principal, run_id, settings=settings)


def set_parameters(
    session: Session, principal: Principal, run_id: UUID, wanted: ParametersUpdate, *, settings: Settings
) -> Run:
    """Set parameters of a run's processing, which win over what the microscope says; what failed may then be retried.

    Raises NotFound, Forbidden, Invalid (what the processing does not take), or Conflict where movies were processed
    with other values: results of one branch are all made alike.
    """
    element = require_writer(session, principal, run_id)
    run = get_visible_run(session, principal, run_id)
    # the order in which the registrar and the collector lock too
    session.execute(processing_job(run_id).with_for_update())
    session.refresh(run, with_for_update=True)
    if changed := apply_parameters(session, run, wanted.parameters, settings=settings):
        record(session, principal, AuditAction.PARAMETERS_SET, element, **changed)
        session.flush()
        version = bump_version(session, run_id)
        append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    return get_run(session, principal, run_id, settings=settings)


def get_grid(session: Session, principal: Principal, run_id: UUID) -> RunGrid:
    """Atlases, grid squares and foil holes a run was taken on, by id."""
    get_visible_run(session, principal, run_id)
    atlases = session.scalars(select(AtlasRow).where(AtlasRow.run_id == run_id).order_by(AtlasRow.atlas_id))
    squares = session.scalars(
        select(GridSquareRow).where(GridSquareRow.run_id == run_id).order_by(GridSquareRow.square_id)
    )
    holes = session.scalars(select(FoilHoleRow).where(FoilHoleRow.run_id == run_id).order_by(FoilHoleRow.hole_id))
    return RunGrid(
        atlases=tuple(DiscoveredAtlas.model_validate({**row.detail, "id": row.atlas_id}) for row in atlases),
        grid_squares=tuple(
            DiscoveredGridSquare.model_validate({**row.detail, "id": row.square_id, "atlas_id": row.atlas_id})
            for row in squares
        ),
        foil_holes=tuple(
            DiscoveredFoilHole.model_validate({**row.detail, "id": row.hole_id, "grid_square_id": row.square_id})
            for row in holes
        ),
    )


def _describe_source(row: SourceRow) -> Source:
    found = row.gain_found if row.gain_found and row.gain_found["gain"] == row.gain_reference else None
    return Source(
        run_id=row.run_id,
        adapter=row.adapter,
        path=row.path,
        follow=row.follow,
        state=SourceState(row.state),
        session_name=row.session_name,
        gain_reference=row.gain_reference,
        gain_orientation=GainOrientation(found["orientation"]) if found else None,
        gain_sense=GainSense(found["sense"]) if found else None,
        last_scan=row.last_scan,
        movies_missing=row.movies_missing,
        problems=tuple(row.problems),
        message=row.message,
    )


def _branch_names(session: Session, run: RunRow) -> dict[str, Any]:
    """``branch``: the default one's name, and ``branches``: all names, without what is being deleted."""
    query = select(BranchRow.number, BranchRow.name).where(BranchRow.run_id == run.id, BranchRow.deleting.is_(False))
    names: dict[int, str] = dict(session.execute(query.order_by(BranchRow.number)).all()) or {run.branch: FIRST}
    return {"branch": names[run.branch], "branches": tuple(names.values())}


def _pixel_size(session: Session, run_id: UUID) -> float | None:
    """Pixel size of the run's first acquisition; None while there is none or it does not say."""
    optics = session.scalar(
        select(AcquisitionRow.optics).where(AcquisitionRow.run_id == run_id).order_by(AcquisitionRow.index).limit(1)
    )
    value = (optics or {}).get("pixel_size_angstrom")
    return float(value) if value is not None else None


def _came_to_nothing(run: RunRow, source: SourceRow) -> bool:
    """Whether the source's folder was looked at in vain: then a wrong one may be put right."""
    return source.last_scan is not None and not run.acquisition_count


def _check_adapter(adapter: str, dataset_type: DatasetType) -> None:
    known = {point.name for point in entry_points(group="athena.acquisition")}
    if adapter not in known:
        raise Invalid(f"There is no acquisition adapter “{adapter}”.", hint=f"Known: {', '.join(sorted(known))}.")
    if adapter not in RUN_ADAPTERS[dataset_type]:
        raise Invalid(f"Sessions of adapter “{adapter}” cannot fill a dataset of type {dataset_type.value}.")


def _template(session: Session, run: ElementRow) -> str:
    """Name of the template of the workflow a run lies in."""
    workflow = select(ElementRow.type).where(
        ElementRow.id.in_(path_ids(run.path)), ElementRow.kind == ElementKind.WORKFLOW.value
    )
    return session.scalars(workflow).one()


def _wake_processing(session: Session, principal: Principal, run_id: UUID) -> bool:
    """Make the run's processing job, or set the one that has ended to pending again; whether there was need."""
    if session.scalar(processing_job(run_id)) is not None:
        return reopen_processing(session, run_id, cancelled_too=True)
    name = session.get_one(ElementRow, run_id).name
    session.add(JobRow(kind=JobKind.PROCESSING.value, element_id=run_id, subject=name, initiator_id=principal.user_id))
    return True
