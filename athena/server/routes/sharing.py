"""Permissions of an element, and the names to share with."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.sharing import GrantChange, Grantee, Permissions, PermissionsReplace, PublicChange
from athena.server.caller import CallerDep
from athena.services import sharing

router = APIRouter(tags=["sharing"])


@router.get("/elements/{element_id}/permissions")
def get_permissions(caller: CallerDep, element_id: UUID) -> Permissions:
    """Give who may do what with an element."""
    with caller.reading() as session:
        return sharing.get_permissions(session, caller.principal, element_id)


@router.put("/elements/{element_id}/permissions")
def replace_permissions(caller: CallerDep, element_id: UUID, wanted: PermissionsReplace) -> Permissions | None:
    """Set all permissions of an element; null when the caller does not see it any more."""
    with caller.writing() as session:
        return sharing.replace_permissions(session, caller.principal, element_id, wanted)


@router.put("/elements/{element_id}/permissions/grant")
def set_grant(caller: CallerDep, element_id: UUID, change: GrantChange) -> Permissions | None:
    """Give a user or group a role, or take it away; null when the caller does not see the element any more."""
    with caller.writing() as session:
        return sharing.set_grant(session, caller.principal, element_id, change)


@router.put("/elements/{element_id}/permissions/public")
def set_public(caller: CallerDep, element_id: UUID, change: PublicChange) -> Permissions | None:
    """Make an element public or private; null when the caller does not see it any more."""
    with caller.writing() as session:
        return sharing.set_public(session, caller.principal, element_id, change.role)


@router.post("/elements/{element_id}/permissions/inherit")
def inherit_again(caller: CallerDep, element_id: UUID) -> Permissions | None:
    """Give an element its parent's permissions again; null when the caller does not see it any more."""
    with caller.writing() as session:
        return sharing.inherit_again(session, caller.principal, element_id)


@router.get("/grantees")
def find_grantees(
    caller: CallerDep,
    text: Annotated[str, Query(min_length=1, max_length=200, description="What the name begins with.")],
    limit: Annotated[int, Query(ge=1, le=sharing.MAX_NAMES)] = 20,
) -> tuple[Grantee, ...]:
    """Complete the name of a user or group to share with."""
    with caller.reading() as session:
        return sharing.find_grantees(session, text, limit=limit)
