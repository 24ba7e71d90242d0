"""Acquisitions of a run as a list: those its filter keeps, in an order, a page of them (WS-08)."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.listings import ListedAcquisition, Listing, ListingSort
from athena.contract.neighbours import Shown
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow
from athena.db.branches import standing
from athena.errors import Invalid, NotFound
from athena.services.neighbours import shown_indices
from athena.services.results import visible_results
from athena.services.run_filters import saved_filter
from athena.settings import Settings

MAX_PAGE = 1000


def list_shown(
    session: Session,
    principal: Principal,
    run_id: UUID,
    *,
    settings: Settings,
    shown: Shown | None = None,
    sort: ListingSort = ListingSort.INDEX,
    descending: bool = False,
    offset: int = 0,
    limit: int = 100,
    holding: int | None = None,
    branch: str | None = None,
) -> Listing:
    """A page of a run's acquisitions. Raises NotFound, Invalid.

    Parameters
    ----------
    shown : None: what the run's filter keeps, or all where it has none.
    holding : index of one of them: the page that it is on, in place of ``offset``; NotFound where it is not shown.
    """
    if offset < 0 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page starts at 0 or later and has 1 to {MAX_PAGE} acquisitions.")
    results = visible_results(session, principal, run_id, branch)
    if shown is None:
        shown = Shown.FILTERED if saved_filter(session, run_id).rules else Shown.ALL
    order = _ordered(session, run_id, shown_indices(session, results, shown, settings=settings), sort)
    if descending:
        order = order[::-1]
    if holding is not None:
        (found,) = np.nonzero(order == holding)
        if not found.size:
            raise NotFound(f"Acquisition {holding} is not among those shown.")
        offset = int(found[0]) // limit * limit
    page = [int(index) for index in order[offset : offset + limit]]
    rows = session.execute(standing(results).where(AcquisitionRow.index.in_(page)))
    lines = {
        index: ListedAcquisition(index=index, name=name, state=state, error=error) for index, name, state, error in rows
    }
    total = session.scalar(select(func.count()).select_from(AcquisitionRow).where(AcquisitionRow.run_id == run_id))
    return Listing(
        items=tuple(lines[index] for index in page if index in lines),
        offset=offset,
        total=int(order.size),
        run_total=total or 0,
        shown=shown,
    )


def _ordered(session: Session, run_id: UUID, indices: NDArray[np.int64], sort: ListingSort) -> NDArray[np.int64]:
    """Indices in an order; ascending they come."""
    if sort is ListingSort.INDEX:
        return indices
    column = AcquisitionRow.name if sort is ListingSort.NAME else AcquisitionRow.acquired
    query = select(AcquisitionRow.index).where(AcquisitionRow.run_id == run_id)
    # those whose time is not known come last on every database
    query = query.order_by(column.is_(None), column, AcquisitionRow.index)
    every = np.array(session.scalars(query).all(), dtype=np.int64)
    listed = np.zeros(int(every.max(initial=-1)) + 1, dtype=bool)
    listed[indices] = True
    return every[listed[every]]
