"""Whether the API lives; the one open route."""

from importlib.metadata import version

from fastapi import APIRouter

from athena.contract.health import Health

router = APIRouter(tags=["health"])


@router.get("/health")
def get_health() -> Health:
    """Say that the API lives, and which version it is."""
    return Health(status="ok", version=version("athena-cryoem"))
