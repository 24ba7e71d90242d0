"""Where an element stands in the tree."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.elements import Element, ElementMove, ElementPlace
from athena.server.caller import CallerDep
from athena.services import places

router = APIRouter(prefix="/elements/{element_id}", tags=["elements"])


@router.put("/parent")
def move_element(caller: CallerDep, element_id: UUID, move: ElementMove) -> Element | None:
    """Move an element to another parent; null when the caller does not see it any more."""
    with caller.writing() as session:
        return places.move_element(session, caller.principal, element_id, move.parent_id, revision=move.revision)


@router.put("/place")
def place_element(caller: CallerDep, element_id: UUID, place: ElementPlace) -> Element:
    """Put an element before one of its siblings, or last."""
    with caller.writing() as session:
        return places.place_element(session, caller.principal, element_id, place.before_id)
