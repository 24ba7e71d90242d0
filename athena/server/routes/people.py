"""Who the caller is, and the log-in of Athena's own services."""

from fastapi import APIRouter

from athena.contract.people import PasswordChange, PasswordCheck, User, Username
from athena.server.caller import CallerDep
from athena.services import accounts, logins, users

router = APIRouter(tags=["people"])


@router.get("/me")
def get_me(caller: CallerDep) -> User:
    """Give the user the token belongs to."""
    with caller.reading() as session:
        return users.get_me(session, caller.principal)


@router.put("/me/password", status_code=204)
def change_password(caller: CallerDep, change: PasswordChange) -> None:
    """Change one's own password."""
    with caller.writing() as session:
        accounts.change_password(session, caller.principal, change)


@router.post("/auth/password")
def check_password(caller: CallerDep, check: PasswordCheck) -> User:
    """Log a person in by name and password; only Athena's own services (the hub's log-in page) may ask."""
    return logins.log_in(caller.server.database, caller.principal, check, settings=caller.settings)


@router.get("/auth/admission")
def check_admission(caller: CallerDep, username: Username) -> User:
    """Say whether a person may stay logged in; only Athena's own services may ask."""
    with caller.reading() as session:
        return logins.require_admission(session, caller.principal, username, settings=caller.settings)
