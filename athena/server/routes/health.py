"""Whether the API lives (the one open route), and how every part of the instance stands."""

from importlib.metadata import version

from fastapi import APIRouter

from athena.contract.health import Health, InstanceHealth, Plugin, ServiceReport
from athena.server.caller import CallerDep
from athena.services import health, plugins

router = APIRouter(tags=["health"])


@router.get("/health")
def get_health() -> Health:
    """Say that the API lives, and which version it is."""
    return Health(status="ok", version=version("athena-cryoem"))


@router.get("/services")
def list_services(caller: CallerDep) -> InstanceHealth:
    """Give every part of the instance with version and state, and what waits. For administrators."""
    hub = caller.server.auth.health() if caller.principal.is_admin else None
    with caller.reading() as session:
        return health.list_services(
            session, caller.principal, settings=caller.settings, others=[hub] if hub is not None else ()
        )


@router.post("/services", status_code=204)
def report_service(caller: CallerDep, report: ServiceReport) -> None:
    """Take the heartbeat of a portal."""
    with caller.reporting() as session:
        health.report_service(session, caller.principal, report)


@router.get("/plugins")
def list_plugins(caller: CallerDep) -> tuple[Plugin, ...]:
    """Give what installed packages add: steps, acquisition adapters, job kinds …"""
    return plugins.list_plugins(caller.principal)
