"""The numbers of a run as charts and filters take them."""

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from athena.contract.acquisitions import AcquisitionState
from athena.contract.filters import FilterRule, RunFilter
from athena.contract.runs import Run, RunTable
from athena.domain.filters import columns_of, matches
from athena.portal.catalogue import Catalogue

KEPT = 4
"""Readings remembered, for all sessions of the process: 100 000 acquisitions take about 20 MB."""


@dataclass(frozen=True)
class RunNumbers:
    """Metrics of a run's acquisitions, by index from 0.

    Attributes
    ----------
    names : (acquisition,) str.
    columns : (acquisition,) float64 of each metric, in its stored unit; NaN: not known.
    accepted, rejected : indices that people judged by hand.
    left_out : indices that the branch of results was not given; none match.
    """

    version: int
    names: NDArray[Any]
    columns: dict[str, NDArray[np.float64]]
    accepted: NDArray[np.int64]
    rejected: NDArray[np.int64]
    left_out: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, table: RunTable) -> "RunNumbers":
        """Numbers of a table that begins with the first acquisition."""
        return cls(
            table.version,
            np.asarray(table.names, dtype=object),
            # None becomes NaN
            {name: np.array(column, dtype=np.float64) for name, column in table.columns.items()},
            np.array(table.accepted, dtype=np.int64),
            np.array(table.rejected, dtype=np.int64),
            np.flatnonzero(np.array(table.states, dtype=object) == AcquisitionState.LEFT_OUT.value),
        )

    @property
    def total(self) -> int:
        """How many acquisitions there are."""
        return len(self.names)

    @property
    def there(self) -> int:
        """How many of them the branch of results has."""
        return self.total - len(self.left_out)

    def lacks(self, rules: tuple[FilterRule, ...]) -> bool:
        """Whether a column is missing that the rules look at."""
        return any(name not in self.columns for name in columns_of(RunFilter(rules=rules)))

    def kept(self, rules: tuple[FilterRule, ...]) -> NDArray[np.bool_]:
        """Whether each acquisition matches all rules; what was judged by hand is as it was judged."""
        kept = matches(RunFilter(rules=rules), self.columns, self.total)
        kept[self.accepted] = True
        kept[self.rejected] = False
        kept[self.left_out] = False
        return kept


_readings: dict[tuple[Any, ...], RunNumbers] = {}
_lock = threading.Lock()


def read_numbers(catalogue: Catalogue, run: Run, columns: tuple[str, ...], *, branch: str | None = None) -> RunNumbers:
    """Read columns of a run, or give what was read of the same version; ``run`` proves that the visitor may see it."""
    key = run.element.id, run.version, branch or run.branch, columns
    with _lock:
        known = _readings.get(key)
    if known is not None:
        return known
    numbers = RunNumbers.of(catalogue.table(run.element.id, columns, branch=branch))
    if numbers.version == run.version:
        with _lock:
            while len(_readings) >= KEPT:
                del _readings[next(iter(_readings))]
            _readings[key] = numbers
    return numbers
