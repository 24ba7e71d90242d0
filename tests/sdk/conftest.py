"""A real instance (API on a loopback port, SQLite), and runs in it with real arrays."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from athena.contract.acquisitions import AcquisitionState
from athena.contract.instance import Instance
from athena.db.engine import Database
from athena.embedded import start_instance
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.sdk.runs import Run
from athena.settings import Settings
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter
from tests.conftest import add_acquisitions
from tests.zarrio.factories import make_result


@dataclass(frozen=True)
class Running:
    """A running instance and what a test needs to put things into it."""

    settings: Settings
    instance: Instance
    token: str
    database: Database


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An instance that the tests of a module share."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ATHENA_", "JUPYTERHUB_"))]:
            patch.delenv(name)
        patch.setenv("ATHENA_HOME", str(home))
        settings = Settings(home=home, api_port=0, log_level="WARNING")
        with start_instance(settings, runner=False) as (instance, token):
            database = Database(settings.resolved_database_url)
            yield Running(settings, instance, token, database)
            database.dispose()


@pytest.fixture
def athena(running: Running) -> Iterator[Athena]:
    """A connection as the owner of the instance."""
    with Athena(Client(running.instance.api_url, running.token)) as connection:
        yield connection


@pytest.fixture
def new_run(athena: Athena) -> Callable[[], Run]:
    """``new_run()`` makes an empty run with a path of its own."""
    numbers = itertools.count()

    def make() -> Run:
        path = f"Folder {os.urandom(4).hex()}/Apoferritin/Imaging/Grid {next(numbers)}"
        return athena.run(athena.ensure(path).id)

    return make


@pytest.fixture
def process(running: Running) -> Callable[..., None]:
    """``process(run, count, **metrics)`` appends completed acquisitions with numbers, pictures and micrographs."""

    def append(run: Run, count: int, **metrics: float) -> None:
        first = run.counts.total
        store: Path = running.settings.run_store(str(run.id))
        writer = RunWriter.create(store, frames=6)
        writer.write_results([make_result(index, **metrics) for index in range(first, first + count)])
        for index in range(first, first + count):
            writer.write_images(
                index,
                thumbnail=np.full((256, 256), 10 + index, np.uint8),
                spectrum=np.full((256, 256), 50, np.uint8),
                spectrum_fit=np.full((256, 256), 60, np.uint8),
            )
            write_pyramid(store, index, micrograph(), pixel_size_angstrom=0.8)
        add_acquisitions(running.database, run.model, count=count, state=AcquisitionState.COMPLETED)

    return append


def micrograph() -> np.ndarray:
    """Micrograph (row 0 at the bottom) whose value tells the place."""
    return (np.arange(600)[:, None] + np.arange(700)[None, :] / 1000).astype(np.float32)
