"""What the API does by itself from time to time: looks at the storages."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from athena.server.caller import Server
from athena.services.storage_checks import check_due
from athena.services.storages import prepare_storages

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
            await run_in_threadpool(check_due, server.database, server.settings)
        except (SQLAlchemyError, OSError) as error:
            # a database that restarts must not end this
            logger.warning("housekeeping has to wait: %s", error)
        await asyncio.sleep(TURN_SECONDS)
