"""Licence keys and how the platform stands."""

from fastapi import APIRouter

from athena.contract.elements import Template
from athena.contract.licences import LicenceInstall, LicenceStatus
from athena.server.caller import CallerDep
from athena.services import licences

router = APIRouter(tags=["licences"])


@router.get("/licence")
def get_licence(caller: CallerDep) -> LicenceStatus:
    """Give platform id, features, seats, expiry and the installed keys."""
    with caller.reading() as session:
        return licences.get_status(session, caller.principal, settings=caller.settings)


@router.post("/licence")
def install_licence(caller: CallerDep, new: LicenceInstall) -> LicenceStatus:
    """Install a licence key; refused with the reason, or accepted with how the platform stands then."""
    with caller.writing() as session:
        return licences.install_licence(session, caller.principal, new.key, settings=caller.settings)


@router.get("/templates")
def list_templates(caller: CallerDep) -> tuple[Template, ...]:
    """Give the workflow templates that the licence offers."""
    with caller.reading() as session:
        return licences.get_offered_templates(session, caller.principal, settings=caller.settings)
