"""Our LZW decoder gives what another encoder was given, and survives what no encoder wrote."""

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.formats.lzw import decode

pytestmark = pytest.mark.feature("EQ-01")


@pytest.mark.parametrize("mean", [0.01, 0.7, 3.0, 60.0])
def test_counts_come_back(mean: float) -> None:
    counts = np.random.default_rng(0).poisson(mean, 70_001).astype(np.uint8)
    stream = imagecodecs.lzw_encode(counts.tobytes())
    np.testing.assert_array_equal(decode(stream, counts.size), counts)
    # a reader that wants less gets as much as it asks for
    np.testing.assert_array_equal(decode(stream, 1000), counts[:1000])
    half = decode(stream[: len(stream) // 2], counts.size)
    np.testing.assert_array_equal(half, counts[: half.size])


@given(data=st.lists(st.tuples(st.binary(min_size=1, max_size=5), st.integers(1, 300)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_runs_and_repeats_come_back(data: list[tuple[bytes, int]]) -> None:
    whole = b"".join(part * times for part, times in data)
    if whole:
        assert decode(imagecodecs.lzw_encode(whole), len(whole)).tobytes() == whole


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, 5000))
@settings(max_examples=100, deadline=None)
def test_damaged_streams_end_in_bytes_or_an_error(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    stream = bytearray(imagecodecs.lzw_encode(rng.poisson(0.7, 5000).astype(np.uint8).tobytes()))
    for place in rng.integers(0, len(stream), 8):
        stream[place] = rng.integers(256)
    try:
        found = decode(bytes(stream), size)
    except ValueError:
        return
    assert found.size <= size
