"""The filter saved for a run (EQ-08): what limits its exports, its gallery and its counts."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.filters import RunFilter, SavedFilter
from athena.contract.people import Principal
from athena.contract.verdicts import VerdictKind
from athena.db.acquisitions import AcquisitionRow, RunFilterRow
from athena.db.branches import default_branch
from athena.db.events import append_event
from athena.domain.filters import check_filter, columns_of, matches
from athena.services.audit import record
from athena.services.filter_versions import version_of
from athena.services.guard import get_visible_run, require_writer
from athena.services.results import visible_results
from athena.services.user_metrics import known_metrics
from athena.services.verdicts import judged
from athena.settings import Settings
from athena.zarrio.reader import read_table


def get_filter(
    session: Session, principal: Principal, run_id: UUID, *, settings: Settings, branch: str | None = None
) -> SavedFilter:
    """Filter of a run and how many acquisitions match it; without rules where none was saved."""
    results = visible_results(session, principal, run_id, branch)
    wanted = saved_filter(session, run_id)
    kept = matching(session, run_id, wanted, settings=settings, branch=results.number)
    by_hand = judged(session, run_id)
    return SavedFilter(
        run_id=run_id,
        filter=wanted,
        matching=int(kept.sum()),
        total=len(kept),
        accepted=by_hand[VerdictKind.ACCEPTED].size,
        rejected=by_hand[VerdictKind.REJECTED].size,
        named=version_of(session, run_id, wanted.rules),
    )


def save_filter(
    session: Session, principal: Principal, run_id: UUID, wanted: RunFilter, *, settings: Settings
) -> SavedFilter:
    """Save the filter of a run for everyone; Invalid where it names what is no metric."""
    element = require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    check_filter(wanted, known_metrics(session, run_id))
    rules = [rule.model_dump(mode="json") for rule in wanted.rules]
    session.merge(RunFilterRow(run_id=run_id, rules=rules))
    record(session, principal, AuditAction.FILTER_SAVED, element, rules=rules)
    session.flush()
    append_event(session, EventKind.ELEMENT_UPDATED, element_id=run_id)
    return get_filter(session, principal, run_id, settings=settings)


def saved_filter(session: Session, run_id: UUID) -> RunFilter:
    """Filter of a run. For services and jobs past their guard."""
    row = session.get(RunFilterRow, run_id)
    return RunFilter.model_validate({"rules": row.rules if row is not None else ()})


def matching(
    session: Session,
    run_id: UUID,
    wanted: RunFilter,
    *,
    settings: Settings,
    start: int = 0,
    stop: int | None = None,
    branch: int | None = None,
) -> NDArray[np.bool_]:
    """Whether each acquisition from index ``start`` to ``stop`` (not included; None: the last) matches a filter.

    What was accepted by hand matches, and what was rejected does not, whatever the rules say. For services and jobs
    past their guard. ``branch`` : number of the branch whose metrics count; None: the default one.
    """
    number = default_branch(session, run_id) if branch is None else branch
    if stop is None:
        last = session.scalar(select(func.max(AcquisitionRow.index)).where(AcquisitionRow.run_id == run_id))
        stop = 0 if last is None else last + 1
    columns = columns_of(wanted)
    values = read_table(settings.run_store(str(run_id), number), columns, start, stop, also=columns) if columns else {}
    kept = matches(wanted, values, stop - start)
    by_hand = judged(session, run_id, start, stop)
    kept[by_hand[VerdictKind.ACCEPTED] - start] = True
    kept[by_hand[VerdictKind.REJECTED] - start] = False
    return kept
