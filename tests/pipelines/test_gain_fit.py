"""Gain references that lie any way round: found on the movie, or said not to be."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from typer.testing import CliRunner

from athena.cli.process import process_app
from athena.contract.processing import GainOrientation, GainSense, MovieParameters
from athena.errors import BadFile
from athena.formats.gain import ORIENTATIONS, Reference, oriented, read_reference
from athena.formats.mrc import read_mrc, write_mrc
from athena_pipelines.core.gain_fit import fit_gain
from athena_pipelines.simulate.camera import Camera, draw_camera
from athena_pipelines.steps.load import load_movie

pytestmark = pytest.mark.feature("EQ-01", "AC-03")

Float32 = npt.NDArray[np.float32]
BACK = {GainOrientation.ROTATE_90: GainOrientation.ROTATE_270, GainOrientation.ROTATE_270: GainOrientation.ROTATE_90}


def camera(shape: tuple[int, int], *, spread: float = 0.03) -> Camera:
    return draw_camera(np.random.default_rng(1), shape, spread=spread, hot_fraction=1e-4)


def stored(gain: Float32, orientation: GainOrientation) -> Float32:
    """What lies in a file whose content ``orientation`` turns into ``gain``."""
    return np.ascontiguousarray(oriented(gain, BACK.get(orientation, orientation)))


def counts(known: Camera, frames: int, mean: float, seed: int = 2) -> npt.NDArray[np.uint8]:
    shape = (frames, *known.response.shape)
    return np.random.default_rng(seed).poisson(mean * known.response, shape).astype(np.uint8)


def test_turns_are_counter_clockwise_with_y_up() -> None:
    image = np.array([[1, 2, 3], [4, 5, 6]], np.float32)  # 1 2 3 is the bottom row
    assert oriented(image, GainOrientation.ROTATE_90).tolist() == [[4, 1], [5, 2], [6, 3]]
    assert oriented(image, GainOrientation.FLIP_Y).tolist() == [[4, 5, 6], [1, 2, 3]]
    assert oriented(image, GainOrientation.FLIP_X).tolist() == [[3, 2, 1], [6, 5, 4]]
    assert oriented(image, GainOrientation.TRANSPOSE).tolist() == [[1, 4], [2, 5], [3, 6]]
    assert len({oriented(image, one).tobytes() + bytes(oriented(image, one).shape) for one in ORIENTATIONS}) == 8


@pytest.mark.parametrize("shape", [(512, 512), (390, 571)])
@pytest.mark.parametrize("frames", [3, 40])
def test_every_orientation_and_sense_is_found_at_low_dose(shape: tuple[int, int], frames: int) -> None:
    known = camera(shape, spread=0.05)
    total = counts(known, frames, 0.3).sum(axis=0, dtype=np.float32)
    for orientation in ORIENTATIONS:
        for sense in (GainSense.MULTIPLY, GainSense.DIVIDE):
            gain = stored(known.gain, orientation)
            image = gain if sense is GainSense.MULTIPLY else (1 / gain).astype(np.float32)
            reference = Reference(Path("g.mrc"), image, GainSense.MULTIPLY)
            found = fit_gain(total, reference.image, reference.fitting(shape), usual=GainSense.MULTIPLY)
            assert (found.orientation, found.sense, found.determined) == (orientation, sense, True), found
            assert found.correlation > 0
            assert found.flatness < 1
            np.testing.assert_allclose(reference.gain(shape, orientation, sense), known.gain, rtol=1e-4)


def test_what_the_movie_does_not_tell_is_not_made_up() -> None:
    known, shape = camera((256, 256)), (256, 256)
    total = counts(known, 1, 0.1).sum(axis=0, dtype=np.float32)
    dim = fit_gain(total, stored(known.gain, GainOrientation.FLIP_X), ORIENTATIONS, usual=GainSense.DIVIDE)
    assert (dim.determined, dim.fits) == (False, True)  # too few electrons to tell
    assert (dim.orientation, dim.sense) == (GainOrientation.AS_IS, GainSense.DIVIDE)
    even = fit_gain(total, np.ones(shape, np.float32), ORIENTATIONS, usual=GainSense.MULTIPLY)
    assert (even.determined, even.fits) == (False, True)
    alike = ((known.gain + known.gain[::-1]) / 2).astype(np.float32)  # upside down it is the same
    total = counts(Camera(alike, (1 / alike).astype(np.float32)), 40, 1.0).sum(axis=0, dtype=np.float32)
    assert not fit_gain(total, alike, ORIENTATIONS, usual=GainSense.MULTIPLY).determined


def test_a_beam_that_is_not_everywhere() -> None:
    known, shape = camera((512, 512), spread=0.05), (512, 512)
    beam = np.zeros(shape, np.float32)
    beam[:300, :300] = 8  # a third of the frame
    total = np.random.default_rng(0).poisson(beam * known.response).astype(np.float32)
    gain = stored(known.gain, GainOrientation.TRANSPOSE)
    found = fit_gain(total, gain, ORIENTATIONS, usual=GainSense.MULTIPLY)
    assert (found.orientation, found.determined, found.fits) == (GainOrientation.TRANSPOSE, True, True)
    blank = fit_gain(np.zeros(shape, np.float32), gain, ORIENTATIONS, usual=GainSense.MULTIPLY)
    assert (blank.orientation, blank.determined, blank.fits) == (GainOrientation.AS_IS, False, True)


def test_a_gain_of_another_camera_or_of_corrected_movies_is_left_out(tmp_path: Path) -> None:
    known = camera((256, 256), spread=0.1)
    write_mrc(tmp_path / "g.mrc", known.gain, pixel_size_angstrom=1.0)
    corrected = np.random.default_rng(0).poisson(1.0, (30, 256, 256)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "m.tiff", corrected, photometric="minisblack")
    parameters = MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0)
    loaded = load_movie(str(tmp_path / "m.tiff"), str(tmp_path / "g.mrc"), parameters)
    assert loaded.flags == ("gain_does_not_fit",)
    assert loaded.frames.gain.shape == (1, 1)
    told = MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0, gain_orientation="as_is", gain_sense="multiply")
    loaded = load_movie(str(tmp_path / "m.tiff"), str(tmp_path / "g.mrc"), told)  # who says so is believed
    assert (loaded.gain_fit, loaded.flags, loaded.frames.gain.shape) == (None, (), (256, 256))


def test_half_and_double_sizes(tmp_path: Path) -> None:
    known = camera((256, 200), spread=0.08)
    finer = known.gain.repeat(2, axis=0).repeat(2, axis=1)
    for gain, shape in ((finer, (256, 200)), (known.gain, (512, 400))):
        write_mrc(tmp_path / "g.mrc", stored(gain, GainOrientation.ROTATE_90), pixel_size_angstrom=1.0)
        reference = read_reference(tmp_path / "g.mrc")
        response = 1 / (known.gain if shape == (256, 200) else finer)
        total = np.random.default_rng(0).poisson(30 * response).astype(np.float32)
        found = fit_gain(total, reference.image, reference.fitting(shape), usual=GainSense.MULTIPLY)
        assert found.determined
        np.testing.assert_allclose(reference.gain(shape, found.orientation, found.sense) * response, 1, rtol=1e-3)
    with pytest.raises(BadFile, match="orientation as_is"):
        reference.gain((512, 400), GainOrientation.AS_IS, GainSense.MULTIPLY)


def test_the_command_finds_it_once_and_says_so(tmp_path: Path) -> None:
    known = camera((256, 300), spread=0.1)
    write_mrc(tmp_path / "g.mrc", stored(known.gain, GainOrientation.ROTATE_270), pixel_size_angstrom=1.0)
    for name in ("a", "b"):
        stack = counts(known, 6, 2.0, seed=ord(name))
        tifffile.imwrite(tmp_path / f"{name}.tiff", stack[:, ::-1], compression="lzw", photometric="minisblack")
    movies = [str(tmp_path / "a.tiff"), str(tmp_path / "b.tiff")]
    words = ["movie", *movies, "--pixel-size", "1", "--voltage", "300", "--patches", "1x1"]
    words += ["--gain", str(tmp_path / "g.mrc"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(process_app, words)
    assert done.exit_code == 0, done.output
    first, second = (json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in "ab")
    assert first["gain_fit"]["orientation"] == "rotate_270"
    assert second["gain_fit"] is None  # remembered
    assert second["parameters"]["gain_orientation"] == "rotate_270"
    assert second["parameters"]["gain_sense"] == "multiply"
    turned, _ = read_mrc(tmp_path / "out" / "g_rotate_270.mrc")  # RELION takes it as it is
    np.testing.assert_allclose(turned / turned.mean(), known.gain / known.gain.mean(), rtol=1e-3)
    assert "g_rotate_270.mrc" in (tmp_path / "out" / "b.star").read_text()
    assert CliRunner().invoke(process_app, [*words, "--gain-orientation", "sideways"]).exit_code != 0
