"""The catalogue as one SQLite file, whichever database it lives in: taken at one moment, and put into either."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    make_url,
    or_,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from athena.db.base import Base
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.health import ServiceRow
from athena.db.people import TokenRow
from athena.errors import Conflict, NotFound, Unavailable

Progress = Callable[[int, int], None]
"""Called with what is done and the whole, in one unit."""

PAGES = 2000
ROWS = 2000


@contextmanager
def reached(url: str) -> Iterator[Database]:
    """Database at a URL, closed at the end; Unavailable if it does not answer."""
    database = Database(url)
    try:
        yield database
    except SQLAlchemyError as error:
        place = database.engine.url.render_as_string(hide_password=True)
        raise Unavailable(f"The database {place} does not do as asked: {_short(error)}") from error
    finally:
        database.dispose()


def head_revision() -> str:
    """Schema that this version of Athena writes."""
    from alembic.config import Config  # costs a second to import
    from alembic.script import ScriptDirectory

    with as_file(files("athena.db") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts))
        return str(ScriptDirectory.from_config(config).get_current_head())


def current_revision(connection: Connection) -> str:
    """Schema of a database; empty where there is none yet."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision() or ""


def take_catalogue(url: str, target: Path, progress: Progress) -> str:
    """Copy the catalogue, as it is at one moment, into a new SQLite file; returns its revision. Writers go on.

    Raises
    ------
    Conflict : the database is not of this version of Athena.
    Unavailable : it does not answer.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).is_file():
        raise NotFound(f"There is no instance to back up: {parsed.database} is missing.")
    with reached(url) as database:
        with database.engine.connect() as connection:
            found, wanted = current_revision(connection), head_revision()
        if found != wanted:
            raise Conflict(
                f"The database has the schema “{found or 'none'}”, this version of Athena writes “{wanted}”.",
                hint="Start this version once, which brings the database up to it, then back up.",
            )
        if database.is_sqlite:
            copy_sqlite(Path(str(database.engine.url.database)), target, progress)
        else:
            _take_rows(database, target, progress)
    return found


def copy_sqlite(source: Path, target: Path, progress: Progress) -> None:
    """Copy a SQLite database that others write to meanwhile."""
    with closing(sqlite3.connect(source, timeout=30)) as reading, closing(sqlite3.connect(target)) as writing:
        # an open read transaction pins the moment; without it each write elsewhere would begin the copy anew
        reading.isolation_level = None
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(
            writing, pages=PAGES, progress=lambda _status, left, whole: progress(whole - left, whole), sleep=0
        )
        reading.execute("COMMIT")
    _make_single(target)


def _take_rows(database: Database, target: Path, progress: Progress) -> None:
    copy = Database(f"sqlite:///{target}")
    try:
        copy.migrate()
        moment = database.engine.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        with moment as reading, copy.engine.begin() as writing:
            writing.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            _clear(writing)
            _copy_rows(reading, writing, progress)
    finally:
        copy.dispose()
    _make_single(target)


def put_catalogue(snapshot: Path, url: str, progress: Progress) -> None:
    """Fill a PostgreSQL database from a snapshot, all of it or nothing.

    The snapshot is brought to this version's schema first: give a copy.

    Raises
    ------
    Conflict : there is an instance in the database already. It is never emptied: its audit trail only grows.
    """
    with reached(f"sqlite:///{snapshot}") as source, reached(url) as database:
        source.migrate()
        database.migrate()
        with source.engine.connect() as reading, database.engine.begin() as writing:
            if _is_used(writing):
                raise Conflict(
                    f"The database {database.engine.url.render_as_string(hide_password=True)} holds an instance.",
                    hint="Give an empty one; to lose what is there, drop it and make it anew.",
                )
            with _constraints_last(writing):
                _clear(writing)
                _copy_rows(reading, writing, progress)
                writing.execute(delete(ServiceRow))
            _set_sequences(writing)


def _clear(connection: Connection) -> None:
    """Take out of a new database what migrations put there: the snapshot has it too."""
    for table in reversed(Base.metadata.sorted_tables):
        if connection.scalar(select(func.count()).select_from(table)):
            connection.execute(table.delete())


def _is_used(connection: Connection) -> bool:
    """Whether somebody has worked with a database: its schema alone may bring a built-in user."""
    return bool(connection.scalar(select(or_(exists(ElementRow.id), exists(TokenRow.id)))))


def clear_services(snapshot: Path) -> None:
    """Forget the services of the instance that was backed up: those of a restored one are others."""
    with reached(f"sqlite:///{snapshot}") as database:
        database.migrate()
        with database.engine.begin() as writing:
            writing.execute(delete(ServiceRow))
    _make_single(snapshot)


def _make_single(path: Path) -> None:
    """Bring a SQLite database that nobody has open into one file, with nothing beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


def _copy_rows(reading: Connection, writing: Connection, progress: Progress) -> None:
    tables = Base.metadata.sorted_tables
    whole = sum(reading.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    done = 0
    for table in tables:
        columns = [column for column in table.columns if column.computed is None]
        keys = [f"v_{column.name}" for column in columns]
        order = list(table.primary_key.columns)
        rows = reading.execution_options(yield_per=ROWS).execute(select(*map(_read, columns)).order_by(*order))
        statement = insert(table).values({column.name: _written(column, writing) for column in columns})
        for part in rows.partitions():
            writing.execute(statement, [dict(zip(keys, row, strict=True)) for row in part])
            done += len(part)
            progress(done, whole)


def _read(column: Column[Any]) -> Any:
    """JSON as its text: None is then the database's own NULL and not JSON's."""
    return cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column


def _written(column: Column[Any], connection: Connection) -> Any:
    if not isinstance(column.type, JSON):
        return bindparam(f"v_{column.name}", type_=column.type)
    value = bindparam(f"v_{column.name}", type_=Text())
    # SQLite keeps JSON as text, and would cast it to a number
    return value if connection.dialect.name == "sqlite" else cast(value, column.type)


@contextmanager
def _constraints_last(connection: Connection) -> Iterator[None]:
    """Check foreign keys at the end: rows of a table may refer to each other in any order."""
    found = connection.exec_driver_sql(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint "
        "WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND NOT condeferrable"
    ).all()
    for table, name in found:
        connection.exec_driver_sql(f'ALTER TABLE {table} ALTER CONSTRAINT "{name}" DEFERRABLE INITIALLY DEFERRED')
    yield
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table, name in found:
        connection.exec_driver_sql(f'ALTER TABLE {table} ALTER CONSTRAINT "{name}" NOT DEFERRABLE')


def _set_sequences(connection: Connection) -> None:
    """Let numbers that the database gives out go on after those that were put in."""
    for table in Base.metadata.sorted_tables:
        for column in table.primary_key.columns:
            named = {"table": f'"{table.name}"', "column": column.name}
            sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), named)
            if sequence is not None:
                last = connection.scalar(select(func.max(column)))
                connection.execute(
                    text("SELECT setval(CAST(:name AS regclass), :last, :called)"),
                    {"name": sequence, "last": last or 1, "called": last is not None},
                )


def _short(error: SQLAlchemyError) -> str:
    """First line of what the database says, without the statement and its values."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]
