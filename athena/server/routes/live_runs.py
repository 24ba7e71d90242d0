"""Runs that are acquired now."""

from typing import Annotated

from fastapi import APIRouter, Query

from athena.contract.live_runs import LiveRun
from athena.server.caller import CallerDep
from athena.services import live_runs

router = APIRouter(prefix="/live-runs", tags=["runs"])


@router.get("")
def list_live_runs(
    caller: CallerDep, *, limit: Annotated[int, Query(ge=1, le=50, description="How many to give at most.")] = 12
) -> tuple[LiveRun, ...]:
    """Give the runs whose session folder is followed, with their pace and what is wrong with the latest of them."""
    with caller.reading() as session:
        return live_runs.list_live_runs(session, caller.principal, settings=caller.settings, limit=limit)
