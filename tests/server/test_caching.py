"""Ranges and entity tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.server.caching import ByteRange, UnsatisfiableRange, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=2-", ByteRange(2, 10)),
        ("bytes=-4", ByteRange(6, 10)),
        ("bytes=-400", ByteRange(0, 10)),
        ("bytes=5-400", ByteRange(5, 10)),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_range_forms(header: str | None, expected: ByteRange | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=11-12", "bytes=-0"])
def test_no_byte_of_the_range_exists(header: str) -> None:
    with pytest.raises(UnsatisfiableRange):
        parse_range(header, 10)


@given(size=st.integers(1, 10**6), first=st.integers(0, 10**6), last=st.integers(0, 10**6))
def test_a_range_never_leaves_the_body(size: int, first: int, last: int) -> None:
    try:
        part = parse_range(f"bytes={first}-{last}", size)
    except UnsatisfiableRange:
        assert first >= size
        return
    if part is None:
        assert last < first
    else:
        assert 0 <= part.start < part.stop <= size
