"""All that a page about an element shows of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.elements import ElementSort
from athena.contract.neighbours import Shown
from athena.contract.visits import Visit
from athena.server.caller import CallerDep
from athena.server.limits import Limit, Offset
from athena.server.routes.acquisitions import OfBranch
from athena.services import visits

router = APIRouter(prefix="/elements/{element_id}", tags=["elements"])

Index = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="Of a run: an acquisition to show as well.")]


@router.get("/visit")
def visit_element(
    caller: CallerDep,
    element_id: UUID,
    *,
    offset: Offset = 0,
    limit: Limit = 100,
    sort: ElementSort | None = None,
    descending: bool = False,
    index: Index = None,
    shown: Annotated[Shown, Query(description="Among which others the acquisition stands.")] = Shown.ALL,
    newest_first: Annotated[bool, Query(description="How those are ordered.")] = False,
    branch: OfBranch = None,
) -> Visit:
    """Give an element with the way to it and what lies in it, or, of a run, the run and one of its acquisitions."""
    with caller.reading() as session:
        return visits.visit_element(
            session,
            caller.principal,
            element_id,
            settings=caller.settings,
            inside=visits.Inside(offset, limit, sort, descending),
            among=None if index is None else visits.Among(index, shown, newest_first, branch),
        )
