"""What an export settles when it is asked for: where it goes, and what of the dataset it takes (EX-01 … EX-03)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.elements import DatasetType, ElementKind, Template
from athena.contract.events import EventKind
from athena.contract.exports import ExportParameters, ExportPart, LiveExportParameters
from athena.contract.jobs import Job, JobKind
from athena.contract.people import Principal
from athena.contract.storages import StorageRole
from athena.db.acquisitions import RunRow
from athena.db.base import now
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.domain.filters import check_filter
from athena.domain.job_kinds import Prepared
from athena.domain.job_life import OPEN
from athena.domain.templates import TEMPLATES
from athena.domain.tree import path_ids
from athena.errors import Conflict, Invalid
from athena.services.filter_versions import used_filter
from athena.services.guard import get_visible_run, require_writer
from athena.services.jobs import get_job, refuse_content_jobs
from athena.services.results import find_results
from athena.services.run_filters import saved_filter
from athena.services.storage_access import chosen_row, open_row
from athena.services.user_metrics import known_metrics
from athena.settings import Settings
from athena.storages.keys import check_key

STAMP = "%Y-%m-%d_%H-%M-%S"
KINDS = (JobKind.EXPORT.value, JobKind.LIVE_EXPORT.value)


def prepare(
    session: Session, principal: Principal, element: ElementRow, parameters: ExportParameters, settings: Settings
) -> Prepared:
    """Settle the folder, with the moment in its name, the filter, and which of a run's branches it takes.

    Raises
    ------
    NotFound : the run has no such branch.
    Invalid : a folder that no storage takes, or that leaves the export's; nothing chosen, or what there is not.
    Conflict : the content is being moved, or another export of this name was launched in the same second.
    Unavailable : no export storage is chosen.
    """
    refuse_content_jobs(session, principal, element, label="Export")
    _check_parts(session, element, parameters)
    run = session.get(RunRow, element.id)
    is_run = run is not None
    if run is None and parameters.branch is not None:
        raise Invalid(f"“{element.name}” is no run: it has no branches of results.")
    taken: dict[str, Any] = {}
    if run is not None and not isinstance(parameters, LiveExportParameters):
        # what is promoted meanwhile is not mixed with it
        taken = {"branch": find_results(session, run, parameters.branch).number}
    wanted = parameters.filter
    if wanted is not None:
        if not is_run:
            raise Invalid(f"“{element.name}” is no run: a filter has nothing to choose from.")
        check_filter(wanted, known_metrics(session, element.id))
    elif is_run:
        wanted = saved_filter(session, element.id)
    if wanted is not None:
        taken["filters"] = [used_filter(session, element.id, wanted, since=now())]
    storage = chosen_row(session, StorageRole.EXPORT)
    folder = f"{checked_folder(parameters.folder)}_{now():{STAMP}}"
    _refuse_twin(session, storage.id, folder)
    location = f"{open_row(storage, settings).url.rstrip('/')}/{folder}"
    return Prepared(
        parameters.model_copy(update={"filter": wanted}),
        result={"storage_id": str(storage.id), "storage": storage.name, "folder": folder, "location": location} | taken,
    )


def prepare_live(
    session: Session, principal: Principal, element: ElementRow, parameters: ExportParameters, settings: Settings
) -> Prepared:
    """As an export; only of runs."""
    if session.get(RunRow, element.id) is None:
        raise Invalid(f"“{element.name}” is no run: nothing arrives in it by itself.", hint="Export it.")
    if parameters.branch is not None:
        raise Invalid("A live export goes by the default branch, where what arrives is processed.")
    return prepare(session, principal, element, parameters, settings)


def update_live_export(session: Session, principal: Principal, run_id: UUID) -> Job:
    """Apply the run's saved filter, as it is now, to what its live export has still to come; Conflict without one."""
    element = require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    row = session.scalar(
        select(JobRow)
        .where(
            JobRow.element_id == run_id,
            JobRow.kind == JobKind.LIVE_EXPORT.value,
            JobRow.state.in_(OPEN),
            JobRow.cancelling.is_(False),
        )
        .with_for_update()
    )
    if row is None:
        raise Conflict(f"The run “{element.name}” has no live export.", hint="Start one.")
    row.parameters = row.parameters | {"filter": saved_filter(session, run_id).model_dump(mode="json")}
    session.flush()
    append_event(session, EventKind.JOB_CHANGED, element_id=run_id)
    return get_job(session, principal, row.id)


def checked_folder(folder: str) -> str:
    """Folder of an export, as keys begin with it; Invalid where it has forbidden characters or leaves the storage."""
    try:
        return check_key(folder.strip().removesuffix("/"))
    except Invalid as error:
        raise Invalid(
            error.message, hint='A name, or names with slashes between, without : * ? " \\ < > | and without “..”.'
        ) from error


def _check_parts(session: Session, element: ElementRow, wanted: ExportParameters) -> None:
    if wanted.files is ExportPart.NONE and wanted.metadata is ExportPart.NONE and not wanted.processed:
        raise Invalid("Nothing is chosen to export.", hint="Choose files, metadata, or what was processed.")
    if element.type == DatasetType.FREE and ExportPart.RAW in (wanted.files, wanted.metadata):
        raise Invalid("Of a free dataset all files and metadata are exported, or none.")
    if not wanted.processed:
        return
    workflow = select(ElementRow.type).where(
        ElementRow.id.in_(path_ids(element.path)), ElementRow.kind == ElementKind.WORKFLOW.value
    )
    template = Template(session.scalars(workflow).one())
    if element.type == DatasetType.FREE or not TEMPLATES[template].processes_movies:
        raise Invalid(f"Nothing is processed in “{element.name}”: its workflow has no quality monitor.")


def _refuse_twin(session: Session, storage_id: UUID, folder: str) -> None:
    recent = select(JobRow.result).where(JobRow.kind.in_(KINDS), JobRow.created > now() - timedelta(seconds=5))
    taken = {(result.get("storage_id"), result.get("folder")) for result in session.scalars(recent)}
    if (str(storage_id), folder) in taken:
        raise Conflict(
            "An export of this name was launched this very second.", hint="Do it again, or name it otherwise."
        )
