"""The catalogue: reachable, migrated, sound; its clock; jobs and services that are stuck."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from athena.contract.health import ServiceKind
from athena.contract.jobs import JobState
from athena.contract.runs import SourceState
from athena.db.acquisitions import SourceRow
from athena.db.base import now
from athena.db.engine import Database
from athena.db.events import EventRow
from athena.db.health import ServiceRow
from athena.db.jobs import JobRow
from athena.operations.catalogue import current_revision, head_revision
from athena.operations.findings import Finding, error, fine, warning
from athena.services.health import SILENT_BEATS
from athena.settings import Settings

SLACK = timedelta(seconds=5)
LAPSED = timedelta(minutes=1)
"""A lease that lapsed longer ago than this has been taken over by nobody."""
LONG_WAIT = timedelta(minutes=10)


def check_database(settings: Settings) -> Iterator[Finding]:
    """The database answers and has this version's schema."""
    url = make_url(settings.resolved_database_url)
    shown = url.render_as_string(hide_password=True)
    if _is_absent(url):
        yield warning("database", f"{url.database} is not there yet.", "'athena up' makes it.")
        return
    database = Database(settings.resolved_database_url)
    try:
        with database.engine.connect() as connection:
            found, wanted = current_revision(connection), head_revision()
            sound = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() if database.is_sqlite else "ok"
    except SQLAlchemyError as problem:
        reason = str(getattr(problem, "orig", None) or problem).splitlines()[0]
        yield error("database", f"{shown} does not answer: {reason}", "Start it, or correct ATHENA_DATABASE_URL.")
        return
    finally:
        database.dispose()
    if sound != "ok":
        yield error("database", f"{shown} is damaged: {sound}", "Stop Athena and restore a backup ('athena restore').")
    elif found == wanted:
        yield fine("database", f"{shown} answers and has the schema “{found}”.")
    elif is_known(found):
        yield warning("database", f"{shown} has the older schema “{found or 'none'}”.", "The next start migrates it.")
    else:
        advice = "Install the version of Athena that last used it, or a newer one."
        yield error("database", f"{shown} has the schema “{found}”, which this version does not know.", advice)


def is_known(revision: str) -> bool:
    """Whether a schema is one of this version's history."""
    from importlib.resources import as_file, files

    from alembic.config import Config
    from alembic.script import ScriptDirectory

    with as_file(files("athena.db") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts))
        history = ScriptDirectory.from_config(config).walk_revisions()
        return not revision or revision in {one.revision for one in history}


def is_current(settings: Settings) -> bool:
    """Whether this version can read the catalogue; if not, ``check_database`` says why and the others are left out."""
    if _is_absent(make_url(settings.resolved_database_url)):
        return False
    database = Database(settings.resolved_database_url)
    try:
        with database.engine.connect() as connection:
            return current_revision(connection) == head_revision()
    except SQLAlchemyError:
        return False
    finally:
        database.dispose()


def _is_absent(url: URL) -> bool:
    """Whether it is a SQLite file that is not there; looking into it would make it."""
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()


def check_clock(settings: Settings) -> Iterator[Finding]:
    """Clocks of this machine and of the database agree, and no event lies in the future."""
    if not is_current(settings):
        return
    database = Database(settings.resolved_database_url)
    try:
        with database.session(read_only=True) as session:
            theirs = datetime.now(UTC) if database.is_sqlite else session.scalar(text("SELECT clock_timestamp()"))
            apart = (theirs or datetime.now(UTC)) - datetime.now(UTC)
            newest = session.scalar(select(EventRow.time).order_by(EventRow.seq.desc()).limit(1))
    finally:
        database.dispose()
    advice = "Let all machines follow the same time server (chrony, systemd-timesyncd)."
    if abs(apart) > SLACK:
        reason = f"The clock of the database is {apart.total_seconds():+.0f} s from this machine's."
        yield warning("clock", reason, advice)
    elif newest is not None and newest > now() + SLACK:
        yield warning("clock", f"The newest event is of {newest:%F %T %Z}, which is yet to come.", advice)
    else:
        yield fine("clock", "The clocks agree.")


def check_services(settings: Settings) -> Iterator[Finding]:
    """Every service that reported has gone on doing so, and no work waits in vain."""
    if not is_current(settings):
        return
    database = Database(settings.resolved_database_url)
    try:
        with database.session(read_only=True) as session:
            rows = session.scalars(select(ServiceRow)).all()
            down = [row for row in rows if now() - row.seen > timedelta(seconds=SILENT_BEATS * row.period_s)]
            alive = [row for row in rows if row not in down]
            for row in down:
                reason = f"The {row.kind} on {row.host} (process {row.pid}) is silent since {row.seen:%F %T %Z}."
                yield warning("services", reason, f"See its log; start it again with 'athena {row.kind}'.")
            if not down:
                running = ", ".join(sorted(row.kind for row in alive)) or "none"
                yield fine("services", f"No service has fallen silent; running: {running}.")
            yield from _stuck(session, is_worked=any(row.kind == ServiceKind.RUNNER for row in alive))
    finally:
        database.dispose()


def _stuck(session: Session, *, is_worked: bool) -> Iterator[Finding]:
    moment = now()
    lapsed = session.scalars(
        select(JobRow).where(JobRow.state == JobState.RUNNING.value, JobRow.lease_until < moment - LAPSED)
    ).all()
    waiting = session.scalars(
        select(JobRow).where(JobRow.state == JobState.PENDING.value, JobRow.created < moment - LONG_WAIT)
    ).all()
    open_states = (SourceState.WATCHING.value, SourceState.IMPORTING.value)
    left = session.scalar(
        select(func.count())
        .select_from(SourceRow)
        .where(SourceRow.state.in_(open_states), SourceRow.lease_until < moment - LAPSED)
    )
    found = []
    if lapsed:
        found.append(f"{len(lapsed)} jobs whose runner fell silent")
    if waiting:
        found.append(f"{len(waiting)} jobs that wait since {min(row.created for row in waiting):%F %R %Z}")
    if left:
        found.append(f"{left} sources that nobody follows")
    if not found:
        yield fine("jobs", "No job or source is stuck.")
    elif is_worked:
        advice = "A runner is there but does not take them: see its log, then start it again."
        yield error("jobs", f"There are {', '.join(found)}.", advice)
    else:
        advice = "No runner is there: 'athena up' or 'athena runner' goes on with them."
        yield warning("jobs", f"There are {', '.join(found)}.", advice)
