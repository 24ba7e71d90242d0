"""The event log is gapless and in commit order, whoever writes, on both databases."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from athena.contract.events import EventKind
from athena.db.engine import Database
from athena.db.events import EventRow, append_event, last_seq

WRITERS = 4
EACH = 25


def write_events(url: str, writer: int) -> None:
    """Append events one transaction at a time; every fifth is rolled back."""
    database = Database(url)
    for number in range(EACH):
        try:
            with database.session() as session:
                append_event(session, EventKind.RUN_CHANGED, index=writer, version=number)
                if number % 5 == 4:
                    raise Interrupted
        except Interrupted:
            continue
    database.dispose()


class Interrupted(Exception):
    """A writer that gives up in the middle of its transaction."""


def watch(database: Database, stop: threading.Event) -> list[int]:
    """Follow the log as a client does: ask for what is new until told to stop and nothing is left."""
    seen: list[int] = []
    while True:
        finishing = stop.wait(0.01)  # leaves the processor to the writers
        with database.session(read_only=True) as session:
            newest = last_seq(session)
            after = seen[-1] if seen else 0
            fresh = list(
                session.scalars(
                    select(EventRow.seq).where(EventRow.seq > after, EventRow.seq <= newest).order_by(EventRow.seq)
                )
            )
        # a number that becomes visible is never followed by a smaller one: nothing is missed
        assert fresh == list(range(after + 1, newest + 1))
        seen += fresh
        if finishing:
            return seen


def in_threads(url: str) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write_events, [url] * WRITERS, range(WRITERS)))


def in_processes(url: str) -> None:
    with subprocess.Popen([sys.executable, __file__, url, "1"]) as other:
        write_events(url, 0)
        assert other.wait(timeout=120) == 0


@pytest.mark.parametrize("run", [in_threads, in_processes])
def test_numbers_are_gapless_and_appear_in_order(
    database: Database, database_url: str, run: Callable[[str], None]
) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch, database, stop)
        try:
            run(database_url)
        finally:
            stop.set()
        seen = watcher.result(timeout=60)
    with database.session(read_only=True) as session:
        rows = session.execute(select(EventRow.seq, EventRow.index, EventRow.version).order_by(EventRow.seq)).all()
    assert [row.seq for row in rows] == seen == list(range(1, len(rows) + 1))
    for writer in {row.index for row in rows}:
        kept = [number for number in range(EACH) if number % 5 != 4]
        assert [row.version for row in rows if row.index == writer] == kept


def test_a_database_without_the_clock_is_told_apart(database: Database) -> None:
    with database.session() as session:
        session.execute(EventRow.metadata.tables["event_clock"].delete())
        with pytest.raises(RuntimeError, match="migrations"):
            append_event(session, EventKind.RUN_CHANGED)


if __name__ == "__main__":
    write_events(sys.argv[1], int(sys.argv[2]))
