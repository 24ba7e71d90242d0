"""Counts, sizes and times as people read them."""

import pytest

from athena.contract.runs import RunCounts
from athena.domain.readable import count, duration, size
from athena.jobs.collect import describe_progress

HOUR = 3600.0


@pytest.mark.feature("EQ-10", "WS-19")
@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (40.4, "40 s"),
        (59.7, "1 min"),
        (48 * 60, "48 min"),
        (HOUR - 20, "1 h"),
        (2 * HOUR, "2 h"),
        (2 * HOUR + 299, "2 h 05 min"),
        (26.5 * HOUR, "26 h 30 min"),
        (48 * HOUR - 1, "2 d"),
        (50 * HOUR, "2 d 2 h"),
    ],
)
def test_a_time_has_the_digits_that_matter(seconds: float, said: str) -> None:
    assert duration(seconds).replace("\u2009", " ") == said


@pytest.mark.feature("AC-04")
def test_thousands_stand_apart() -> None:
    assert [count(number) for number in (0, 999, 1000, 1234567)] == ["0", "999", "1\u2009000", "1\u2009234\u2009567"]
    many = RunCounts(total=9000, completed=5000, error=1200, registered=1800, awaiting_movie=1000)
    assert describe_progress(many) == (
        "5\u2009000 processed, 1\u2009200 failed, 1\u2009800 to do, 1\u2009000 without a movie"
    )


@pytest.mark.feature("ST-02", "EX-01")
@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (12_340_000, "12.3 MB"),
        (999_499_999, "999 MB"),
        (999_500_000, "1.00 GB"),
        (1.234e12, "1.23 TB"),
        (5e18, "5000 PB"),
    ],
)
def test_a_size_has_three_digits(size_bytes: float, said: str) -> None:
    assert size(size_bytes).replace("\u2009", " ") == said
