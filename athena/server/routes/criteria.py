"""Quality criteria of a run."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.criteria import Criteria, RunCriteria
from athena.server.caller import CallerDep
from athena.server.routes.acquisitions import OfBranch
from athena.services import criteria

router = APIRouter(prefix="/runs/{run_id}/criteria", tags=["runs"])


@router.get("")
def get_criteria(caller: CallerDep, run_id: UUID, *, branch: OfBranch = None) -> RunCriteria:
    """Give the quality criteria of a run, and how many of its acquisitions comply."""
    with caller.reading() as session:
        return criteria.get_criteria(session, caller.principal, run_id, settings=caller.settings, branch=branch)


@router.put("")
def set_criteria(caller: CallerDep, run_id: UUID, new: Criteria) -> RunCriteria:
    """Set the quality criteria of a run."""
    with caller.writing() as session:
        return criteria.set_criteria(session, caller.principal, run_id, new, settings=caller.settings)


@router.delete("")
def reset_criteria(caller: CallerDep, run_id: UUID) -> RunCriteria:
    """Let the quality criteria of the instance apply to a run again."""
    with caller.writing() as session:
        return criteria.set_criteria(session, caller.principal, run_id, None, settings=caller.settings)
