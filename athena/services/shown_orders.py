"""Orders of a run's acquisitions, made once for each version of the run (WS-08, EQ-03)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.listings import ListingSort
from athena.contract.neighbours import Shown
from athena.db.acquisitions import AcquisitionRow, RunRow
from athena.db.branches import Results
from athena.domain.filters import rules_hash
from athena.services.keeping import Kept
from athena.services.run_filters import saved_filter

ORDER_BYTES = 64 << 20
"""Memory for orders; one of 100 000 acquisitions takes 0.4 MB."""


@dataclass(frozen=True)
class ShownOrder:
    """``indices`` of those shown, (n,) int32, ascending in what they are ordered by; ``run_total`` of the run."""

    indices: NDArray[np.int32]
    run_total: int

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.indices.nbytes


_ORDERS: Kept[ShownOrder] = Kept(ORDER_BYTES)


def shown_order(
    session: Session,
    results: Results,
    shown: Shown,
    find: Callable[[], NDArray[np.int64]],
    *,
    sort: ListingSort = ListingSort.INDEX,
) -> ShownOrder:
    """Acquisitions shown, in an order: as it was made for this version of the run. For services past their guard.

    ``find`` gives their indices, ascending. Whatever it looks at counts in the version of the run, which comes with
    states, metrics and verdicts in one transaction, or is the saved filter. The version is read first: what is newer
    than it is found once more under the next.
    """
    version = session.scalars(select(RunRow.version).where(RunRow.id == results.run_id)).one()
    ruled = shown in (Shown.FILTERED, Shown.EXCLUDED)
    rules = rules_hash(saved_filter(session, results.run_id).rules) if ruled else ""

    def make() -> ShownOrder:
        of_run = AcquisitionRow.run_id == results.run_id
        total = session.scalar(select(func.count()).select_from(AcquisitionRow).where(of_run)) or 0
        indices = _sorted(session, results, find(), sort).astype(np.int32)
        indices.flags.writeable = False
        return ShownOrder(indices, total)

    return _ORDERS.get((results, version, shown, rules, sort), make, check=lambda: None)


def _sorted(session: Session, results: Results, indices: NDArray[np.int64], sort: ListingSort) -> NDArray[np.int64]:
    """Indices in an order; ascending they come."""
    if sort is ListingSort.INDEX:
        return indices
    column = AcquisitionRow.name if sort is ListingSort.NAME else AcquisitionRow.acquired
    query = select(AcquisitionRow.index).where(AcquisitionRow.run_id == results.run_id)
    # those whose time is not known come last on every database
    query = query.order_by(column.is_(None), column, AcquisitionRow.index)
    every = np.array(session.scalars(query).all(), dtype=np.int64)
    listed = np.zeros(int(max(every.max(initial=-1), indices.max(initial=-1))) + 1, dtype=bool)
    listed[indices] = True
    return every[listed[every]]
