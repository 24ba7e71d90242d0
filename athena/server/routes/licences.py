"""Licence keys and how the platform stands."""

from fastapi import APIRouter

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


@router.get("/licence/features")
def list_features(caller: CallerDep) -> tuple[str, ...] | None:
    """Give the names of the features in force; null where no licence is needed, and all are."""
    with caller.reading() as session:
        found = licences.licensed_features(session, settings=caller.settings)
    return None if found is None else tuple(sorted(found))
