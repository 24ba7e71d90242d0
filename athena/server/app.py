"""The HTTP API as a FastAPI app; the only door to an instance's data."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from athena.contract.base import Problem
from athena.contract.health import ServiceKind
from athena.db.engine import Database
from athena.server.auth import make_auth
from athena.server.caller import Server
from athena.server.clock import EventClock
from athena.server.headers import SecurityHeaders
from athena.server.housekeeping import keeping_house, prepare
from athena.server.limits import BodyLimit
from athena.server.problems import install_problem_handlers
from athena.server.routes import ROUTERS
from athena.server.tus import UPLOAD_PATHS
from athena.services.heartbeat import Heartbeat
from athena.settings import Settings

_PROBLEMS: dict[int | str, dict[str, object]] = {
    401: {"model": Problem, "description": "No token, or one that is not valid."},
    404: {"model": Problem, "description": "It does not exist, or the caller may not know that it does."},
    422: {"model": Problem, "description": "The request is not acceptable."},
}


def create_app(settings: Settings) -> FastAPI:
    """Make the API of an instance; behind ``settings.api_prefix`` its routes answer with and without the prefix."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        server: Server = app.state.server
        await run_in_threadpool(server.database.migrate)
        await run_in_threadpool(server.auth.prepare)
        await run_in_threadpool(prepare, server)
        with Heartbeat(server.database, ServiceKind.API, period_s=settings.heartbeat_seconds):
            async with server.clock.running(), keeping_house(server):
                yield
        server.auth.close()
        server.database.dispose()

    app = FastAPI(
        title="Athena",
        version=version("athena-cryoem"),
        description="Live cryo-EM: the workspace, its runs, and everything that was measured.",
        redirect_slashes=False,
        lifespan=lifespan,
        # The interactive pages of FastAPI load scripts from elsewhere; the contract is docs/openapi.json.
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    database = Database(settings.resolved_database_url)
    app.state.server = Server(settings, database, make_auth(settings, database), EventClock(database))
    install_problem_handlers(app)
    app.add_middleware(BodyLimit, unlimited=UPLOAD_PATHS)
    app.add_middleware(SecurityHeaders)
    api = APIRouter(prefix="/api", responses=_PROBLEMS)
    for router in ROUTERS:
        api.include_router(router)
    app.include_router(api)
    if settings.api_prefix:
        app.include_router(api, prefix=settings.api_prefix, include_in_schema=False)
    return app
