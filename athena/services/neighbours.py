"""Which acquisition comes before another and which after it, among those a gallery shows (EQ-03)."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.listings import ListingSort
from athena.contract.neighbours import Neighbours, Shown
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow
from athena.db.branches import BranchAcquisitionRow, Results, of_branch, state_in
from athena.errors import NotFound
from athena.services.criteria import completed_indices
from athena.services.results import visible_results
from athena.services.run_filters import matching, saved_filter
from athena.services.shown_orders import ShownOrder, shown_order
from athena.settings import Settings

_STATES = {
    Shown.PROGRESS: (AcquisitionState.AWAITING_MOVIE, AcquisitionState.REGISTERED, AcquisitionState.PROCESSING),
    Shown.ERROR: (AcquisitionState.ERROR,),
}


def get_neighbours(
    session: Session,
    principal: Principal,
    run_id: UUID,
    index: int,
    *,
    settings: Settings,
    shown: Shown = Shown.ALL,
    descending: bool = False,
    branch: str | None = None,
) -> Neighbours:
    """Place of an acquisition among those shown, by index or (``descending``) against it, else NotFound."""
    results = visible_results(session, principal, run_id, branch)
    if session.get(AcquisitionRow, (run_id, index)) is None:
        raise NotFound(f"Run {run_id} has no acquisition {index}.")
    listed = listed_order(session, results, shown, settings=settings).indices
    at = int(np.searchsorted(listed, index))
    among = at < listed.size and int(listed[at]) == index
    before = int(listed[at - 1]) if at > 0 else None
    after_at = at + 1 if among else at
    after = int(listed[after_at]) if after_at < listed.size else None
    position = (listed.size - 1 - at if descending else at) if among else None
    return Neighbours(
        index=index,
        shown=shown,
        count=listed.size,
        position=position,
        previous=after if descending else before,
        following=before if descending else after,
    )


def listed_order(
    session: Session,
    results: Results,
    shown: Shown,
    *,
    settings: Settings,
    sort: ListingSort = ListingSort.INDEX,
) -> ShownOrder:
    """Acquisitions shown, in an order; found once for each version of the run. For services past their guard."""
    return shown_order(
        session, results, shown, lambda: shown_indices(session, results, shown, settings=settings), sort=sort
    )


def shown_indices(session: Session, results: Results, shown: Shown, *, settings: Settings) -> NDArray[np.int64]:
    """Indices of the acquisitions shown, ascending. For services past their guard."""
    run_id = results.run_id
    match shown:
        case Shown.ALL if not results.default:
            mine = (BranchAcquisitionRow.run_id == run_id, BranchAcquisitionRow.number == results.number)
            indices = select(BranchAcquisitionRow.index).where(*mine).order_by(BranchAcquisitionRow.index)
            return np.array(session.scalars(indices).all(), dtype=np.int64)
        case Shown.ALL:
            last = session.scalar(select(func.max(AcquisitionRow.index)).where(AcquisitionRow.run_id == run_id))
            return np.arange(0 if last is None else last + 1, dtype=np.int64)
        case Shown.FINISHED:
            return completed_indices(session, results)
        case Shown.FILTERED | Shown.EXCLUDED:
            finished = completed_indices(session, results)
            wanted = saved_filter(session, run_id)
            kept = matching(session, run_id, wanted, settings=settings, branch=results.number)[finished]
            return finished[kept if shown is Shown.FILTERED else ~kept]
        case Shown.PROGRESS | Shown.ERROR:
            return _in_states(session, results, _STATES[shown])


def _in_states(session: Session, results: Results, states: tuple[AcquisitionState, ...]) -> NDArray[np.int64]:
    query = select(AcquisitionRow.index)
    if not results.default:
        query = query.outerjoin(BranchAcquisitionRow, of_branch(results))
    query = query.where(AcquisitionRow.run_id == results.run_id, state_in(results).in_([one.value for one in states]))
    return np.array(session.scalars(query.order_by(AcquisitionRow.index)).all(), dtype=np.int64)
