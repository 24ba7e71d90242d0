"""Migrations make exactly the schema of the models, forwards and back, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from athena.db import acquisitions, elements, events, jobs, people, storages
from athena.db.base import Base
from athena.db.engine import Database

MODELS = (acquisitions, elements, events, jobs, people, storages)


def config_on(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("athena.db") / "migrations"))
    config.attributes["connection"] = connection
    return config


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
        )


def constraints(database: Database) -> dict[str, set[str | None]]:
    """Names of what alembic does not compare: check constraints, by table."""
    looked = inspect(database.engine)
    return {table: {one["name"] for one in looked.get_check_constraints(table)} for table in Base.metadata.tables}


def test_migrated_schema_is_that_of_the_models(database: Database, tmp_path: Path) -> None:
    assert differences(database) == []
    made = Database(f"sqlite:///{tmp_path / 'models.db'}")
    Base.metadata.create_all(made.engine)
    assert constraints(database) == constraints(made)
    made.dispose()


def test_every_migration_goes_back_and_forth(database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(config_on(connection), "base")
        connection.commit()
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    database.migrate()
    assert differences(database) == []
    with database.session() as session:
        assert events.last_seq(session) == 0


def test_instances_that_start_together_migrate_once(database_url: str, database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(config_on(connection), "base")
        connection.commit()

    def migrate(_: int) -> None:
        own = Database(database_url)
        own.migrate()
        own.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, range(4)))
    assert differences(database) == []
