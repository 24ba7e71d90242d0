"""Sliding windows of attempts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from athena.domain.attempts import Limit

START = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = st.lists(st.integers(0, 1000), max_size=30)
LIMITS = st.builds(Limit, count=st.integers(1, 6), window=st.integers(1, 300).map(lambda s: timedelta(seconds=s)))


@given(seconds=SECONDS, limit=LIMITS)
def test_waiting_as_told_is_just_enough(seconds: list[int], limit: Limit) -> None:
    failures, now = [START + timedelta(seconds=second) for second in seconds], START + timedelta(seconds=1000)
    wait = limit.wait_s(failures, now)
    recent = [time for time in failures if time > now - limit.window]
    assert (wait == 0) == (len(recent) < limit.count)
    assert 0 <= wait <= limit.window.total_seconds()
    assert limit.wait_s(failures, now + timedelta(seconds=wait)) == 0
    if wait > 1:
        assert limit.wait_s(failures, now + timedelta(seconds=wait - 1)) > 0


@given(seconds=SECONDS, limit=LIMITS)
def test_the_newest_failures_are_all_that_count(seconds: list[int], limit: Limit) -> None:
    failures, now = [START + timedelta(seconds=second) for second in seconds], START + timedelta(seconds=1000)
    newest = sorted(failures, reverse=True)[: limit.count]
    assert limit.wait_s(newest, now) == limit.wait_s(failures[::-1], now)
