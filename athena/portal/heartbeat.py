"""The portal says that it lives: through the API, since it has no database of its own."""

import asyncio
import logging
import os
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from uuid import uuid4

import httpx
import psutil

from athena.contract.health import ServiceKind, ServiceReport
from athena.sdk.instance import read_token
from athena.settings import Settings

log = logging.getLogger(__name__)


async def report_forever(api: httpx.AsyncClient, settings: Settings) -> None:
    """Send a heartbeat every ``heartbeat_seconds``. While the API is away, nothing is said: nobody could listen."""
    report = ServiceReport(
        id=uuid4(),
        kind=ServiceKind.PORTAL,
        version=version("athena-cryoem"),
        host=socket.gethostname()[:100] or "localhost",
        pid=os.getpid(),
        started=datetime.fromtimestamp(psutil.Process().create_time(), UTC),
        period_s=settings.heartbeat_seconds,
    )
    body, refused = report.model_dump_json(), False
    while True:
        headers = {"Authorization": f"Bearer {own_token(settings)}", "Content-Type": "application/json"}
        try:
            answer = await api.post("/api/services", content=body, headers=headers)
        except httpx.TransportError:
            log.debug("the API does not answer the heartbeat")
        else:
            if answer.is_client_error and not refused:
                log.warning("the API does not take this portal's heartbeat: %s", answer.text[:300])
            refused = answer.is_client_error
        await asyncio.sleep(settings.heartbeat_seconds)


def own_token(settings: Settings) -> str:
    """Token of this process itself, never a visitor's: the hub's for its service, else the instance's own."""
    return os.environ.get("JUPYTERHUB_API_TOKEN") or settings.token or read_token(settings)
