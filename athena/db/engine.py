"""The database of an instance: engine, sessions, schema."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.orm import Session, sessionmaker

# whoever has a database has every model: foreign keys name tables of modules that a caller need not import
from athena.db import (  # noqa: F401
    acquisitions,
    audit,
    elements,
    events,
    groups,
    health,
    jobs,
    licences,
    named_filters,
    notes,
    people,
    samples,
    search,
    storages,
)
from athena.db.search import keep_current

MIGRATION_LOCK = 0x61746865
"""Key of the advisory lock under which PostgreSQL instances migrate one at a time."""

POOL = {"pool_size": 20, "max_overflow": 20}
"""Connections of a process, of which so many stay open: no thread of a server waits for one."""

_MIGRATING = threading.Lock()  # alembic's context is one a process


class Database:
    """Engine and session factory for one SQLAlchemy URL (SQLite or PostgreSQL)."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = {"connect_args": {"timeout": 30}} if self.is_sqlite else {"pool_pre_ping": True}
        if parsed.database and parsed.database != ":memory:":
            arguments |= POOL
        self.engine = create_engine(parsed, **arguments)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_immediate)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        keep_current(self._sessions)

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends well, else rolled back.

        ``read_only`` sessions take no write lock on SQLite, so readers never wait for the writer.
        """
        with self._sessions() as session:
            if read_only and self.is_sqlite:
                session.connection(execution_options={"athena_read_only": True})
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def migrate(self) -> None:
        """Bring the schema to this version; safe to call from several processes at once."""
        from alembic import command  # costs a second to import, and only instances that start need it
        from alembic.config import Config

        with (
            _MIGRATING,
            as_file(files("athena.db") / "migrations") as scripts,
            self.engine.connect() as connection,
        ):
            if self.is_sqlite:
                # SQLite alters a table by making it anew: with foreign keys on, dropping the old one would take every
                # row that refers to it along
                _foreign_keys(connection, on=False)
            else:
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
            try:
                config = Config()
                config.set_main_option("script_location", str(scripts))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.commit()
            finally:
                if self.is_sqlite:
                    connection.rollback()  # what failed; the switch works outside transactions alone
                    _foreign_keys(connection, on=True)
                else:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
                    connection.commit()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin hook below opens transactions
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Switch SQLite's foreign keys; the driver's own connection, since any other call would begin a transaction."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}").close()


def _begin_immediate(connection: Connection) -> None:
    """Take SQLite's write lock at once: a reader that later writes would otherwise fail instead of waiting."""
    read_only = connection.get_execution_options().get("athena_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
