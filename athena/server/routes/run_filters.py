"""The filter saved for a run."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.filters import RunFilter, SavedFilter
from athena.server.caller import CallerDep
from athena.server.routes.acquisitions import OfBranch
from athena.services import run_filters

router = APIRouter(prefix="/runs/{run_id}/filter", tags=["runs"])


@router.get("")
def get_run_filter(caller: CallerDep, run_id: UUID, *, branch: OfBranch = None) -> SavedFilter:
    """Give the filter of a run, with how many acquisitions match it."""
    with caller.reading() as session:
        return run_filters.get_filter(session, caller.principal, run_id, settings=caller.settings, branch=branch)


@router.put("")
def save_run_filter(caller: CallerDep, run_id: UUID, new: RunFilter) -> SavedFilter:
    """Save the filter of a run."""
    with caller.writing() as session:
        return run_filters.save_filter(session, caller.principal, run_id, new, settings=caller.settings)
