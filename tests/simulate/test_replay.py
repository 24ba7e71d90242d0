"""A session folder is replayed in the order in which it was taken, and goes on where it stopped."""

import shutil
import threading
from pathlib import Path

import pytest

from athena.errors import Invalid
from athena.ingest.epu import EpuAdapter
from athena_pipelines.simulate.replay import paced, replay_session, schedule
from athena_pipelines.simulate.session import EpuSimulator

pytestmark = pytest.mark.feature("AC-05")


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("taken")
    return EpuSimulator(out, movies=2, size=(64, 64), frames=3, seed=8, interval_s=0).run()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_come_in_the_order_of_the_times_in_their_names(taken: Path) -> None:
    files = schedule(taken)
    assert len(files) == len(contents(taken))
    times = [file.after_s for file in files]
    assert times == sorted(times)
    names = [file.path.name for file in files]
    # the square is imaged minutes before its exposures
    assert times[next(k for k, name in enumerate(names) if "_Data_" in name)] >= 150
    assert names.index("EpuSession.dm") < next(k for k, name in enumerate(names) if name.endswith(".jpg"))
    assert names[-1].endswith("_fractions.tiff")


def test_a_rate_sets_one_movie_an_interval(taken: Path) -> None:
    files = paced(schedule(taken), 6.0)
    movies = [file.after_s for file in files if file.path.name.endswith("_fractions.tiff")]
    assert movies == [0.0, 6.0]
    assert [file.after_s for file in files] == sorted(file.after_s for file in files)


def test_a_replay_is_the_same_session(taken: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    again = replay_session(
        taken, tmp_path, speed=1e6, movie_s=0.02, progress=lambda done, wanted, _: seen.append(wanted - done)
    )
    assert contents(again) == contents(taken)
    assert seen == list(range(len(seen) - 1, -1, -1))
    assert [e.name for e in EpuAdapter().scan(again).exposures] == [e.name for e in EpuAdapter().scan(taken).exposures]


@pytest.mark.parametrize("real", [False, True])
def test_the_atlas_comes_along(taken: Path, krios: Path, tmp_path: Path, real: bool) -> None:
    session = next(krios.glob("Supervisor_*")) if real else taken
    found = EpuAdapter().scan(replay_session(session, tmp_path, speed=1e6, movie_s=0.02))
    before = EpuAdapter().scan(session)
    assert before.atlases
    assert [(atlas.id, atlas.node_count) for atlas in found.atlases] == [
        (atlas.id, atlas.node_count) for atlas in before.atlases
    ]
    assert all(str(tmp_path) in str(atlas.image) for atlas in found.atlases if atlas.image)


def test_without_an_atlas_or_with_a_session_that_cannot_be_read_there_is_a_replay_too(
    taken: Path, tmp_path: Path
) -> None:
    lone = shutil.copytree(taken, tmp_path / "lone" / taken.name)
    assert contents(replay_session(lone, tmp_path / "out", speed=1e6, movie_s=0.02)) == contents(lone)
    (lone / "EpuSession.dm").write_text("<cut")
    assert contents(replay_session(lone, tmp_path / "cut", speed=1e6, movie_s=0.02)) == contents(lone)


def test_a_stopped_replay_leaves_no_cut_movie_and_goes_on(taken: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def stop_before_movies(done: int, wanted: int, name: str) -> None:
        if "_Data_" in name:
            stop.set()

    part = replay_session(taken, tmp_path, speed=1e6, movie_s=0.02, stop=stop, progress=stop_before_movies)
    assert not list(part.rglob("*_fractions.tiff"))
    assert len(contents(part)) < len(contents(taken))
    cut = threading.Timer(0.3, stop.set)
    stop.clear()
    cut.start()
    replay_session(taken, tmp_path, speed=1e6, movie_s=60, stop=stop)
    cut.join()
    assert not list(part.rglob("*_fractions.tiff"))
    replay_session(taken, tmp_path, speed=1e6, movie_s=0.02)
    assert contents(part) == contents(taken)


def test_a_real_session_without_movies_is_replayed(krios: Path, tmp_path: Path) -> None:
    session = next(krios.glob("Supervisor_*"))
    again = replay_session(session, tmp_path / "again", speed=1e6)
    assert contents(again) == contents(session)


def test_nothing_cannot_be_replayed(tmp_path: Path) -> None:
    for folder, speed in ((tmp_path, 1.0), (tmp_path / "absent", 1.0)):
        with pytest.raises(Invalid, match="cannot be replayed"):
            replay_session(folder, tmp_path / "out", speed=speed)
