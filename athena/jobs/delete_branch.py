"""Deleting a branch of results: its zarr group, then its rows (BY-06)."""

from sqlalchemy import delete, select

from athena.contract.branches import DeleteBranchParameters
from athena.contract.elements import DatasetType
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind
from athena.contract.people import Action
from athena.db.acquisitions import bump_version
from athena.db.branches import BranchAcquisitionRow, BranchRow
from athena.db.events import append_event
from athena.domain.job_kinds import JobSpec
from athena.jobs.context import JobContext
from athena.jobs.delete import delete_store

KIND = JobSpec(
    name=JobKind.DELETE_BRANCH.value,
    label="Deletion of a branch",
    parameters=DeleteBranchParameters,
    action=Action.DELETE,
    dataset_types=(DatasetType.EPU_RUN,),
    run="athena.jobs.delete_branch:run",
    prepare="athena.services.branches:prepare_deletion",
    slot="reprocess",
    unit="branches",
    cancellable=False,
    automatic_attempts=0,
)


def run(context: JobContext) -> None:
    """Delete; begun again after an interruption it goes on with what is still there."""
    wanted: DeleteBranchParameters = context.parameters
    with context.reading() as session:
        found = select(BranchRow).where(BranchRow.run_id == context.element_id, BranchRow.name == wanted.branch)
        row = session.scalar(found.where(BranchRow.deleting))
    if row is None:
        return
    delete_store(context, context.settings.run_store(str(row.run_id), row.number))
    with context.transaction() as session:
        for table in (BranchAcquisitionRow, BranchRow):
            session.execute(delete(table).where(table.run_id == row.run_id, table.number == row.number))
        version = bump_version(session, row.run_id)
        context.finish(session, message=f"The branch “{row.name}” is deleted.")
        append_event(session, EventKind.RUN_CHANGED, element_id=row.run_id, version=version)
