"""Runs: their state, source and grid."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.runs import Run, Source, SourceCreate
from athena.server.caller import CallerDep
from athena.services import runs

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}")
def get_run(caller: CallerDep, run_id: UUID) -> Run:
    """Give a run with its counts and source."""
    with caller.reading() as session:
        return runs.get_run(session, caller.principal, run_id)


@router.put("/{run_id}/source")
def attach_source(caller: CallerDep, run_id: UUID, new: SourceCreate) -> Source:
    """Attach a session folder to a run; from then on the runner fills the run from it."""
    with caller.writing() as session:
        return runs.attach_source(session, caller.principal, run_id, new, settings=caller.settings)
