"""Migrations make exactly the schema of the models, forwards and back, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text

from athena.contract.elements import Element
from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.contract.people import Principal
from athena.db import elements, events, people
from athena.db.base import Base
from athena.db.engine import Database
from athena.db.named_filters import FilterVersionRow, NamedFilterRow
from athena.db.search import leave_out_search
from athena.domain.filters import rules_hash

RULES = (
    FilterRule(metric="defocus_um", operator=Operator.BETWEEN, value=0.5, upper=2),
    FilterRule(metric="ctf_resolution_angstrom", operator=Operator.AT_MOST, value=1e-7),
)


def config_on(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("athena.db") / "migrations"))
    config.attributes["connection"] = connection
    return config


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        return list(
            compare_metadata(
                MigrationContext.configure(connection, opts={"compare_type": True, "include_name": leave_out_search}),
                Base.metadata,
            )
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


def test_what_is_there_survives_later_migrations(database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(config_on(connection), "base")
        connection.commit()
        command.upgrade(config_on(connection), "0001")
        connection.commit()
        user, folder, permissions = uuid4().hex, uuid4().hex, uuid4().hex
        moment = "2026-01-02 03:04:05+00:00"
        for statement in (
            f"""INSERT INTO "user" (id, username, display_name, password_hash, created)
                VALUES ('{user}', 'alice', 'Alice', '$argon2id$', '{moment}')""",
            f"INSERT INTO user_role (user_id, role) VALUES ('{user}', 'admin')",
            f"""INSERT INTO token (id, user_id, name, kind, sha256, created)
                VALUES ('{uuid4().hex}', '{user}', 'local', 'local', 'abc', '{moment}')""",
            f"INSERT INTO permission_set (id) VALUES ('{permissions}')",
            f"""INSERT INTO "grant" (permission_set_id, user_id, role) VALUES ('{permissions}', '{user}', 'owner')""",
            f"""INSERT INTO element (id, kind, name, sort_key, type, status, state, position, description, path,
                    permission_set_id, inherits, creator_id, created, updated)
                VALUES ('{folder}', 'folder', 'Mine', 'mine', '', 'not_started', 'active', 0, '', '/{folder}/',
                    '{permissions}', false, '{user}', '{moment}', '{moment}')""",
        ):
            connection.exec_driver_sql(statement)
        connection.commit()
    database.migrate()
    with database.session() as session:
        alice = session.scalars(select(people.UserRow).where(people.UserRow.username == "alice")).one()
        assert (alice.active, alice.source, [role.role for role in alice.roles]) == (True, "local", ["admin"])
        assert session.scalars(select(people.TokenRow.scope)).all() == ["admin"]
        assert session.scalars(select(elements.GrantRow.role)).all() == ["owner"]
        assert session.scalars(select(elements.ElementRow.name)).all() == ["Mine"]
        if database.is_sqlite:
            assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []


def test_named_filters_of_before_versions_begin_with_what_they_are(
    database: Database, make_user: Callable[..., Principal], make_workflow: Callable[..., Element]
) -> None:
    alice = make_user("alice")
    workflow = make_workflow(alice)
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    about = {"rules": [rule.model_dump(mode="json") for rule in RULES], "creator_id": alice.user_id, "updated": moment}
    with database.session() as session:
        for name, revision in (("untouched", 1), ("changed", 4)):
            session.add(NamedFilterRow(workflow_id=workflow.id, name=name, revision=revision, **about))
    with database.engine.connect() as connection:
        command.downgrade(config_on(connection), "named_filters")
        connection.commit()
    database.migrate()
    with database.session() as session:
        versions = session.scalars(select(FilterVersionRow).order_by(FilterVersionRow.number)).all()
        told = [(row.number, row.name, row.username) for row in versions]
        assert told == [(1, "untouched", "alice"), (4, "changed", "")]
        assert {row.rules_hash for row in versions} == {rules_hash(RULES)}
        assert {row.time for row in versions} == {moment}
        assert RunFilter.model_validate({"rules": versions[0].rules}).rules == RULES
