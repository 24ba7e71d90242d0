"""How every part of the instance stands (AD-02)."""

import os
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.health import (
    ClusterHealth,
    InstanceHealth,
    QueueHealth,
    ServiceHealth,
    ServiceKind,
    ServiceReport,
    ServiceState,
)
from athena.contract.jobs import JobState
from athena.contract.people import Principal, PrincipalKind
from athena.contract.storages import StorageState
from athena.db import base
from athena.db.acquisitions import AcquisitionRow
from athena.db.health import ServiceRow, note_alive
from athena.db.jobs import JobRow
from athena.db.storages import StorageRow
from athena.domain.readable import duration
from athena.errors import Forbidden
from athena.services.guard import require_admin
from athena.services.heartbeat import forget_crashed
from athena.settings import Settings

SILENT_BEATS = 3
"""A service that missed this many heartbeats is down."""
LOW_SPACE_BYTES = 2 << 30
"""With less free than this a storage is about to stop taking results."""


def list_services(
    session: Session, principal: Principal, *, settings: Settings, others: Iterable[ServiceHealth] = ()
) -> InstanceHealth:
    """Every part with version and state, and what waits; Forbidden but for administrators.

    ``others`` are parts that only the caller can look at (the hub).
    """
    require_admin(principal)
    moment = base.now()
    rows = session.scalars(select(ServiceRow).order_by(ServiceRow.kind, ServiceRow.host, ServiceRow.started)).all()
    services = [_process(row, moment) for row in rows]
    clusters = [_cluster(row, moment) for row in rows if row.kind == ServiceKind.RUNNER and row.cluster is not None]
    if not any(one.kind is ServiceKind.RUNNER for one in services):
        services.append(
            ServiceHealth(
                kind=ServiceKind.RUNNER,
                name="runner",
                state=ServiceState.DOWN,
                message="No runner has reported: nothing is followed or processed. Start one with 'athena runner'.",
            )
        )
    return InstanceHealth(
        version=version("athena-cryoem"),
        time=moment,
        services=(*services, *clusters, _database(session), *others, *_folders(settings), *_connected(session)),
        queue=_queue(session),
    )


def report_service(session: Session, principal: Principal, report: ServiceReport) -> None:
    """Take the heartbeat of a service that has no database of its own (the portal).

    Raises
    ------
    Forbidden : the caller is neither an administrator nor one of Athena's services, or the report is of a kind that
        writes its row itself.
    """
    if principal.kind is not PrincipalKind.SERVICE:
        require_admin(principal)
    if report.kind is not ServiceKind.PORTAL:
        raise Forbidden(f"A {report.kind.value} does not report over HTTP; only a portal does.")
    known = session.get(ServiceRow, report.id)
    if known is None:
        forget_crashed(session, report)
    elif known.kind != report.kind:
        raise Forbidden("This is the identifier of another service.")
    note_alive(session, report)


def _process(row: ServiceRow, moment: datetime) -> ServiceHealth:
    silent = moment - row.seen
    state, message = ServiceState.STABLE, row.message
    if silent > timedelta(seconds=SILENT_BEATS * row.period_s):
        state, message = ServiceState.DOWN, f"Silent for {duration(silent.total_seconds())}."
    elif row.message:
        state = ServiceState.WAITING
    return ServiceHealth(
        kind=ServiceKind(row.kind),
        name=f"{row.kind} on {row.host}",
        state=state,
        version=row.version,
        message=message,
        host=row.host,
        pid=row.pid,
        started=row.started,
        seen=row.seen,
    )


def _cluster(row: ServiceRow, moment: datetime) -> ServiceHealth:
    """Dask as its runner last saw it: of a runner that is down, nothing is known."""
    cluster = ClusterHealth.model_validate(row.cluster)
    state, message = ServiceState.STABLE, f"{cluster.in_flight} movies under way."
    if _process(row, moment).state is ServiceState.DOWN:
        state, message = ServiceState.DOWN, "Its runner is down."
    elif not cluster.version:
        state, message = ServiceState.WAITING, "The scheduler has not answered yet."
    elif not cluster.workers:
        state, message = ServiceState.WAITING, "No worker is there yet."
    elif len(cluster.workers) < cluster.wanted:
        state, message = ServiceState.WAITING, f"{len(cluster.workers)} of {cluster.wanted} workers are there."
    return ServiceHealth(
        kind=ServiceKind.DASK,
        name=f"dask of the runner on {row.host}",
        state=state,
        version=cluster.version,
        message=message,
        host=row.host,
        seen=row.seen,
        workers=cluster.workers,
    )


def _database(session: Session) -> ServiceHealth:
    dialect = session.get_bind().dialect.name
    statement = "SELECT sqlite_version()" if dialect == "sqlite" else "SHOW server_version"
    found = str(session.scalar(text(statement)))
    name = "SQLite" if dialect == "sqlite" else "PostgreSQL"
    return ServiceHealth(kind=ServiceKind.DATABASE, name=name, state=ServiceState.STABLE, version=found)


def _connected(session: Session) -> tuple[ServiceHealth, ...]:
    """Storages that files lie on, as the last look at them found them."""
    states = {StorageState.STABLE: ServiceState.STABLE, StorageState.DOWN: ServiceState.DOWN}
    return tuple(
        ServiceHealth(
            kind=ServiceKind.STORAGE,
            name=f"storage “{row.name}” ({row.role})",
            state=states.get(StorageState(row.state), ServiceState.WAITING),
            message=row.message or ("" if row.checked else "It has not been looked at yet."),
        )
        for row in session.scalars(select(StorageRow).order_by(StorageRow.name))
    )


def _folders(settings: Settings) -> tuple[ServiceHealth, ...]:
    places = {"home": settings.home, "run stores": settings.resolved_data_dir}
    return tuple(_folder(name, path) for name, path in places.items())


def _folder(name: str, path: Path) -> ServiceHealth:
    state, message = ServiceState.STABLE, ""
    # the folder of the run stores appears with the first result
    there = next((place for place in (path, *path.parents) if place.exists()), path)
    try:
        usage = shutil.disk_usage(there)
    except OSError as error:
        return ServiceHealth(
            kind=ServiceKind.STORAGE, name=name, state=ServiceState.DOWN, message=f"{path}: {error.strerror}."
        )
    free = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB free in {path}."
    if not os.access(there, os.W_OK | os.X_OK):
        state, message = ServiceState.DOWN, f"{path} cannot be written to. "
    elif usage.free < LOW_SPACE_BYTES:
        state, message = ServiceState.WAITING, "Almost full: "
    return ServiceHealth(kind=ServiceKind.STORAGE, name=name, state=state, message=message + free)


def _queue(session: Session) -> QueueHealth:
    counted = session.execute(select(JobRow.state, func.count(), func.min(JobRow.created)).group_by(JobRow.state))
    jobs = {state: (count, oldest) for state, count, oldest in counted}
    waiting, oldest = jobs.get(JobState.PENDING.value, (0, None))
    states = (AcquisitionState.REGISTERED.value, AcquisitionState.PROCESSING.value)
    query = select(AcquisitionRow.state, func.count()).where(AcquisitionRow.state.in_(states))
    movies: dict[str, int] = dict(session.execute(query.group_by(AcquisitionRow.state)).all())
    return QueueHealth(
        jobs_waiting=waiting,
        jobs_running=jobs.get(JobState.RUNNING.value, (0, None))[0],
        oldest_waiting=oldest,
        movies_waiting=movies.get(AcquisitionState.REGISTERED.value, 0),
        movies_processing=movies.get(AcquisitionState.PROCESSING.value, 0),
    )
