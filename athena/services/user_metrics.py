"""User metrics: adding a function to a run, and what the run measures with them (NB-05). Nothing here runs them."""

import ast
import hashlib
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind, JobState
from athena.contract.people import Principal
from athena.contract.user_metrics import MetricFailure, UserMetric, UserMetricCreate
from athena.db.acquisitions import RunCriteriaRow, RunFilterRow, bump_version
from athena.db.base import now
from athena.db.branches import default_branch
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.db.people import UserRow
from athena.db.user_metrics import MetricFailureRow, UserMetricRow, metrics_of
from athena.domain.job_life import OPEN
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services.audit import record
from athena.services.guard import get_visible_run, require_writer
from athena.services.results import visible_results
from athena.settings import Settings
from athena.zarrio.layout import ARRAYS, METRICS, Metric

MAX_METRICS = 50
"""Of a run."""
MAX_FAILURES = 1000
"""Told at once."""
_SLOT = "user_metrics"


def known_metrics(session: Session, run_id: UUID) -> Mapping[str, Metric]:
    """What a run may be asked for: the built-in metrics and its own. For services and jobs past their guard."""
    return METRICS | {row.name: as_metric(row) for row in metrics_of(session, run_id)}


def as_metric(row: UserMetricRow) -> Metric:
    """User metric as the layout describes metrics."""
    return Metric(row.name, row.label, row.unit, row.digits, row.lower_is_better)


def list_metrics(session: Session, principal: Principal, run_id: UUID) -> tuple[UserMetric, ...]:
    """User metrics of a run, by name."""
    get_visible_run(session, principal, run_id)
    return describe_metrics(session, run_id)


def describe_metrics(session: Session, run_id: UUID, *, source: bool = True) -> tuple[UserMetric, ...]:
    """The same, with or without their sources. For services past their guard."""
    rows = metrics_of(session, run_id)
    if not rows:
        return ()
    users = select(UserRow.id, UserRow.username).where(UserRow.id.in_([row.creator_id for row in rows]))
    names: dict[UUID | None, str] = dict(session.execute(users).all())
    counted = session.execute(
        select(MetricFailureRow.name, func.count())
        .where(MetricFailureRow.run_id == run_id, MetricFailureRow.branch == default_branch(session, run_id))
        .group_by(MetricFailureRow.name)
    )
    failed: dict[str, int] = dict(counted.all())
    return tuple(
        UserMetric(
            run_id=run_id,
            name=row.name,
            label=row.label,
            unit=row.unit,
            digits=row.digits,
            lower_is_better=row.lower_is_better,
            image=row.image,
            source=row.source if source else "",
            sha256=row.sha256,
            creator=names.get(row.creator_id, ""),
            created=row.created,
            failed=failed.get(row.name, 0),
        )
        for row in rows
    )


def put_metric(
    session: Session, principal: Principal, run_id: UUID, name: str, wanted: UserMetricCreate, *, settings: Settings
) -> UserMetric:
    """Add a metric to a run, or replace its function; it is then computed for what is there and what comes.

    Raises NotFound, Forbidden (also where the instance has user metrics switched off), Invalid (name of a built-in
    metric, source that cannot be read) or Conflict (too many).
    """
    element = require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    if settings.user_metrics == "off":
        raise Forbidden("User metrics are switched off here.", hint="An administrator sets ATHENA_USER_METRICS.")
    if name in METRICS or name in ARRAYS:
        raise Invalid(f"“{name}” is a metric of Athena's own.", hint="Give the function another name.")
    _check_source(wanted.source, name)
    _start_job(session, principal, element)  # first: the job locks its own row before any metric's
    row = session.get(UserMetricRow, (run_id, name), with_for_update=True)
    if row is None:
        if len(metrics_of(session, run_id)) >= MAX_METRICS:
            raise Conflict(f"A run has at most {MAX_METRICS} user metrics.", hint="Remove one first.")
        row = UserMetricRow(run_id=run_id, name=name)
        session.add(row)
    row.label = wanted.label or name.replace("_", " ").capitalize()
    row.unit, row.digits, row.image = wanted.unit, wanted.digits, wanted.image
    row.lower_is_better = wanted.lower_is_better
    row.source = wanted.source
    # what a column was computed with: also whether it saw the image
    row.sha256 = hashlib.sha256(f"{int(wanted.image)}\n{wanted.source}".encode()).hexdigest()
    row.creator_id, row.created = principal.user_id, now()
    session.flush()
    session.execute(delete(MetricFailureRow).where(MetricFailureRow.run_id == run_id, MetricFailureRow.name == name))
    record(session, principal, AuditAction.METRIC_SET, element, metric=name, sha256=row.sha256)
    version = bump_version(session, run_id)
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    append_event(session, EventKind.JOB_CHANGED, element_id=run_id)
    return next(one for one in describe_metrics(session, run_id) if one.name == name)


