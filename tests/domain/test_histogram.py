"""Histograms: no value is lost, none is invented."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from athena.domain.histogram import MAX_BINS, distribution

values = arrays(np.float64, st.integers(0, 300), elements=st.floats(-1e6, 1e6, width=64) | st.just(float("nan")))


@pytest.mark.feature("EQ-07")
@settings(deadline=None)  # a shared machine pauses
@given(values)
def test_counts_sum_to_the_finite_values(sample: NDArray[np.float64]) -> None:
    found = distribution(sample)
    assert found.counts.sum() == found.total == np.isfinite(sample).sum()
    assert len(found.edges) == (len(found.counts) + 1 if found.total else 0)
    assert len(found.counts) <= MAX_BINS
    if found.total:
        finite = sample[np.isfinite(sample)]
        assert found.edges[0] <= finite.min()
        assert found.edges[-1] >= finite.max()
        assert found.median == pytest.approx(np.median(finite))
        assert found.mean == pytest.approx(finite.mean())


def test_equal_values_make_one_bar() -> None:
    found = distribution(np.full(7, 1.4))
    assert found.counts.max() == 7
    assert found.total == 7
