"""Optics groups from beam shifts: told apart, numbered steadily, quickly."""

import time
import tracemalloc

import numpy as np
import pytest

from athena.domain.optics_groups import group_by_beam_shift


def session(kind: str, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Beam shifts of a session, and the place in the pattern that each was taken at."""
    random = np.random.default_rng(seed)
    if kind == "afis":  # holes within reach of the beam, turned, and two exposures in each hole
        holes = np.array([(x, y) for x in range(-2, 3) for y in range(-2, 3) if x * x + y * y < 6]) * 0.05
        turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
        centres = np.concatenate([holes @ turn + shot for shot in ((0.006, 0), (-0.006, 0))])
        spread = 0.0004
    else:  # the stage goes to every hole, the beam only around its middle
        centres = np.array([(0.01, 0), (-0.005, 0.0087), (-0.005, -0.0087)])
        spread = 0.0003
    members = np.arange(count) % len(centres)
    return centres[members] + random.normal(0, spread, (count, 2)), members


@pytest.mark.feature("BY-10")
@pytest.mark.parametrize("kind", ["afis", "stage"])
def test_groups_are_the_places_of_the_pattern(kind: str) -> None:
    shifts, members = session(kind, 2000)
    started = time.process_time()
    groups = group_by_beam_shift(shifts)
    assert time.process_time() - started < 5
    np.testing.assert_array_equal(groups, members + 1)  # numbered as they first appear
    # as the run grows nothing is numbered anew, once every place was seen a few times
    for count in range(len(set(members)) * 8, 600, 97):
        np.testing.assert_array_equal(group_by_beam_shift(shifts[:count]), groups[:count])
    # the unit of the lens does not matter, nor does one shot gone astray
    astray = np.vstack([shifts * 1e5, [[1e5, 1e5]]])
    np.testing.assert_array_equal(group_by_beam_shift(astray), [*groups, groups.max() + 1])


@pytest.mark.feature("BY-10")
def test_without_a_pattern_there_is_one_group() -> None:
    random = np.random.default_rng(1)
    for shifts in (
        np.zeros((50, 2)),
        np.full((5, 2), np.nan),
        random.normal(0, 1e-3, (400, 2)),
        random.uniform(-1, 1, (300, 2)),
        np.array([[0.1, 0.2]]),
        np.zeros((0, 2)),
    ):
        assert set(group_by_beam_shift(shifts)) <= {1}
    mixed = np.array([[0.0, 0.0], [np.nan, 0], [0.0, 0.0]])
    np.testing.assert_array_equal(group_by_beam_shift(mixed), [1, 2, 1])


@pytest.mark.feature("BY-10")
@pytest.mark.parametrize("kind", ["afis", "stage"])
def test_a_hundred_thousand_acquisitions_take_little_time_and_memory(kind: str) -> None:
    shifts, members = session(kind, 100_000)
    started = time.process_time()
    groups = group_by_beam_shift(shifts)
    # half a second, and seven where every distance is taken
    assert time.process_time() - started < 4
    np.testing.assert_array_equal(groups, members + 1)
    tracemalloc.start()
    group_by_beam_shift(shifts[::-1])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6  # distances of all pairs would be 80 GB
