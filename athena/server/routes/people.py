"""Who the caller is, and the password check of Athena's own services."""

from fastapi import APIRouter

from athena.contract.people import PasswordCheck, PrincipalKind, User
from athena.errors import Forbidden, Unauthorized
from athena.server.caller import CallerDep
from athena.services import users

router = APIRouter(tags=["people"])


@router.get("/me")
def get_me(caller: CallerDep) -> User:
    """Give the user the token belongs to."""
    with caller.reading() as session:
        return users.get_me(session, caller.principal)


@router.post("/auth/password")
def check_password(caller: CallerDep, check: PasswordCheck) -> User:
    """Verify a user name and password; only Athena's own services (the hub's log-in page) may ask."""
    if caller.principal.kind is not PrincipalKind.SERVICE:
        raise Forbidden("Only Athena's own services may check passwords.")
    with caller.reading() as session:
        user = users.verify_password(session, check.username, check.password)
    if user is None:
        raise Unauthorized("The user name or the password is wrong.")
    return user
