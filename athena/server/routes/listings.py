"""Acquisitions of a run as a list to go through."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.listings import Listing, ListingSort
from athena.contract.neighbours import Shown
from athena.server.caller import CallerDep
from athena.server.limits import Limit, Offset
from athena.server.routes.acquisitions import OfBranch
from athena.services import listings

router = APIRouter(prefix="/runs/{run_id}/listing", tags=["acquisitions"])


@router.get("")
def list_shown(
    caller: CallerDep,
    run_id: UUID,
    *,
    shown: Annotated[Shown | None, Query(description="Left out: what the run's filter keeps, or all.")] = None,
    sort: ListingSort = ListingSort.INDEX,
    descending: bool = False,
    offset: Offset = 0,
    limit: Limit = 100,
    holding: Annotated[
        int | None, Query(ge=0, le=2**31 - 1, description="The page that this acquisition is on, in place of offset.")
    ] = None,
    branch: OfBranch = None,
) -> Listing:
    """Give a page of a run's acquisitions by name and state: those that its filter keeps, in an order."""
    with caller.reading() as session:
        return listings.list_shown(
            session,
            caller.principal,
            run_id,
            settings=caller.settings,
            shown=shown,
            sort=sort,
            descending=descending,
            offset=offset,
            limit=limit,
            holding=holding,
            branch=branch,
        )