def remove_metric(session: Session, principal: Principal, run_id: UUID, name: str) -> None:
    """Take a metric off a run; Conflict while the run's filter or criteria rest on it."""
    element = require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    row = session.get(UserMetricRow, (run_id, name))
    if row is None:
        raise NotFound(f"The run has no user metric “{name}”.")
    resting: tuple[tuple[RunFilterRow | RunCriteriaRow | None, str], ...] = (
        (session.get(RunFilterRow, run_id), "saved filter"),
        (session.get(RunCriteriaRow, run_id), "quality criteria"),
    )
    for rests, what in resting:
        if rests is not None and any(rule["metric"] == name for rule in rests.rules):
            raise Conflict(f"The {what} of “{element.name}” rests on “{name}”.", hint="Change that first.")
    session.delete(row)
    record(session, principal, AuditAction.METRIC_REMOVED, element, metric=name)
    session.flush()
    version = bump_version(session, run_id)
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)


def list_failures(
    session: Session, principal: Principal, run_id: UUID, name: str, *, branch: str | None = None
) -> tuple[MetricFailure, ...]:
    """Why the metric has no value for acquisitions of a branch (None: the default one), the first ones by index."""
    results = visible_results(session, principal, run_id, branch)
    if session.get(UserMetricRow, (run_id, name)) is None:
        raise NotFound(f"The run has no user metric “{name}”.")
    rows = session.scalars(
        select(MetricFailureRow)
        .where(
            MetricFailureRow.run_id == run_id,
            MetricFailureRow.name == name,
            MetricFailureRow.branch == results.number,
        )
        .order_by(MetricFailureRow.index)
        .limit(MAX_FAILURES)
    )
    return tuple(MetricFailure(index=row.index, reason=row.reason) for row in rows)


def _check_source(source: str, name: str) -> None:
    """Refuse with Invalid what defines no function of that name; it is read here, and never run."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Invalid(f"The source of “{name}” cannot be read: {error}.") from error
    if not any(isinstance(part, ast.FunctionDef) and part.name == name for part in tree.body):
        raise Invalid(f"The source defines no function “{name}”.")


def _start_job(session: Session, principal: Principal, element: ElementRow) -> None:
    """Make the job that computes the run's user metrics, unless one is open."""
    is_open = (
        JobRow.element_id == element.id,
        JobRow.kind == JobKind.USER_METRICS.value,
        JobRow.state.in_([state.value for state in OPEN]),
    )
    if session.scalar(select(JobRow.id).where(*is_open).with_for_update()) is not None:
        return
    # one a run is enough: those that ended were of this same, never-ending work
    session.execute(
        delete(JobRow).where(
            JobRow.element_id == element.id,
            JobRow.kind == JobKind.USER_METRICS.value,
            JobRow.state.in_([state.value for state in JobState if state not in OPEN]),
        )
    )
    session.add(
        JobRow(
            kind=JobKind.USER_METRICS.value,
            element_id=element.id,
            subject=element.name,
            slot=_SLOT,
            unit="values",
            initiator_id=principal.user_id,
        )
    )
    session.flush()
