"""What a cleanup of a run would take away; the cleanup itself is a job."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.cleanup import CleanupSize
from athena.server.caller import CallerDep
from athena.services import cleanup

router = APIRouter(prefix="/runs/{run_id}/cleanup", tags=["runs"])


@router.get("")
def get_cleanup_sizes(caller: CallerDep, run_id: UUID) -> tuple[CleanupSize, ...]:
    """Give the rules of a run's cleanup, each with the files and bytes it would take away."""
    with caller.reading() as session:
        content = cleanup.list_content(session, caller.principal, run_id, settings=caller.settings)
    return cleanup.measure(content)
