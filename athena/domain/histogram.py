"""Histogram and moments of a metric, pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_BINS = 48


@dataclass(frozen=True)
class Distribution:
    """Counts between edges, and the moments of the values. Empty arrays and NaN when there is no value."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    median: float
    mean: float
    deviation: float
    """Standard deviation of the values as a population (divided by their number)."""
    total: int


def distribution(values: NDArray[np.float64], *, bins: int = MAX_BINS) -> Distribution:
    """Count finite values into equal bins; the counts sum to the number of finite values.

    The number of bins follows Freedman and Diaconis (1981), between 5 and ``bins``.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        nan = float("nan")
        return Distribution(np.zeros(0), np.zeros(0, np.int64), nan, nan, nan, 0)
    low, high = float(finite.min()), float(finite.max())
    if high <= low:
        pad = max(abs(low) * 0.05, 1e-6)
        low, high = low - pad, high + pad
    q1, q3 = np.percentile(finite, [25, 75])
    width = 2 * (q3 - q1) / np.cbrt(finite.size)
    wanted = int(np.ceil((high - low) / width)) if width > 0 else 5
    counts, edges = np.histogram(finite, bins=min(max(wanted, 5), bins), range=(low, high))
    return Distribution(
        edges,
        counts.astype(np.int64),
        float(np.median(finite)),
        float(finite.mean()),
        float(finite.std()),
        int(finite.size),
    )
