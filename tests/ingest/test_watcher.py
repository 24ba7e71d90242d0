"""When a movie counts as whole: decided on files that grow, stall, lie and mend."""

import os
import threading
from pathlib import Path

import pytest

from athena.ingest.watcher import FolderBell, MovieWatch

WHOLE = b"movie"


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def _problem_of(path: Path) -> str:
    return "" if path.read_bytes().endswith(WHOLE) or path.read_bytes().startswith(WHOLE) else "it is cut short"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def movies(clock: Clock) -> MovieWatch:
    return MovieWatch(settle_seconds=0.5, stable_seconds=4.0, problem_of=_problem_of, clock=clock, wall=clock)


def _write(path: Path, content: bytes, clock: Clock) -> str:
    path.write_bytes(content)
    os.utime(path, (clock.now, clock.now))
    return str(path)


@pytest.mark.feature("AC-01")
def test_a_finished_movie_is_whole_after_it_has_settled(tmp_path: Path, movies: MovieWatch, clock: Clock) -> None:
    movie = _write(tmp_path / "a", WHOLE, clock)
    first = movies.judge([movie])
    assert first.waiting == {movie}
    assert first.look_again == pytest.approx(0.5)
    clock.now += 0.5
    assert set(movies.judge([movie]).whole) == {movie}


def test_a_growing_movie_is_left_alone(tmp_path: Path, movies: MovieWatch, clock: Clock) -> None:
    path = tmp_path / "a"
    for length in range(1, 30):  # each look finds it changed, even though its start always parses
        movie = _write(path, WHOLE * length, clock)
        assert movies.judge([movie]).waiting == {movie}
        clock.now += 0.4
    clock.now += 0.5
    assert set(movies.judge([movie]).whole) == {movie}


def test_a_copy_that_set_its_size_first_waits_for_the_long_rule(
    tmp_path: Path, movies: MovieWatch, clock: Clock
) -> None:
    movie = _write(tmp_path / "a", WHOLE + b"\0" * 5000, clock)
    movies.judge([movie])
    clock.now += 3.9
    assert movies.judge([movie]).waiting == {movie}
    clock.now += 0.2
    assert set(movies.judge([movie]).whole) == {movie}


def test_an_old_movie_is_whole_at_once(tmp_path: Path, movies: MovieWatch, clock: Clock) -> None:
    movie = _write(tmp_path / "a", WHOLE, clock)
    clock.now += 3600
    assert movies.judge([movie]).whole == {movie: pytest.approx(3600)}


def test_a_truncated_movie_is_given_up_sooner_when_later_ones_are_whole(
    tmp_path: Path, movies: MovieWatch, clock: Clock
) -> None:
    short = _write(tmp_path / "a", b"mov", clock)
    lone = [movies.judge([short]).waiting]
    clock.now += 25
    lone.append(movies.judge([short]).waiting)
    assert lone == [{short}, {short}]

    later = _write(tmp_path / "b", WHOLE, clock)
    movies.judge([short, later])
    clock.now += 1
    verdict = movies.judge([short, later])
    assert verdict.broken == {short: "it is cut short"}
    assert verdict.look_again is None

    _write(tmp_path / "a", WHOLE, clock)  # its writer was only slow
    movies.judge([short])
    clock.now += 1
    assert set(movies.judge([short]).whole) == {short}


def test_a_truncated_last_movie_is_given_up_in_the_end(tmp_path: Path, movies: MovieWatch, clock: Clock) -> None:
    short = _write(tmp_path / "a", b"mov", clock)
    movies.judge([short])
    clock.now += 61
    assert set(movies.judge([short]).broken) == {short}


def test_a_vanished_movie_is_no_error(tmp_path: Path, movies: MovieWatch) -> None:
    verdict = movies.judge([str(tmp_path / "never")])
    assert (verdict.whole, verdict.broken, verdict.waiting) == ({}, {}, frozenset())


def test_the_bell_rings_when_the_folder_stirs(tmp_path: Path) -> None:
    deep = tmp_path / "Images-Disc1" / "GridSquare_1"
    deep.mkdir(parents=True)
    wake = threading.Event()
    bell = FolderBell(tmp_path, wake)
    try:
        for attempt in range(100):  # the bell listens some time after it was made
            (deep / f"a{attempt}.tiff").write_bytes(b"x")
            if wake.wait(0.1):
                break
        assert wake.is_set()
    finally:
        bell.close()
