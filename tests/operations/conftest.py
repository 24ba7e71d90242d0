"""An instance to back up: settings, secrets, a hub's database, runs with arrays."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.operations.backup import back_up
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.writer import RunWriter
from tests.conftest import add_acquisitions


def at(home: Path) -> Settings:
    """Settings of the instance in a home, its settings file included."""
    os.environ["ATHENA_HOME"] = str(home)  # set before by the fixture ``settings``, which puts it back
    return Settings(home=home, api_port=0, log_level="WARNING")


def silent(_stage: str) -> Callable[[int, int], None]:
    return lambda _done, _whole: None


@pytest.fixture
def source(settings: Settings, database_url: str) -> Settings:
    """Settings of an instance with secrets, a hub's database and notebooks in its home."""
    chosen = Settings(home=settings.home, database_url=database_url, api_port=0, log_level="WARNING")
    home = settings.home
    (home / "hub").mkdir(parents=True, mode=0o700)
    (home / "hub" / "cookie_secret").write_text("secret")
    (home / "hub" / "cookie_secret").chmod(0o600)
    (home / "portal.key").write_bytes(b"key")
    (home / "portal.key").chmod(0o600)
    (home / "logs").mkdir()
    (home / "logs" / "api.log").write_text("log")
    (home / "scratch").mkdir()
    (home / "athena.toml").write_text('workers = 3\ndatabase_url = "postgresql://elsewhere/x"\n')
    hub = Database(f"sqlite:///{home / 'hub' / 'jupyterhub.sqlite'}")
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (name TEXT)")
        connection.exec_driver_sql("INSERT INTO users VALUES ('alice')")
    hub.dispose()
    return chosen


@pytest.fixture
def fill(source: Settings, database: Database) -> Callable[[Element, int], None]:
    """``fill(run, count)`` adds completed acquisitions to a run, arrays first as the collector does."""

    def add(run: Element, count: int = 1) -> None:
        store = source.run_store(str(run.id))
        writer = RunWriter.create(store, frames=4)
        with database.session(read_only=True) as session:
            first = session.scalar(
                text("SELECT acquisition_count FROM run WHERE id = :id"),
                {"id": run.id.hex if database.is_sqlite else run.id},
            )
        indices = range(first, first + count)
        writer.ensure_length(first + count)
        picture = np.full((layout.THUMBNAIL_SIZE, layout.THUMBNAIL_SIZE), 7, np.uint8)
        for index in indices[-3:]:
            writer.write_images(index, thumbnail=picture, spectrum=picture)
        writer.write_metrics(list(indices), {"defocus_um": [1.0 + index for index in indices]})
        add_acquisitions(database, run, count=count, state=AcquisitionState.COMPLETED)

    return add


@pytest.fixture
def backup(
    source: Settings,
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    fill: Callable[[Element, int], None],
    tmp_path: Path,
) -> Path:
    fill(make_run(make_user("alice")), 1)
    back_up(source, tmp_path / "backup", silent)
    return tmp_path / "backup"
