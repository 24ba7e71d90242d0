"""Acquisitions of a run as a list: those its filter keeps, in an order, a page of them (WS-08)."""

from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from athena.contract.listings import ListedAcquisition, Listing, ListingSort
from athena.contract.neighbours import Shown
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow
from athena.db.branches import standing
from athena.errors import Invalid, NotFound
from athena.services.neighbours import listed_order
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
    ordered = listed_order(session, results, shown, settings=settings, sort=sort)
    order = ordered.indices[::-1] if descending else ordered.indices
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
    return Listing(
        items=tuple(lines[index] for index in page if index in lines),
        offset=offset,
        total=int(order.size),
        run_total=ordered.run_total,
        shown=shown,
    )
