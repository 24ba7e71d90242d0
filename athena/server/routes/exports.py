"""The live export of a run; exports themselves are jobs."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.jobs import Job
from athena.server.caller import CallerDep
from athena.services import exports

router = APIRouter(prefix="/runs/{run_id}/live-export", tags=["jobs"])


@router.post("/update")
def update_live_export(caller: CallerDep, run_id: UUID) -> Job:
    """Apply the run's saved filter to what its live export has still to come."""
    with caller.writing() as session:
        return exports.update_live_export(session, caller.principal, run_id)
