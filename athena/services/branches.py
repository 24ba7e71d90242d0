"""Branches of results: listing, making, deleting and comparing them (BY-06); see also ``promotion``."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.branches import (
    FIRST,
    Branch,
    BranchComparison,
    DeleteBranchParameters,
    MetricComparison,
    ReprocessParameters,
)
from athena.contract.jobs import JobKind
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow, RunRow, bump_version
from athena.db.base import now
from athena.db.branches import BranchAcquisitionRow, BranchRow, completed, count_branch
from athena.db.elements import ElementRow
from athena.db.jobs import JobRow, processing_job
from athena.db.people import UserRow
from athena.domain.filters import check_filter
from athena.domain.job_kinds import Prepared
from athena.domain.job_life import OPEN
from athena.errors import Conflict, Invalid
from athena.services.guard import get_visible_run
from athena.services.jobs import refuse_content_jobs
from athena.services.parameters import checked_parameters
from athena.services.results import find_results, results_in
from athena.services.run_filters import matching
from athena.services.user_metrics import known_metrics
from athena.settings import Settings
from athena.zarrio.layout import Metric
from athena.zarrio.reader import read_table

_OPEN = tuple(state.value for state in OPEN)
_PERIODS = {"astigmatism_angle_deg": 180.0, "drift_direction_deg": 360.0}
"""Metrics whose differences are taken the short way round."""
_INSERTED = 5000
"""Rows of one statement."""


def list_branches(session: Session, principal: Principal, run_id: UUID) -> tuple[Branch, ...]:
    """Branches of a run, oldest first; a run always has one."""
    run = get_visible_run(session, principal, run_id)
    rows = session.scalars(select(BranchRow).where(BranchRow.run_id == run_id).order_by(BranchRow.number)).all()
    found = list(rows) or [_first(session, run)]
    users = select(UserRow.id, UserRow.username).where(UserRow.id.in_([row.creator_id for row in found]))
    names: dict[UUID | None, str] = dict(session.execute(users).all())
    return tuple(
        Branch(
            run_id=run_id,
            name=row.name,
            default=row.number == run.branch,
            parameters=row.parameters,
            created=row.created,
            creator=names.get(row.creator_id, ""),
            counts=count_branch(session, results_in(run, row)),
            deleting=bool(row.deleting),
        )
        for row in found
    )


def prepare_reprocess(
    session: Session, principal: Principal, element: ElementRow, wanted: ReprocessParameters, settings: Settings
) -> Prepared:
    """Make the branch if it is not there, and give it the acquisitions that are chosen.

    Raises
    ------
    Invalid : parameters that the processing does not take, a rule on what is no metric, or nothing is chosen.
    Conflict : the branch is the default one, is being deleted, or was made with other parameters; or the run's content
        is being moved or taken away.
    """
    refuse_content_jobs(session, principal, element, label="Reprocessing")
    run = get_visible_run(session, principal, element.id)
    session.execute(processing_job(run.id).with_for_update())
    session.refresh(run, with_for_update=True)
    row = session.scalar(select(BranchRow).where(BranchRow.run_id == run.id, BranchRow.name == wanted.branch))
    if row is None:
        row = _make(session, principal, run, wanted, settings)
    else:
        _check_goes_on(session, run, row, wanted, settings)
    count = _choose(session, run, row.number, wanted, settings)
    if not count:
        raise Invalid(
            f"There is nothing to process into “{wanted.branch}”.",
            hint="It has every acquisition that is chosen and has a movie.",
        )
    return Prepared(wanted.model_copy(update={"indices": None}), result={"branch": row.name, "chosen": count})


def prepare_deletion(
    session: Session, principal: Principal, element: ElementRow, wanted: DeleteBranchParameters, settings: Settings
) -> Prepared:
    """Take a branch out of sight; NotFound, or Conflict while it is the default or something works on it."""
    run = get_visible_run(session, principal, element.id)
    session.refresh(run, with_for_update=True)
    if find_results(session, run, wanted.branch).default:
        raise Conflict(
            f"“{wanted.branch}” is the default branch of “{element.name}”.", hint="Promote another one, then delete it."
        )
    busy = select(JobRow.parameters).where(
        JobRow.element_id == run.id, JobRow.kind == JobKind.REPROCESS.value, JobRow.state.in_(_OPEN)
    )
    if any(parameters.get("branch") == wanted.branch for parameters in session.scalars(busy)):
        raise Conflict(f"“{wanted.branch}” is being processed.", hint="Cancel that job, then delete the branch.")
    row = session.scalars(select(BranchRow).where(BranchRow.run_id == run.id, BranchRow.name == wanted.branch)).one()
    row.deleting = True
    session.flush()
    bump_version(session, run.id)
    return Prepared(wanted)


def compare(
    session: Session, principal: Principal, run_id: UUID, name: str, other: str | None, *, settings: Settings
) -> BranchComparison:
    """Differences of a branch's metrics to those of another (None: the default one)."""
    run = get_visible_run(session, principal, run_id)
    this, that = find_results(session, run, name), find_results(session, run, other)
    done = [np.array(session.scalars(completed(one)).all(), dtype=np.int64) for one in (this, that)]
    both = np.intersect1d(done[0], done[1])
    length = int(both[-1]) + 1 if both.size else 0
    known = known_metrics(session, run_id)
    mine, theirs = (
        read_table(settings.run_store(str(run_id), one.number), tuple(known), 0, length, also=known)
        for one in (this, that)
    )
    names = {branch.default: branch.name for branch in list_branches(session, principal, run_id)}
    return BranchComparison(
        run_id=run_id,
        this=name,
        other=other or names[True],
        both=both.size,
        metrics=tuple(
            _compared(metric, mine[metric.name][both], theirs[metric.name][both]) for metric in known.values()
        ),
    )


