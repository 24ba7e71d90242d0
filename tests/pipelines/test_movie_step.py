"""The movie step on files: what it writes, what it returns, and what it does with bad ones."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from athena.contract.processing import MovieParameters, MovieResult, MovieTask
from athena.errors import BadFile, NotFound
from athena.formats.mrc import write_mrc
from athena.zarrio import layout, reader
from athena.zarrio.pyramid import has_plain, image_info, open_level, read_level
from athena.zarrio.writer import RunWriter
from athena_pipelines.specs.movie import MOVIE
from athena_pipelines.steps import load, warm_up
from athena_pipelines.steps.load import load_movie
from athena_pipelines.steps.movie import process_movie

pytestmark = pytest.mark.feature("EQ-01", "EQ-02")

Make = Callable[..., Any]


def _task(tmp_path: Path, movie: Path, *, gain: Path | None = None, **parameters: Any) -> MovieTask:
    store = str(tmp_path / "run.zarr")
    RunWriter.create(store, frames=8).ensure_length(4)
    return MovieTask(
        run_id="r",
        index=2,
        movie=str(movie),
        store=store,
        gain=str(gain) if gain else None,
        parameters=MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0, **parameters),
    )


def _write_tiff(path: Path, counts: Any) -> Path:
    tifffile.imwrite(path, counts[:, ::-1], compression="lzw", photometric="minisblack", rowsperstrip=64)
    return path


def _check_shapes(result: MovieResult, frames: int) -> None:
    assert result.frames == frames
    assert len(result.global_motion) == frames * 2
    assert len(result.patch_motion) == frames * 25 * 2
    assert [len(row) for row in result.ctf_curves] == [layout.CURVE_LENGTH] * len(layout.CTF_CURVES)
    assert set(result.metrics) <= set(layout.METRICS)
    assert MovieResult.model_validate(result.model_dump()) is not None
    json.dumps(result.seconds)


def test_the_run_s_defects_are_repaired_and_read_once(
    tmp_path: Path, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = simulated.counts.copy()
    counts[:, 300:310, 400:410] = 3  # a patch that is stuck, and not so bright that it would be found
    movie = _write_tiff(tmp_path / "m.tiff", counts)
    listed = tmp_path / "defects.txt"
    listed.write_text("400 300 10 10\n")
    read: list[str] = []
    real = load.read_defects

    def counted(path: str, shape: tuple[int, int]) -> Any:
        read.append(path)
        return real(path, shape)

    monkeypatch.setattr(load, "read_defects", counted)
    task = _task(tmp_path, movie)
    process_movie(task)
    stuck = read_level(task.store, 2)
    for _ in range(2):
        process_movie(task.model_copy(update={"defects": str(listed)}))
    assert read == [str(listed)]
    whole = read_level(task.store, 2)
    here, usual = np.s_[302:308, 402:408], float(np.median(whole))
    assert abs(whole[here].mean() - usual) < 0.5 * abs(stuck[here].mean() - usual)
    with pytest.raises(BadFile, match=r"gone\.txt cannot be read"):
        process_movie(task.model_copy(update={"defects": str(tmp_path / "gone.txt")}))


@pytest.fixture(scope="module")
def simulated(make_movie: Make) -> Any:
    return make_movie(size=768, frames=16, counts=2.0, drift=8.0)


def test_a_tiff_movie_end_to_end(tmp_path: Path, simulated: Any, trajectory_rms: Callable[..., float]) -> None:
    task = _task(tmp_path, _write_tiff(tmp_path / "m.tiff", simulated.counts), dose_per_frame_e_per_A2=2.0)
    result = process_movie(task)
    _check_shapes(result, 16)
    assert result.index == 2
    motion = np.reshape(result.global_motion, (-1, 2))
    assert trajectory_rms(motion, simulated.motion) < 0.25
    metrics = result.metrics
    assert metrics["drift_total_angstrom"] == pytest.approx(8.5, abs=1.5)
    assert metrics["defocus_um"] == pytest.approx(1.525, abs=0.01)
    assert metrics["mean_intensity_e_per_px"] == pytest.approx(2, rel=0.01)
    assert metrics["dose_e_per_A2"] == 32
    assert metrics["frame_count"] == 16
    assert metrics["ctf_resolution_angstrom"] < 6
    assert metrics["processing_s"] > 0
    assert "ctf_not_determined" not in result.flags
    elsewhere = {"acquired_unix_s", "target_defocus_um", "optics_group", "ice_relative"}
    assert set(layout.METRICS) - set(metrics) == elsewhere
    for picture in (reader.read_thumbnail(task.store, 2), reader.read_spectrum(task.store, 2)):
        assert picture.std() > 10
    fitted, plain = reader.read_spectrum(task.store, 2, fit=True), reader.read_spectrum(task.store, 2)
    half = layout.SPECTRUM_SIZE // 2
    np.testing.assert_array_equal(fitted[:, half:], plain[:, half:])
    assert (fitted[:, :half] != plain[:, :half]).any()
    info = image_info(task.store, 2)
    assert (info.height, info.width) == (768, 768)


def test_the_unweighted_sum_is_kept_where_it_is_asked_for(tmp_path: Path, simulated: Any) -> None:
    movie = _write_tiff(tmp_path / "m.tiff", simulated.counts)
    task = _task(tmp_path, movie, dose_per_frame_e_per_A2=2.0)
    process_movie(task)
    assert not has_plain(task.store, 2)
    unknown = _task(tmp_path, movie, keep_unweighted=True)
    process_movie(unknown)
    assert not has_plain(task.store, 2)  # without a dose the micrograph itself is unweighted
    plain = read_level(task.store, 2)
    asked = {"dose_per_frame_e_per_A2": 2.0, "keep_unweighted": True}
    process_movie(task.model_copy(update={"parameters": task.parameters.model_copy(update=asked)}))
    # the dose also weights the alignment, so that shifts differ a little
    beside = np.asarray(open_level(task.store, 2, plain=True)[...], np.float32)
    assert np.corrcoef(beside.ravel(), plain.ravel())[0, 1] > 0.98
    assert np.corrcoef(read_level(task.store, 2).ravel(), plain.ravel())[0, 1] < 0.95


@pytest.mark.parametrize("suffix", ["int16", "float32"])
def test_the_same_from_mrc_with_gain(tmp_path: Path, make_movie: Make, suffix: str) -> None:
    rng = np.random.default_rng(1)
    gain = rng.uniform(0.8, 1.2, (512, 512)).astype(np.float32)
    movie = make_movie(frames=8, counts=4.0, drift=5.0, gain=gain)
    stack = movie.counts.astype(suffix)
    reference = tmp_path / "gain.mrc"
    write_mrc(reference, gain, pixel_size_angstrom=1.0)
    if suffix == "float32":
        # a movie that comes corrected already holds no whole counts
        stack, reference = stack * gain, None
    write_mrc(tmp_path / "m.mrc", stack, pixel_size_angstrom=1.0)
    result = process_movie(_task(tmp_path, tmp_path / "m.mrc", gain=reference))
    _check_shapes(result, 8)
    assert "no_dose_weighting" in result.flags
    assert math.isnan(result.metrics["dose_e_per_A2"])
    assert result.metrics["mean_intensity_e_per_px"] == pytest.approx(4, rel=0.02)
    assert result.metrics["defocus_um"] == pytest.approx(1.525, abs=0.02)
    end = np.reshape(result.global_motion, (-1, 2))[-1]
    assert end == pytest.approx(movie.motion[-1], abs=0.5)


def test_noise_is_honestly_nothing(tmp_path: Path, make_movie: Make) -> None:
    movie = make_movie(size=512, frames=6, contrast=0.0)
    result = process_movie(_task(tmp_path, _write_tiff(tmp_path / "m.tiff", movie.counts), dose_per_frame_e_per_A2=1.0))
    assert {"no_motion_signal", "ctf_not_determined"} <= set(result.flags)
    assert math.isnan(result.metrics["defocus_um"])
    assert math.isnan(result.metrics["drift_total_angstrom"])
    assert np.isnan(result.ctf_curves[layout.CTF_CURVES.index("theory")]).all()
    assert np.isnan(result.metrics["ctf_score"])


@pytest.mark.parametrize("count", [0, 3])
def test_a_movie_that_is_blank_throughout_is_nothing_too(tmp_path: Path, count: int) -> None:
    """A shutter that stayed closed, or a detector that reads the same everywhere: no error, and no numbers."""
    counts = np.full((6, 512, 512), count, np.uint8)
    result = process_movie(_task(tmp_path, _write_tiff(tmp_path / "m.tiff", counts), dose_per_frame_e_per_A2=1.0))
    assert {"no_motion_signal", "ctf_not_determined"} <= set(result.flags)
    assert math.isnan(result.metrics["defocus_um"])
    assert math.isnan(result.metrics["drift_total_angstrom"])


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_movies_of_few_frames(tmp_path: Path, make_movie: Make, frames: int) -> None:
    movie = make_movie(frames=frames, counts=20.0, drift=4.0)
    result = process_movie(
        _task(tmp_path, _write_tiff(tmp_path / "m.tiff", movie.counts), dose_per_frame_e_per_A2=20.0)
    )
    _check_shapes(result, frames)
    assert ("single_frame" if frames == 1 else "few_frames") in result.flags
    assert result.metrics["defocus_um"] == pytest.approx(1.525, abs=0.02)
    if frames > 1:
        assert np.reshape(result.global_motion, (-1, 2))[-1] == pytest.approx(movie.motion[-1], abs=0.4)


def test_an_image_that_is_not_square(tmp_path: Path, make_movie: Make) -> None:
    counts = make_movie(size=512, frames=4, counts=8.0).counts[:, :390, :]
    task = _task(tmp_path, _write_tiff(tmp_path / "m.tiff", counts), dose_per_frame_e_per_A2=8.0)
    result = process_movie(task)
    _check_shapes(result, 4)
    thumbnail = reader.read_thumbnail(task.store, 2)
    assert not thumbnail[0].any()
    assert thumbnail[layout.THUMBNAIL_SIZE // 2].all()


def test_processing_again_gives_the_same(tmp_path: Path, make_movie: Make) -> None:
    movie = make_movie(frames=4, counts=8.0)
    movie.counts[:, 7, 9] = 200
    task = _task(tmp_path, _write_tiff(tmp_path / "m.tiff", movie.counts), dose_per_frame_e_per_A2=8.0)
    first = process_movie(task)
    picture = reader.read_thumbnail(task.store, 2)
    second = process_movie(task)
    assert second.global_motion == first.global_motion
    np.testing.assert_array_equal(reader.read_thumbnail(task.store, 2), picture)


def test_bad_files_leave_nothing_behind(tmp_path: Path, make_movie: Make) -> None:
    path = _write_tiff(tmp_path / "m.tiff", make_movie(frames=2).counts)
    path.write_bytes(path.read_bytes()[:-5000])
    task = _task(tmp_path, path)
    with pytest.raises(BadFile, match=r"m\.tiff is truncated"):
        process_movie(task)
    with pytest.raises(NotFound):
        reader.read_thumbnail(task.store, 2)
    assert not (Path(task.store) / layout.image_path(2)).exists()


@pytest.mark.parametrize(
    ("dtype", "peak", "held"),
    [
        ("uint16", 9, "uint8"),
        ("uint16", 1000, "uint16"),
        ("int16", 9, "uint8"),
        ("uint8", 9, "uint8"),
        ("int32", 70000, "float32"),
    ],
)
def test_frames_are_held_in_the_smallest_type(tmp_path: Path, dtype: str, peak: int, held: str) -> None:
    counts = np.random.default_rng(0).poisson(4, (3, 64, 64)).astype(dtype)
    counts[2, 5, 5] = peak
    tifffile.imwrite(tmp_path / "m.tiff", counts, photometric="minisblack")
    loaded = load_movie(str(tmp_path / "m.tiff"), None, MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0))
    frames, mean = loaded.frames, loaded.mean
    assert frames.stack.dtype == held
    assert mean == pytest.approx(4, rel=0.05)
    expected = counts[1, ::-1].copy()
    if peak > 100:
        # hot in the sum, so replaced in every frame
        expected[58, 5] = frames.stack[1, 58, 5]
        assert frames.defects == 1
    np.testing.assert_array_equal(frames.stack[1], expected)


def test_float_frames_are_quantised_below_their_noise(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(-3, 2, (3, 64, 64)).astype(np.float32)
    write_mrc(tmp_path / "m.mrc", values, pixel_size_angstrom=1.0)
    loaded = load_movie(str(tmp_path / "m.mrc"), None, MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0))
    frames, mean = loaded.frames, loaded.mean
    assert frames.stack.dtype == np.uint16
    assert mean == pytest.approx(-3, abs=0.1)
    np.testing.assert_allclose(frames.stack * frames.scale + frames.offset, values, atol=0.02)


def test_warming_up_runs_every_kernel() -> None:
    warm_up()


def test_the_spec_is_light_and_names_what_the_step_returns() -> None:
    assert MOVIE.name == "movie"
    assert set(MOVIE.metrics) <= set(layout.METRICS)
    assert MOVIE.parameters is MovieParameters
