"""Search, and what the caller opened last."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from athena.contract.elements import ElementKind, Status
from athena.contract.search import Placed, SearchIn, SearchKind, SearchPage
from athena.domain.query import MAX_LENGTH
from athena.server.caller import CallerDep
from athena.server.limits import Offset
from athena.services import placed, search

router = APIRouter(tags=["search"])

MAX_TEXT = 500

Text = Annotated[str, Query(max_length=MAX_TEXT, description="Words, each the beginning of one.")]
Where = Annotated[
    str, Query(max_length=MAX_LENGTH, description="Typed condition: defocus > 1 um and microscope = 'Krios G4'.")
]
Within = Annotated[list[SearchIn] | None, Query(alias="in", description="Where; left out: everywhere.")]
Kinds = Annotated[list[SearchKind] | None, Query(alias="kind", description="What; left out: everything.")]
Statuses = Annotated[list[Status] | None, Query(alias="status", description="Left out: any.")]
Owner = Annotated[str, Query(max_length=200, description="User name of who made it.")]
Since = Annotated[AwareDatetime | None, Query(description="Changed at this time or later.")]
Until = Annotated[AwareDatetime | None, Query(description="Changed before this time.")]
HitLimit = Annotated[int, Query(ge=1, le=search.MAX_PAGE, description="How many to give at most.")]


@router.get("/search")
def find(
    caller: CallerDep,
    *,
    text: Text = "",
    within: Within = None,
    kinds: Kinds = None,
    statuses: Statuses = None,
    owner: Owner = "",
    since: Since = None,
    until: Until = None,
    where: Where = "",
    offset: Offset = 0,
    limit: HitLimit = 50,
) -> SearchPage:
    """Find elements and files the caller may see, the best first."""
    wanted = search.Search(
        text=text,
        within=frozenset(within or SearchIn),
        kinds=frozenset(kinds or ()),
        statuses=frozenset(statuses or ()),
        owner=owner,
        since=since,
        until=until,
        where=where,
    )
    with caller.reading() as session:
        return search.search(session, caller.principal, wanted, offset=offset, limit=limit)


@router.get("/recent")
def list_recent(
    caller: CallerDep,
    *,
    kind: ElementKind | None = None,
    limit: Annotated[int, Query(ge=1, le=placed.MAX_RECENT, description="How many to give at most.")] = 10,
) -> tuple[Placed, ...]:
    """Give what the caller opened last, the last first."""
    with caller.reading() as session:
        return placed.list_recent(session, caller.principal, kind=kind, limit=limit)
