"""EER: the code against known bytes and another decoder, files against their damage."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from athena.contract.processing import MovieParameters
from athena.errors import BadFile, Invalid
from athena.formats.eer import EerMovie, frames_per_fraction
from athena.formats.eer_kernels import add_events
from athena.formats.gain import read_gain
from athena.formats.movies import is_whole, open_movie
from athena.formats.mrc import write_mrc
from athena_pipelines.simulate.eer import encode_frame, write_eer
from athena_pipelines.steps.load import load_movie

pytestmark = pytest.mark.feature("AC-03")

SHAPE = (48, 64)
CAMERA = {"totalDose": "2.4", "numberOfFrames": "12", "cameraName": "Falcon"}


def words_of(code: bytes) -> np.ndarray:
    return np.frombuffer(code + b"\0" * (16 - len(code) % 8), np.uint64).copy()


def rendered(code: bytes, bits: tuple[int, int, int], *, double: bool = False) -> tuple[int, list[list[int]]]:
    """Where the decoder ends, and [row, column] of the electrons, in a frame of 16 × 32 pixels."""
    shape = (32, 64) if double else (16, 32)
    out = np.zeros(shape, np.uint8)
    end = add_events(words_of(code), len(code) * 8, 32, 16, *bits, False, 1, out.reshape(-1))
    return end, np.argwhere(out).tolist()


def test_known_bytes() -> None:
    seven = bytes.fromhex("032015e0ff7f82fea900")
    assert rendered(seven, (7, 2, 2)) == (512, [[0, 3], [1, 8], [1, 9], [9, 12]])
    assert rendered(seven, (7, 2, 2), double=True) == (512, [[1, 7], [2, 18], [3, 17], [18, 24]])
    eight = bytes.fromhex("03405200ff3fa0d3")
    assert rendered(eight, (8, 2, 2)) == (512, [[0, 3], [1, 8], [1, 9], [9, 12]])
    assert rendered(seven[:5], (7, 2, 2))[0] != 512


@pytest.fixture
def electrons() -> np.ndarray:
    """Raw frames, (12, 48, 64) bool; one is empty, one full."""
    frames = np.random.default_rng(4).random((12, *SHAPE)) < 0.03
    frames[3], frames[5] = False, True
    return frames


@pytest.fixture
def movie(electrons: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "movie.eer"
    assert write_eer(path, electrons, metadata=CAMERA, seed=2) == 12
    return path


def test_every_frame_is_what_another_decoder_makes_of_it(electrons: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    for frame in electrons:
        code = encode_frame(frame, rng)
        flat = np.zeros(frame.size, np.uint8)
        assert add_events(words_of(code), len(code) * 8, 64, 48, 7, 2, 2, False, 1, flat) == frame.size
        np.testing.assert_array_equal(flat.reshape(SHAPE), imagecodecs.eer_decode(code, SHAPE, 7, 2, 2))
        fine = np.zeros((96, 128), np.uint8)
        add_events(words_of(code), len(code) * 8, 64, 48, 7, 2, 2, False, 1, fine.reshape(-1))
        np.testing.assert_array_equal(fine, imagecodecs.eer_decode(code, (96, 128), 7, 2, 2, superres=1))


def test_a_file_is_read_in_fractions(movie: Path, electrons: np.ndarray) -> None:
    with tifffile.TiffFile(movie) as tiff:  # it is what others take for an EER file
        assert tiff.is_eer
        np.testing.assert_array_equal(tiff.pages[7].asarray(), electrons[7])
    with open_movie(movie) as opened:
        assert isinstance(opened, EerMovie)
        assert (opened.raw_frames, opened.shape, opened.dose_e_per_px) == (12, SHAPE, 2.4)
        np.testing.assert_array_equal(opened.read(4), electrons[4])
        opened.group(5)
        assert opened.frames == 2  # two raw frames are left over
        np.testing.assert_array_equal(opened.read(1), electrons[5:10].sum(axis=0))
        opened.group(4, upsampling=2)
        assert (opened.shape, opened.frames, opened.damaged) == ((96, 128), 3, 0)
        halves = opened.read(2).reshape(48, 2, 64, 2).sum(axis=(1, 3))
        np.testing.assert_array_equal(halves, electrons[8:].sum(axis=0))
        for frames in (0, 13):
            with pytest.raises(Invalid, match="raw frames"):
                opened.group(frames)


def test_how_many_frames_make_a_fraction() -> None:
    assert frames_per_fraction(1000, 0.05) == 20
    assert frames_per_fraction(1000, 0.05, fraction_e_per_A2=0.5) == 10
    assert frames_per_fraction(1000, None) == 25
    assert frames_per_fraction(7, 1e-9) == 7


def test_a_movie_is_loaded_with_the_dose_that_the_file_says(movie: Path, electrons: np.ndarray) -> None:
    parameters = MovieParameters(pixel_size_angstrom=0.5, voltage_kv=300.0)  # 0.8 e/Å² a raw frame
    loaded = load_movie(str(movie), None, parameters)
    assert loaded.parameters.eer_frames_per_fraction == 1
    assert loaded.parameters.dose_per_frame_e_per_A2 == pytest.approx(0.8)
    wanted = MovieParameters(pixel_size_angstrom=0.5, voltage_kv=300.0, eer_frames_per_fraction=6, eer_upsampling=2)
    loaded = load_movie(str(movie), None, wanted)
    assert loaded.frames.stack.shape == (2, 96, 128)
    assert loaded.parameters.pixel_size_angstrom == 0.25
    assert loaded.parameters.dose_per_frame_e_per_A2 == pytest.approx(4.8)


def test_gains_of_eer(tmp_path: Path) -> None:
    image = np.random.default_rng(0).uniform(0.8, 1.2, SHAPE).astype(np.float32)
    image[5, 6] = 0
    tifffile.imwrite(tmp_path / "a.gain", image)
    write_mrc(tmp_path / "flat.mrc", image, pixel_size_angstrom=1.0)
    gain = read_gain(tmp_path / "a.gain", SHAPE, of_eer=True)
    np.testing.assert_allclose(gain / gain[0, 0], image / image[0, 0], rtol=1e-5)  # not turned over
    divided = read_gain(tmp_path / "flat.mrc", SHAPE, of_eer=True)
    np.testing.assert_allclose(divided[image > 0] * image[image > 0], divided[0, 0] * image[0, 0], rtol=1e-5)
    assert divided[5, 6] == 0
    fine = read_gain(tmp_path / "a.gain", (96, 128), of_eer=True)
    np.testing.assert_allclose(fine[1::2, ::2] / fine[0, 0], gain / gain[0, 0], rtol=1e-5)
    with pytest.raises(BadFile, match="frames are"):
        read_gain(tmp_path / "a.gain", (47, 64), of_eer=True)


def test_a_damaged_frame_counts_as_empty_and_is_told(movie: Path, electrons: np.ndarray) -> None:
    whole = movie.read_bytes()
    damaged = bytearray(whole)
    damaged[16:26] = b"\xff" * 10
    movie.write_bytes(bytes(damaged))
    parameters = MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0, eer_frames_per_fraction=4)
    loaded = load_movie(str(movie), None, parameters)
    assert loaded.flags == ("damaged_frames",)
    with EerMovie(movie) as opened:
        opened.group(4)
        np.testing.assert_array_equal(opened.read(0), electrons[1:4].sum(axis=0))


@pytest.mark.parametrize("cut", [20, 500, 3000, -1])
def test_a_file_that_ends_early_is_not_whole(movie: Path, cut: int) -> None:
    whole = movie.read_bytes()
    movie.write_bytes(whole[:cut])
    assert not is_whole(movie)
    with pytest.raises(BadFile, match=r"movie\.eer"):
        open_movie(movie)


def test_a_chain_in_a_circle_is_told(movie: Path) -> None:
    whole = bytearray(movie.read_bytes())
    (first,) = struct.unpack_from("<Q", whole, 8)
    (entries,) = struct.unpack_from("<Q", whole, first)
    struct.pack_into("<Q", whole, first + 8 + entries * 20, first)
    movie.write_bytes(bytes(whole))
    with pytest.raises(BadFile, match="circle"):
        open_movie(movie)
