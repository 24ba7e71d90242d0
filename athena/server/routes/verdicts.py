"""Acquisitions accepted and rejected by hand."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.verdicts import RunVerdicts, VerdictChange
from athena.server.caller import CallerDep
from athena.services import verdicts

router = APIRouter(prefix="/runs/{run_id}/verdicts", tags=["runs"])


@router.get("")
def get_verdicts(caller: CallerDep, run_id: UUID) -> RunVerdicts:
    """Give which acquisitions were accepted or rejected by hand, by whom and when."""
    with caller.reading() as session:
        return verdicts.get_verdicts(session, caller.principal, run_id)


@router.put("")
def give_verdict(caller: CallerDep, run_id: UUID, change: VerdictChange) -> RunVerdicts:
    """Accept or reject acquisitions, or take that back."""
    with caller.writing() as session:
        return verdicts.give_verdict(session, caller.principal, run_id, change)
