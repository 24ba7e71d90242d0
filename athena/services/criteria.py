"""Quality criteria of runs (EQ-12): who complies, and when so few do that a run is in Warning."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import desc
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.criteria import Criteria, RunCriteria
from athena.contract.events import EventKind
from athena.contract.filters import RunFilter
from athena.contract.people import Principal
from athena.db.acquisitions import RunCriteriaRow, RunRow, bump_version
from athena.db.branches import Results, completed
from athena.db.events import append_event
from athena.domain.filters import check_filter, columns_of, matches
from athena.services.audit import record
from athena.services.guard import get_visible_run, require_writer
from athena.services.results import find_results, store_of, visible_results
from athena.services.statuses import follow_acquisitions
from athena.services.user_metrics import known_metrics
from athena.settings import Settings
from athena.zarrio.reader import read_table

MIN_JUDGED = 10
"""A run with fewer processed acquisitions than this is not warned of: the first ones are often the user's trials."""


def get_criteria(
    session: Session, principal: Principal, run_id: UUID, *, settings: Settings, branch: str | None = None
) -> RunCriteria:
    """Quality criteria of a run and how its processed acquisitions comply."""
    results = visible_results(session, principal, run_id, branch)
    complying = _complying(session, results, settings)
    recent = complying[-settings.criteria_window :]
    return RunCriteria(
        run_id=run_id,
        rules=rules_of(session, run_id, settings).rules,
        own=session.get(RunCriteriaRow, run_id) is not None,
        complying=int(complying.sum()),
        judged=complying.size,
        recent_complying=int(recent.sum()),
        recent_judged=recent.size,
        warning=_is_poor(recent, settings),
    )


def set_criteria(
    session: Session, principal: Principal, run_id: UUID, wanted: Criteria | None, *, settings: Settings
) -> RunCriteria:
    """Set the quality criteria of a run for everyone; None: those of the instance again.

    Raises NotFound, Forbidden, or Invalid where a rule names what is no metric.
    """
    element = require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    if wanted is None:
        if (row := session.get(RunCriteriaRow, run_id)) is not None:
            session.delete(row)
    else:
        check_filter(RunFilter(rules=wanted.rules), known_metrics(session, run_id))
        session.merge(RunCriteriaRow(run_id=run_id, rules=[rule.model_dump(mode="json") for rule in wanted.rules]))
    session.flush()
    rules = rules_of(session, run_id, settings).rules
    record(
        session,
        principal,
        AuditAction.CRITERIA_SET,
        element,
        own=wanted is not None,
        rules=[rule.model_dump(mode="json") for rule in rules],
    )
    version = bump_version(session, run_id)  # before any event: events hold the clock, locks come first
    judge_latest(session, run_id, settings)
    follow_acquisitions(session, run_id)
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    return get_criteria(session, principal, run_id, settings=settings)


def rules_of(session: Session, run_id: UUID, settings: Settings) -> RunFilter:
    """Rules in force for a run. For services and jobs past their guard."""
    row = session.get(RunCriteriaRow, run_id)
    return RunFilter(rules=settings.criteria) if row is None else RunFilter.model_validate({"rules": row.rules})


def completed_indices(session: Session, results: Results, *, latest: int | None = None) -> NDArray[np.int64]:
    """Processed acquisitions by index, ascending: all, or only the latest. For services past their guard."""
    query = completed(results).order_by(desc("index")).limit(latest)
    return np.array(session.scalars(query).all()[::-1], dtype=np.int64)


def judge_latest(session: Session, run_id: UUID, settings: Settings) -> None:
    """Note on the run whether too few of its latest acquisitions comply; the caller holds the run's row.

    Costs the reading of a few numbers whatever the size of the run.
    """
    results = find_results(session, session.get_one(RunRow, run_id), None)
    recent = _complying(session, results, settings, latest=settings.criteria_window)
    session.get_one(RunRow, run_id).below_criteria = _is_poor(recent, settings)
    session.flush()


def _complying(
    session: Session, results: Results, settings: Settings, *, latest: int | None = None
) -> NDArray[np.bool_]:
    """Whether each processed acquisition complies, by index: all, or only the latest."""
    indices = completed_indices(session, results, latest=latest)
    if not indices.size:
        return np.zeros(0, dtype=np.bool_)
    rules = rules_of(session, results.run_id, settings)
    start, stop = int(indices[0]), int(indices[-1]) + 1
    columns = columns_of(rules)
    values = read_table(store_of(results, settings), columns, start, stop, also=columns)
    return matches(rules, values, stop - start)[indices - start]


def _is_poor(recent: NDArray[np.bool_], settings: Settings) -> bool:
    enough = recent.size >= min(MIN_JUDGED, settings.criteria_window)
    return enough and float(recent.mean()) < settings.criteria_share
