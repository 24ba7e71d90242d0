"""Runs that are acquired now (WS-19): their pace, their last micrograph, and how the latest of them are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import desc, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import State
from athena.contract.filters import RunFilter
from athena.contract.live_runs import LiveRun, RuleFailures
from athena.contract.people import Principal
from athena.contract.runs import SourceState
from athena.contract.search import Placed
from athena.db.acquisitions import AcquisitionRow, RunRow, SourceRow, count_states
from athena.db.elements import ElementRow
from athena.db.visibility import visible_with_roles
from athena.domain.filters import columns_of, matches
from athena.services.criteria import completed_indices, rules_of
from athena.services.elements import visible_rows
from athena.services.placed import place_elements
from athena.services.results import find_results, store_of
from athena.services.user_metrics import describe_metrics
from athena.settings import Settings
from athena.zarrio.reader import read_table

LATEST = 100
"""Acquisitions that a run's pace and failures are taken from."""
MIN_INTERVALS = 3
"""A pace is told of no fewer intervals than this,"""
MIN_SECONDS = 30.0
"""and of no shorter time: what an import finds at once has no pace."""


@dataclass(frozen=True)
class _Latest:
    index: int
    name: str
    state: str
    acquired: datetime | None
    registered: datetime


_LIVE = (SourceState.WATCHING.value, SourceState.IMPORTING.value)


def list_live_runs(
    session: Session, principal: Principal, *, settings: Settings, limit: int = 12
) -> tuple[LiveRun, ...]:
    """Visible runs whose folder is followed, the one looked at last first. Costs little however long the runs are."""
    query = (
        visible_with_roles(principal)
        .join(SourceRow, SourceRow.run_id == ElementRow.id)
        .where(SourceRow.state.in_(_LIVE), SourceRow.follow, ElementRow.state == State.ACTIVE.value)
        .order_by(SourceRow.last_scan.desc().nulls_last(), ElementRow.id)
        .limit(limit)
    )
    placed = place_elements(session, principal, visible_rows(session, principal, query))
    return tuple(_live_run(session, one, settings) for one in placed)


def pace(times: Sequence[datetime]) -> tuple[float | None, float | None]:
    """Acquisitions in an hour, and the median time between two, s; None where there are too few.

    The rate is that of the intervals without the longest tenth: a filling of the nitrogen is no slower pace.
    """
    gaps = np.sort(np.diff([time.timestamp() for time in sorted(times)]))
    usual = gaps[: round(0.9 * gaps.size)]
    if usual.size < MIN_INTERVALS or usual.sum() < MIN_SECONDS:
        return None, None
    return 3600 * usual.size / float(usual.sum()), float(np.median(gaps))


def _live_run(session: Session, placed: Placed, settings: Settings) -> LiveRun:
    run_id = placed.element.id
    source, run = session.get_one(SourceRow, run_id), session.get_one(RunRow, run_id)
    latest = _latest(session, run_id)
    rate, interval = pace([row.acquired or row.registered for row in latest])
    last = latest[0] if latest else None
    done = next((row.index for row in latest if row.state == AcquisitionState.COMPLETED.value), None)
    settled = [row.state for row in latest if row.state in (AcquisitionState.COMPLETED, AcquisitionState.ERROR)]
    judged, complying, failures = _judge(session, run, settings)
    return LiveRun(
        element=placed.element,
        breadcrumb=placed.breadcrumb,
        state=SourceState(source.state),
        message=source.message,
        last_scan=source.last_scan,
        counts=count_states(session, run_id),
        rate_per_h=rate,
        usual_interval_s=interval,
        last_index=last.index if last is not None else None,
        last_name=last.name if last is not None else "",
        last_registered=last.registered if last is not None else None,
        shown_index=done,
        latest=len(settled),
        latest_failed=settled.count(AcquisitionState.ERROR.value),
        judged=judged,
        complying=complying,
        failures=failures,
        user_metrics=describe_metrics(session, run_id, source=False),
    )


def _latest(session: Session, run_id: UUID) -> list[_Latest]:
    """The latest acquisitions, the last first."""
    row = AcquisitionRow
    query = select(row.index, row.name, row.state, row.acquired, row.registered).where(row.run_id == run_id)
    return [_Latest(*found) for found in session.execute(query.order_by(desc(row.index)).limit(LATEST))]


def _judge(session: Session, run: RunRow, settings: Settings) -> tuple[int, int, tuple[RuleFailures, ...]]:
    """How many of the latest processed acquisitions are judged and comply, and how many fail each rule."""
    results = find_results(session, run, None)
    indices = completed_indices(session, results, latest=settings.criteria_window)
    rules = rules_of(session, run.id, settings)
    if not indices.size or not rules.rules:
        return 0, 0, ()
    start, length = int(indices[0]), int(indices[-1] - indices[0]) + 1
    columns = columns_of(rules)
    values = read_table(store_of(results, settings), columns, start, start + length, also=columns)

    def keeps(wanted: RunFilter) -> NDArray[np.bool_]:
        return matches(wanted, values, length)[indices - start]

    failing = [(rule, int((~keeps(RunFilter(rules=(rule,)))).sum())) for rule in rules.rules]
    told = tuple(RuleFailures(rule=rule, failing=count) for rule, count in failing if count)
    return indices.size, int(keeps(rules).sum()), told
