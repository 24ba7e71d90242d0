"""What the API does by itself from time to time: looks at the storages, clears what nobody went on with."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from athena.db.engine import Database
from athena.errors import AthenaError
from athena.server.caller import Server
from athena.services.files import remove_deleted
from athena.services.storage_checks import check_due
from athena.services.storages import prepare_storages
from athena.services.uploads import remove_expired, sweep_partials
from athena.settings import Settings

TASKS: tuple[Callable[[Database, Settings], int], ...] = (check_due, remove_deleted, remove_expired, sweep_partials)
TURN_SECONDS = 20.0
"""How often it looks whether there is something to do; several API processes share the work out in the database."""

logger = logging.getLogger(__name__)


def prepare(server: Server) -> None:
    """Connect the storages a new instance begins with."""
    try:
        with server.database.session() as session:
            prepare_storages(session, server.settings)
    except IntegrityError:
        logger.info("another process has just connected the storages")


@asynccontextmanager
async def keeping_house(server: Server) -> AsyncIterator[None]:
    """Do it while the block lasts."""
    task = asyncio.create_task(_turns(server), name="housekeeping")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _turns(server: Server) -> None:
    while True:
        try:
            for task in TASKS:
                await run_in_threadpool(task, server.database, server.settings)
        except (SQLAlchemyError, AthenaError, OSError) as error:
            # a database or a storage that restarts must not end this
            logger.warning("housekeeping has to wait: %s", error)
        await asyncio.sleep(TURN_SECONDS)
