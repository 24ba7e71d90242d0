"""The simulated microscope writes sessions as EPU does, with known truth, and goes on where it stopped."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from lxml import etree
from numpy.typing import NDArray

from athena.errors import BadFile, Invalid
from athena.formats.eer import EerMovie
from athena.formats.gain import read_gain
from athena.formats.movies import open_movie
from athena.ingest.epu import EpuAdapter
from athena_pipelines.simulate.containers import RAW_FRAMES, write_movie
from athena_pipelines.simulate.microscope import Microscope
from athena_pipelines.simulate.session import EpuSimulator
from athena_pipelines.simulate.truth import read_truth

pytestmark = pytest.mark.feature("AC-05")


def tiny(out: Path, *, movies: int = 2, **changed: object) -> EpuSimulator:
    settings: dict[str, object] = {"size": (128, 192), "frames": 4, "seed": 3, "interval_s": 0.0} | changed
    return EpuSimulator(out, movies=movies, **settings)  # type: ignore[arg-type]


def test_a_session_has_the_files_of_an_epu_session(tmp_path: Path) -> None:
    session = tiny(tmp_path).run()
    truth = read_truth(session)
    assert [movie.kind for movie in truth.movies] == ["specimen", "specimen"]
    for movie in truth.movies:
        assert movie.movie is not None
        path = session / movie.movie
        with tifffile.TiffFile(path) as tiff:
            assert len(tiff.pages) == 4
            assert tiff.pages[0].shape == (128, 192)
            assert tiff.pages[0].dtype == np.uint8
            assert tiff.pages[0].compression.name == "LZW"
        stem = path.with_name(movie.name)
        assert stem.with_suffix(".jpg").exists()
        root = etree.parse(stem.with_suffix(".xml")).getroot()
        assert etree.QName(root).localname == "MicroscopeImage"
    assert len(list(session.glob("Metadata/GridSquare_*.dm"))) > 50
    assert list(session.glob("Images-Disc1/GridSquare_*/GridSquare_*.xml"))
    assert list(session.glob("Images-Disc1/GridSquare_*/FoilHoles/FoilHole_*.jpg"))
    assert list(tmp_path.glob("atlas/*/Sample1/Atlas/Atlas.dm"))


def test_starting_again_goes_on_after_the_last_complete_movie(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    session = tiny(tmp_path, movies=1).run(progress=lambda done, wanted, _: seen.append((done, wanted)))
    first = read_truth(session).movies[0]
    data = (session / str(first.movie)).read_bytes()
    assert tiny(tmp_path, movies=3).run(progress=lambda done, wanted, _: seen.append((done, wanted))) == session
    truth = read_truth(session)
    assert seen == [(1, 1), (2, 3), (3, 3)]
    assert truth.movies[0] == first
    assert (session / str(first.movie)).read_bytes() == data
    assert len({movie.name for movie in truth.movies}) == 3


def test_a_movie_cut_off_by_a_stop_leaves_nothing_and_is_made_again_under_its_name(tmp_path: Path) -> None:
    stop = threading.Event()
    simulator = tiny(tmp_path)
    session = simulator.prepare()
    stop.set()
    simulator.run(stop)
    assert read_truth(session).movies == ()
    assert simulator._expose(0, stop) is None
    truth = read_truth(session)
    assert truth.current is not None
    assert not list(session.rglob("*_fractions.tiff"))
    assert len(list(session.rglob("*_Data_*.xml"))) == 1
    tiny(tmp_path, movies=1).run()
    movie = read_truth(session).movies[0]
    assert movie.acquired == truth.current.acquired
    assert len(list(session.rglob("*_Data_*.xml"))) == 1


def test_the_same_seed_makes_the_same_movies(tmp_path: Path) -> None:
    frames = []
    for name in ("a", "b"):
        session = tiny(tmp_path / name, movies=1).run()
        frames.append(tifffile.imread(session / str(read_truth(session).movies[0].movie)))
    assert np.array_equal(*frames)


def test_failed_exposures_are_said_to_be_so(tmp_path: Path) -> None:
    session = tiny(tmp_path, movies=6, microscope=Microscope(failures=1.0)).run()
    movies = read_truth(session).movies
    assert {movie.kind for movie in movies} == {"empty", "no_movie"}
    for movie in movies:
        assert (movie.movie is None) == (movie.kind == "no_movie")
        assert next(session.rglob(f"{movie.name}.xml"))
        assert len(list(session.rglob(f"{movie.name}_fractions.tiff"))) == (movie.kind == "empty")


def test_raw_movies_come_with_their_gain_reference(tmp_path: Path) -> None:
    simulator = tiny(tmp_path, movies=1, microscope=Microscope(gain_spread=0.1, hot_pixels=1e-3))
    session = simulator.run()
    gain = read_gain(session / "Simulated_gain.tiff", (128, 192))
    with open_movie(session / str(read_truth(session).movies[0].movie)) as movie:
        total = sum(movie.read(frame).astype(float) for frame in range(movie.frames))
    good = total < 40
    # brighter where the gain is lower: the reference lies as the movie does
    assert np.corrcoef(total[good], gain[good])[0, 1] < -0.15
    assert abs(np.corrcoef(total[good], gain[::-1][good])[0, 1]) < 0.1
    text = (session / "EpuSession.dm").read_text()
    assert "Tiff Lzw Non-Gain normalized" in text
    tiny(tmp_path, movies=1, microscope=Microscope(gain_spread=0.1, hot_pixels=1e-3)).run()


def test_an_interrupted_movie_is_taken_away(tmp_path: Path) -> None:
    def frames() -> Iterator[NDArray[np.uint8]]:
        yield np.zeros((64, 64), dtype=np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_movie(tmp_path / "cut.tiff", frames(), threading.Event(), "tiff", dose_e_per_px=1.0, seed=1)
    assert not list(tmp_path.iterdir())


def test_other_settings_do_not_mix_into_a_session(tmp_path: Path) -> None:
    tiny(tmp_path).prepare()
    with pytest.raises(Invalid, match="other settings \\(frames\\)"):
        tiny(tmp_path, frames=5).prepare()


def test_impossible_settings_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be made"):
        tiny(tmp_path, frames=0)
    with pytest.raises(BadFile, match=r"truth\.json"):
        read_truth(tmp_path)


@pytest.mark.parametrize("container", ["mrc", "eer"])
def test_movies_in_other_containers_hold_the_same_counts(tmp_path: Path, container: str) -> None:
    taken = {}
    for kind in ("tiff", container):
        simulator = EpuSimulator(tmp_path / kind, movies=1, size=(96, 96), frames=3, interval_s=0, container=kind)
        (exposure,) = EpuAdapter().scan(simulator.run()).exposures
        assert exposure.movie is not None
        with open_movie(exposure.movie) as movie:
            if isinstance(movie, EerMovie):
                assert movie.raw_frames == 3 * RAW_FRAMES
                assert movie.dose_e_per_px == pytest.approx(3 * 0.8)
                movie.group(RAW_FRAMES)
            taken[kind] = np.stack([movie.read(index) for index in range(movie.frames)])
    np.testing.assert_array_equal(taken[container], taken["tiff"])
