"""The workspace tree."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.elements import (
    Crumb,
    Element,
    ElementCreate,
    ElementPage,
    ElementSort,
    ElementUpdate,
)
from athena.server.caller import CallerDep
from athena.server.limits import Limit, Offset
from athena.services import elements, licences

router = APIRouter(prefix="/elements", tags=["elements"])

ParentId = Annotated[UUID | None, Query(description="Whose children; left out: the roots.")]

Holding = Annotated[
    UUID | None, Query(description="One of them: its page of `limit` is given, and `offset` is of no matter.")
]


@router.get("")
def list_elements(
    caller: CallerDep,
    *,
    parent_id: ParentId = None,
    offset: Offset = 0,
    limit: Limit = 100,
    sort: ElementSort | None = None,
    descending: bool = False,
    holding: Holding = None,
) -> ElementPage:
    """List the children of an element, or the roots."""
    with caller.reading() as session:
        return elements.list_children(
            session,
            caller.principal,
            parent_id,
            offset=offset,
            limit=limit,
            sort=sort,
            descending=descending,
            holding=holding,
        )


@router.post("", status_code=201)
def create_element(caller: CallerDep, new: ElementCreate) -> Element:
    """Create a folder, workflow, step or dataset."""
    with caller.writing() as session:
        features = licences.licensed_features(session, settings=caller.settings)
        return elements.create_element(session, caller.principal, new, features=features)


@router.get("/{element_id}")
def get_element(caller: CallerDep, element_id: UUID) -> Element:
    """Give one element."""
    with caller.reading() as session:
        return elements.get_element(session, caller.principal, element_id)


@router.patch("/{element_id}")
def update_element(caller: CallerDep, element_id: UUID, change: ElementUpdate) -> Element:
    """Rename, describe or set the status of an element."""
    with caller.writing() as session:
        return elements.update_element(session, caller.principal, element_id, change)


@router.get("/{element_id}/breadcrumb")
def get_breadcrumb(caller: CallerDep, element_id: UUID) -> tuple[Crumb, ...]:
    """Give the way from the root to an element, as far as the caller may see it."""
    with caller.reading() as session:
        return tuple(elements.breadcrumb(session, caller.principal, element_id))


@router.post("/{element_id}/opened", status_code=204)
def mark_opened(caller: CallerDep, element_id: UUID) -> None:
    """Note that the caller opened an element."""
    with caller.writing() as session:
        elements.mark_opened(session, caller.principal, element_id)
