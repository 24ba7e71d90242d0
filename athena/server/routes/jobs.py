"""Jobs the caller may see."""

from fastapi import APIRouter

from athena.contract.jobs import Job
from athena.server.caller import CallerDep
from athena.services import jobs

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("")
def list_jobs(caller: CallerDep) -> tuple[Job, ...]:
    """List jobs, newest first."""
    with caller.reading() as session:
        return tuple(jobs.list_jobs(session, caller.principal))
