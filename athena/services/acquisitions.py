"""Acquisitions of a run: pages, single ones, and the run as a table."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import Acquisition, AcquisitionPage, AcquisitionState, Optics, StagePosition
from athena.contract.people import Principal
from athena.contract.runs import ColumnsHead, RunTable
from athena.contract.verdicts import VerdictKind
from athena.db.acquisitions import AcquisitionRow
from athena.db.branches import BranchAcquisitionRow, Results, of_branch, standing, state_in
from athena.errors import Invalid, NotFound
from athena.services.guard import get_visible_run
from athena.services.results import find_results, store_of, visible_results
from athena.services.user_metrics import known_metrics
from athena.services.verdicts import judged, verdicts_mark
from athena.settings import Settings
from athena.zarrio.reader import read_table

MAX_PAGE = 1000


def list_acquisitions(
    session: Session,
    principal: Principal,
    run_id: UUID,
    *,
    state: AcquisitionState | None = None,
    offset: int = 0,
    limit: int = 100,
    branch: str | None = None,
) -> AcquisitionPage:
    """Acquisitions of a run by index as they stand in a branch, those in one state where it is given."""
    results = visible_results(session, principal, run_id, branch)
    if offset < 0 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page starts at 0 or later and has 1 to {MAX_PAGE} acquisitions.")
    where = [AcquisitionRow.run_id == run_id]
    if state is not None:
        where.append(state_in(results) == state.value)
    query = select(AcquisitionRow)
    count = select(func.count()).select_from(AcquisitionRow)
    if not results.default:
        query = query.outerjoin(BranchAcquisitionRow, of_branch(results))
        count = count.outerjoin(BranchAcquisitionRow, of_branch(results))
    total = session.scalar(count.where(*where)) or 0
    rows = session.scalars(query.where(*where).order_by(AcquisitionRow.index).offset(offset).limit(limit)).all()
    there = _there(session, results, [row.index for row in rows])
    return AcquisitionPage(items=tuple(_standing(row, results, there.get(row.index)) for row in rows), total=total)


def get_acquisition(
    session: Session, principal: Principal, run_id: UUID, index: int, *, branch: str | None = None
) -> Acquisition:
    """One acquisition by its index, as it stands in a branch, else NotFound."""
    results = visible_results(session, principal, run_id, branch)
    row = session.get(AcquisitionRow, (run_id, index))
    if row is None:
        raise NotFound(f"Run {run_id} has no acquisition {index}.")
    return _standing(row, results, _there(session, results, [index]).get(index))


def _there(session: Session, results: Results, indices: Sequence[int]) -> dict[int, BranchAcquisitionRow]:
    """What a branch that is not the default has of acquisitions, by index."""
    if results.default:
        return {}
    mine = (BranchAcquisitionRow.run_id == results.run_id, BranchAcquisitionRow.number == results.number)
    rows = session.scalars(select(BranchAcquisitionRow).where(*mine, BranchAcquisitionRow.index.in_(indices)))
    return {row.index: row for row in rows}


def _standing(row: AcquisitionRow, results: Results, there: BranchAcquisitionRow | None) -> Acquisition:
    """An acquisition as it stands in a branch; what the branch does not have is left out."""
    told = describe_acquisition(row)
    if results.default:
        return told
    state = AcquisitionState(there.state) if there is not None else AcquisitionState.LEFT_OUT
    return told.model_copy(
        update={
            "state": state,
            "error": there.error if there is not None else "",
            "flags": tuple(there.flags) if there is not None else (),
            "processed": there.processed if there is not None else None,
        }
    )


def get_table(
    session: Session,
    principal: Principal,
    run_id: UUID,
    *,
    columns: Sequence[str],
    settings: Settings,
    start: int = 0,
    limit: int | None = None,
    branch: str | None = None,
) -> RunTable:
    """Names, states, errors and metric columns of a run from ``start`` on; Invalid for unknown columns."""
    run = get_visible_run(session, principal, run_id)
    results = find_results(session, run, branch)
    _check_columns(session, run_id, columns)
    if start < 0 or (limit is not None and limit < 0):
        raise Invalid("A table starts at 0 or later and its length is not negative.")
    total = _count(session, run_id)
    stop = total if limit is None else min(total, start + limit)
    rows = session.execute(
        standing(results)
        .where(AcquisitionRow.index >= start, AcquisitionRow.index < stop)
        .order_by(AcquisitionRow.index)
    ).all()
    values = read_table(store_of(results, settings), tuple(columns), start, max(start, stop), also=columns)
    by_hand = judged(session, run_id, start, stop)
    return RunTable(
        run_id=run_id,
        version=run.version,
        start=start,
        total=total,
        names=tuple(name for _, name, _, _ in rows),
        states=tuple(state for _, _, state, _ in rows),
        errors=tuple(error for _, _, _, error in rows),
        accepted=tuple(by_hand[VerdictKind.ACCEPTED].tolist()),
        rejected=tuple(by_hand[VerdictKind.REJECTED].tolist()),
        judged=verdicts_mark(session, run_id),
        results=results.number,
        columns={name: tuple(float(v) for v in values[name]) for name in columns},
    )


def get_columns(
    session: Session,
    principal: Principal,
    run_id: UUID,
    *,
    columns: Sequence[str],
    settings: Settings,
    start: int = 0,
    limit: int,
    branch: str | None = None,
) -> tuple[ColumnsHead, dict[str, NDArray[np.float64]]]:
    """Metric columns of a run from ``start`` on, NaN where not known, and all verdicts; Invalid for unknown columns."""
    run = get_visible_run(session, principal, run_id)
    results = find_results(session, run, branch)
    _check_columns(session, run_id, columns)
    total = _count(session, run_id)
    stop = max(start, min(total, start + limit))
    names = tuple(dict.fromkeys(columns))
    by_hand = judged(session, run_id)
    head = ColumnsHead(
        run_id=run_id,
        version=run.version,
        branch=results.number,
        start=start,
        rows=stop - start,
        total=total,
        columns=names,
        accepted=tuple(by_hand[VerdictKind.ACCEPTED].tolist()),
        rejected=tuple(by_hand[VerdictKind.REJECTED].tolist()),
        left_out=_left_out(session, results),
    )
    return head, read_table(store_of(results, settings), names, start, stop, also=names)


def _check_columns(session: Session, run_id: UUID, columns: Sequence[str]) -> None:
    known = known_metrics(session, run_id)
    if unknown := [name for name in columns if name not in known]:
        raise Invalid(f"There is no metric {', '.join(unknown)}.", hint=f"Metrics: {', '.join(known)}.")


def _left_out(session: Session, results: Results) -> tuple[int, ...]:
    if results.default:
        return ()
    rows = session.execute(standing(results).order_by(AcquisitionRow.index))
    return tuple(index for index, _, state, _ in rows if state == AcquisitionState.LEFT_OUT.value)


def _count(session: Session, run_id: UUID) -> int:
    return session.scalar(select(func.count()).select_from(AcquisitionRow).where(AcquisitionRow.run_id == run_id)) or 0


def describe_acquisition(row: AcquisitionRow) -> Acquisition:
    """Acquisition as the API shows it."""
    return Acquisition(
        run_id=row.run_id,
        index=row.index,
        name=row.name,
        state=AcquisitionState(row.state),
        error=row.error,
        acquired=row.acquired,
        registered=row.registered,
        processed=row.processed,
        attempts=row.attempts,
        movie=row.movie,
        optics=Optics.model_validate(row.optics),
        stage=StagePosition.model_validate(row.stage) if row.stage is not None else None,
        grid_square_id=row.grid_square_id,
        foil_hole_id=row.foil_hole_id,
        flags=tuple(row.flags),
    )