def _compared(metric: Metric, mine: NDArray[np.float64], other: NDArray[np.float64]) -> MetricComparison:
    known = np.isfinite(mine) & np.isfinite(other)
    told = MetricComparison(metric=metric.name, unit=metric.unit, count=int(known.sum()))
    if not told.count:
        return told
    mine, other = mine[known], other[known]
    difference = mine - other
    if period := _PERIODS.get(metric.name):
        difference = (difference + period / 2) % period - period / 2
    return told.model_copy(
        update={
            "median_this": float(np.median(mine)),
            "median_other": float(np.median(other)),
            "mean_difference": float(difference.mean()),
            "median_difference": float(np.median(difference)),
            "deviation": float(difference.std()),
            "lower": int((difference < 0).sum()),
            "higher": int((difference > 0).sum()),
        }
    )


def _first(session: Session, run: RunRow) -> BranchRow:
    """What the run began with, as a row (not yet in the catalogue)."""
    element = session.get_one(ElementRow, run.id)
    return BranchRow(
        run_id=run.id,
        number=0,
        name=FIRST,
        parameters=dict(run.parameters),
        creator_id=element.creator_id,
        created=element.created,
        deleting=False,
    )


def _make(
    session: Session, principal: Principal, run: RunRow, wanted: ReprocessParameters, settings: Settings
) -> BranchRow:
    if run.branch_count == 1:
        if wanted.branch == FIRST:
            raise Conflict(f"“{FIRST}” is the default branch: what it lacks is processed by itself.")
        session.add(_first(session, run))
    row = BranchRow(
        run_id=run.id,
        number=run.branch_count,
        name=wanted.branch,
        parameters=dict(run.parameters) | checked_parameters(session, run.id, wanted.parameters, settings=settings),
        creator_id=principal.user_id,
        created=now(),
        deleting=False,
    )
    run.branch_count += 1
    session.add(row)
    session.flush()
    return row


def _check_goes_on(
    session: Session, run: RunRow, row: BranchRow, wanted: ReprocessParameters, settings: Settings
) -> None:
    """Refuse with Conflict or Invalid where a branch that is there cannot go on as is wanted."""
    if row.deleting:
        raise Conflict(f"“{row.name}” is being deleted.")
    if row.number == run.branch:
        raise Conflict(f"“{row.name}” is the default branch: what it lacks is processed by itself.")
    given = checked_parameters(session, run.id, wanted.parameters, settings=settings)
    if {name: row.parameters.get(name) for name in given} != given:
        raise Conflict(
            f"The branch “{row.name}” was made with other parameters.",
            hint="A branch keeps its parameters: give another name, or leave the parameters out.",
        )


def _choose(session: Session, run: RunRow, number: int, wanted: ReprocessParameters, settings: Settings) -> int:
    """Give the branch the chosen acquisitions that it has not processed; how many."""
    done = select(BranchAcquisitionRow.index).where(
        BranchAcquisitionRow.run_id == run.id,
        BranchAcquisitionRow.number == number,
        BranchAcquisitionRow.state == AcquisitionState.COMPLETED.value,
    )
    query = select(AcquisitionRow.index).where(AcquisitionRow.run_id == run.id, AcquisitionRow.movie.is_not(None))
    chosen = np.array(session.scalars(query.order_by(AcquisitionRow.index)).all(), dtype=np.int64)
    if wanted.indices is not None:
        if missing := sorted(set(wanted.indices) - set(chosen.tolist())):
            raise Invalid(f"The run has no movie of acquisition {missing[0]}.")
        chosen = np.array(sorted(set(wanted.indices)), dtype=np.int64)
    if wanted.filter is not None:
        check_filter(wanted.filter, known_metrics(session, run.id))
        kept = matching(session, run.id, wanted.filter, settings=settings)
        chosen = chosen[kept[chosen]]
    if wanted.exposures is not None and chosen.size > wanted.exposures:
        chosen = chosen[np.linspace(0, chosen.size - 1, wanted.exposures).round().astype(np.int64)]
    new = np.setdiff1d(chosen, np.array(session.scalars(done).all(), dtype=np.int64)).tolist()
    mine = (BranchAcquisitionRow.run_id == run.id, BranchAcquisitionRow.number == number)
    for first in range(0, len(new), _INSERTED):
        some: Sequence[int] = new[first : first + _INSERTED]
        session.execute(delete(BranchAcquisitionRow).where(*mine, BranchAcquisitionRow.index.in_(some)))
        session.execute(
            insert(BranchAcquisitionRow),
            [_fresh(run.id, number, index) for index in some],
        )
    return len(new)


def _fresh(run_id: UUID, number: int, index: int) -> dict[str, Any]:
    return {"run_id": run_id, "number": number, "index": index, "state": AcquisitionState.REGISTERED.value} | {
        "error": "",
        "flags": [],
        "processed": None,
    }
