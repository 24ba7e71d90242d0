"""Filters that a workflow keeps under names, by way of one of its runs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from athena.contract.named_filters import FilterVersion, NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.server.caller import CallerDep
from athena.server.limits import Limit
from athena.services import filter_versions, named_filters

router = APIRouter(prefix="/runs/{run_id}/filters", tags=["runs"])


@router.get("")
def list_named_filters(caller: CallerDep, run_id: UUID) -> tuple[NamedFilter, ...]:
    """List the filters that the workflow of a run keeps."""
    with caller.reading() as session:
        return named_filters.list_filters(session, caller.principal, run_id)


@router.post("", status_code=201)
def add_named_filter(caller: CallerDep, run_id: UUID, new: NamedFilterCreate) -> NamedFilter:
    """Keep rules under a name, for all runs of the workflow."""
    with caller.writing() as session:
        return named_filters.add_filter(session, caller.principal, run_id, new)


@router.patch("/{filter_id}")
def update_named_filter(caller: CallerDep, run_id: UUID, filter_id: UUID, change: NamedFilterUpdate) -> NamedFilter:
    """Give a named filter another name or other rules."""
    with caller.writing() as session:
        return named_filters.update_filter(session, caller.principal, run_id, filter_id, change)


@router.delete("/{filter_id}", status_code=204)
def remove_named_filter(caller: CallerDep, run_id: UUID, filter_id: UUID) -> None:
    """Forget a named filter; what was saved for runs stays, and so do its versions."""
    with caller.writing() as session:
        named_filters.remove_filter(session, caller.principal, run_id, filter_id)


@router.get("/{filter_id}/versions")
def list_filter_versions(
    caller: CallerDep,
    run_id: UUID,
    filter_id: UUID,
    *,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only those before this number.")] = None,
    limit: Limit = 100,
) -> tuple[FilterVersion, ...]:
    """List what a named filter was, newest first; also once it is deleted."""
    with caller.reading() as session:
        return filter_versions.list_versions(session, caller.principal, run_id, filter_id, before=before, limit=limit)


@router.get("/{filter_id}/versions/{number}")
def get_filter_version(
    caller: CallerDep, run_id: UUID, filter_id: UUID, number: Annotated[int, Path(ge=1, le=2**31 - 1)]
) -> FilterVersion:
    """Give a version of a named filter; also once that is deleted."""
    with caller.reading() as session:
        return filter_versions.get_version(session, caller.principal, run_id, filter_id, number)
