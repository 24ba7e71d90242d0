"""The users page: accounts, their platform roles and licence seats, and the site's directory."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.people import (
    Account,
    AccountAdded,
    AccountPage,
    DirectoryEntry,
    PasswordReset,
    PlatformRole,
    UserCreate,
    UserUpdate,
)
from athena.server.caller import CallerDep
from athena.server.limits import Limit, Offset
from athena.services import accounts, directory, licences

router = APIRouter(tags=["users"])


@router.get("/users")
def list_users(
    caller: CallerDep,
    *,
    search: Annotated[str, Query(max_length=200, description="Part of a name or an e-mail address.")] = "",
    offset: Offset = 0,
    limit: Limit = 100,
) -> AccountPage:
    """List accounts by user name, with the counts of the users page."""
    with caller.reading() as session:
        return accounts.list_accounts(
            session, caller.principal, settings=caller.settings, search=search, offset=offset, limit=limit
        )


@router.post("/users", status_code=201)
def add_user(caller: CallerDep, new: UserCreate) -> AccountAdded:
    """Add a person, with a licence seat if one is free."""
    complete = directory.as_the_directory_has_it(caller.principal, new, settings=caller.settings)
    with caller.writing() as session:
        return accounts.add_user(session, caller.principal, complete, settings=caller.settings)


@router.get("/users/{user_id}")
def get_user(caller: CallerDep, user_id: UUID) -> Account:
    """Give one account."""
    with caller.reading() as session:
        return accounts.get_account(session, caller.principal, user_id)


@router.patch("/users/{user_id}")
def update_user(caller: CallerDep, user_id: UUID, change: UserUpdate) -> Account:
    """Change e-mail, names, or whether a person may log in."""
    with caller.writing() as session:
        return accounts.update_user(session, caller.principal, user_id, change)


@router.delete("/users/{user_id}", status_code=204)
def remove_user(
    caller: CallerDep,
    user_id: UUID,
    heir: Annotated[str, Query(max_length=200, description="User name of who owns what nobody else does.")] = "",
) -> None:
    """Remove a person; what nobody else owns goes to the heir."""
    with caller.writing() as session:
        accounts.remove_user(session, caller.principal, user_id, heir=heir)


@router.put("/users/{user_id}/password", status_code=204)
def reset_password(caller: CallerDep, user_id: UUID, reset: PasswordReset) -> None:
    """Give a person a new password."""
    with caller.writing() as session:
        accounts.reset_password(session, caller.principal, user_id, reset.password)


@router.put("/users/{user_id}/roles/{role}")
def assign_role(caller: CallerDep, user_id: UUID, role: PlatformRole) -> Account:
    """Give a person a platform role."""
    with caller.writing() as session:
        return accounts.assign_role(session, caller.principal, user_id, role)


@router.delete("/users/{user_id}/roles/{role}")
def unassign_role(caller: CallerDep, user_id: UUID, role: PlatformRole) -> Account:
    """Take a platform role from a person."""
    with caller.writing() as session:
        return accounts.unassign_role(session, caller.principal, user_id, role)


@router.put("/users/{user_id}/licence", status_code=204)
def give_seat(caller: CallerDep, user_id: UUID) -> None:
    """Give a person a licence seat."""
    with caller.writing() as session:
        licences.give_seat(session, caller.principal, user_id, settings=caller.settings)


@router.delete("/users/{user_id}/licence", status_code=204)
def take_seat(caller: CallerDep, user_id: UUID) -> None:
    """Take a person's licence seat."""
    with caller.writing() as session:
        licences.take_seat(session, caller.principal, user_id)


@router.get("/directory")
def find_people(
    caller: CallerDep, text: Annotated[str, Query(max_length=200, description="How an e-mail or a name begins.")]
) -> tuple[DirectoryEntry, ...]:
    """Find people of the site's directory who may be added."""
    with caller.reading() as session:
        return directory.find_people(session, caller.principal, text, settings=caller.settings)
