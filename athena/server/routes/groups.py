"""Groups of users."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.groups import Group, GroupCreate, GroupUpdate
from athena.server.caller import CallerDep
from athena.services import groups

router = APIRouter(prefix="/groups", tags=["people"])


@router.get("")
def list_groups(caller: CallerDep) -> tuple[Group, ...]:
    """List groups with their members: one's own; for user managers all."""
    with caller.reading() as session:
        return groups.list_groups(session, caller.principal)


@router.post("", status_code=201)
def create_group(caller: CallerDep, new: GroupCreate) -> Group:
    """Make a group."""
    with caller.writing() as session:
        return groups.create_group(session, caller.principal, new)


@router.patch("/{group_id}")
def update_group(caller: CallerDep, group_id: UUID, change: GroupUpdate) -> Group:
    """Rename or describe a group, take users in or out."""
    with caller.writing() as session:
        return groups.update_group(session, caller.principal, group_id, change)


@router.delete("/{group_id}", status_code=204)
def delete_group(caller: CallerDep, group_id: UUID) -> None:
    """Delete a group; its members stay."""
    with caller.writing() as session:
        groups.delete_group(session, caller.principal, group_id)
