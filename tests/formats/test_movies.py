"""Readers of movies and gains: every container and type, and files that are not what they seem."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from athena.errors import BadFile
from athena.formats.dm import read_dm
from athena.formats.gain import read_gain
from athena.formats.movies import is_whole, open_movie
from athena.formats.mrc import read_mrc, write_mrc
from athena.formats.mrc_extended import read_fei_records
from athena_pipelines.steps.micrograph import read_micrograph
from tests.formats.dm_files import dm_bytes

pytestmark = pytest.mark.feature("EQ-01")

SHAPE = (3, 40, 52)


def _counts(dtype: str) -> npt.NDArray[Any]:
    return np.random.default_rng(1).poisson(20, SHAPE).astype(dtype)


def _read_all(path: Path) -> npt.NDArray[Any]:
    with open_movie(path) as movie:
        return np.stack([movie.read(i) for i in range(movie.frames)])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd"])
@pytest.mark.parametrize("layout", [{"rowsperstrip": 7}, {"rowsperstrip": 40}, {"tile": (16, 32)}], ids=str)
def test_tiff_is_read_bottom_row_first(
    tmp_path: Path, dtype: str, compression: str | None, layout: dict[str, Any]
) -> None:
    counts = _counts(dtype)
    tifffile.imwrite(tmp_path / "m.tiff", counts, compression=compression, photometric="minisblack", **layout)
    found = _read_all(tmp_path / "m.tiff")
    assert found.dtype == counts.dtype
    np.testing.assert_array_equal(found, counts[:, ::-1])


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}, {"predictor": True}], ids=str)
def test_tiff_dialects(tmp_path: Path, options: dict[str, Any]) -> None:
    counts = _counts("uint16")
    tifffile.imwrite(tmp_path / "m.tiff", counts, compression="zlib", photometric="minisblack", **options)
    np.testing.assert_array_equal(_read_all(tmp_path / "m.tiff"), counts[:, ::-1])


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "uint16", "float16"])
def test_mrc_modes(tmp_path: Path, dtype: str) -> None:
    counts = _counts(dtype)
    write_mrc(tmp_path / "m.mrc", counts, pixel_size_angstrom=0.83)
    np.testing.assert_array_equal(_read_all(tmp_path / "m.mrc"), counts)
    found, pixel = read_mrc(tmp_path / "m.mrc")
    np.testing.assert_array_equal(found, counts)
    assert pixel == pytest.approx(0.83, rel=1e-5)


def test_mrc_with_four_bits_a_pixel(tmp_path: Path) -> None:
    counts = _counts("uint8") % 16
    path = tmp_path / "m.mrc"
    write_mrc(path, counts.astype("int8"), pixel_size_angstrom=1.0)
    header = bytearray(path.read_bytes()[:1024])
    header[12:16] = (101).to_bytes(4, "little")
    path.write_bytes(bytes(header) + (counts[..., 0::2] | counts[..., 1::2] << 4).tobytes())
    np.testing.assert_array_equal(_read_all(path), counts)


@pytest.mark.parametrize("signed", [False, True])
def test_bytes_as_imod_marks_them(tmp_path: Path, signed: bool) -> None:
    counts = _counts("uint8") + np.uint8(0 if signed else 150)
    path = tmp_path / "m.mrc"
    write_mrc(path, counts.view("int8"), pixel_size_angstrom=2.0)
    data = bytearray(path.read_bytes())
    data[152:160] = (1146047817).to_bytes(4, "little") + (1 if signed else 0).to_bytes(4, "little")
    path.write_bytes(data)
    found = _read_all(path)
    assert found.dtype == ("int8" if signed else "uint8")
    np.testing.assert_array_equal(found, counts)
    data[156] = 16  # two values a byte, in rows of half the width
    path.write_bytes(data)
    with open_movie(path) as movie:
        assert (movie.shape, movie.pixel_size_angstrom) == ((40, 104), pytest.approx(1.0))
        np.testing.assert_array_equal(movie.read(0)[:, 1::2], counts[0] >> 4)


def test_four_bit_rows_of_odd_width_are_padded(tmp_path: Path) -> None:
    counts = (_counts("uint8") % 16)[..., :51]
    path = tmp_path / "m.mrc"
    write_mrc(path, counts.astype("int8"), pixel_size_angstrom=1.0)
    header = bytearray(path.read_bytes()[:1024])
    header[12] = 101
    padded = np.concatenate([counts, np.zeros((3, 40, 1), np.uint8)], axis=2)
    path.write_bytes(bytes(header) + (padded[..., 0::2] | padded[..., 1::2] << 4).tobytes())
    np.testing.assert_array_equal(_read_all(path), counts)


def test_four_bit_tiff_of_serialem_is_known_by_its_size(tmp_path: Path) -> None:
    stored = np.zeros((7676, 3710), np.uint8)
    stored[0, :2] = 0x21, 0x43
    tifffile.imwrite(tmp_path / "m.tiff", stored, compression="zlib", photometric="minisblack", rowsperstrip=512)
    with open_movie(tmp_path / "m.tiff") as movie:
        assert movie.shape == (7676, 7420)
        assert movie.read(0)[-1, :5].tolist() == [1, 2, 3, 4, 0]


def test_a_tiff_that_says_its_four_bits(tmp_path: Path) -> None:
    counts = _counts("uint8")[0] % 16
    packed = counts[:, 0::2] << 4 | counts[:, 1::2]
    tifffile.imwrite(tmp_path / "m.tiff", packed, photometric="minisblack", metadata=None)
    data = (tmp_path / "m.tiff").read_bytes()
    with tifffile.TiffFile(tmp_path / "m.tiff") as tiff:
        tags = {name: tiff.pages[0].tags[name].valueoffset for name in ("ImageWidth", "BitsPerSample")}
    told = bytearray(data)
    told[tags["ImageWidth"] : tags["ImageWidth"] + 2] = (52).to_bytes(2, "little")
    told[tags["BitsPerSample"] : tags["BitsPerSample"] + 2] = (4).to_bytes(2, "little")
    (tmp_path / "m.tiff").write_bytes(told)
    np.testing.assert_array_equal(_read_all(tmp_path / "m.tiff")[0], counts[::-1])


def test_fei_header_is_read_in_units_of_the_names() -> None:
    (found,) = read_fei_records(Path("tests/data/micrographs/epu2.9_crop.mrc"))
    assert found.pixel_size_angstrom == pytest.approx(0.66655, abs=1e-5)
    assert (found.voltage_kv, found.camera, found.microscope) == (300.0, "BM-Falcon", "TITAN52337720")
    assert found.dose_e_per_A2 == pytest.approx(41.17, abs=0.01)
    assert found.applied_defocus_um == pytest.approx(-2.2)
    assert found.tilt_axis_deg is None  # its mask says that it says nothing
    assert found.acquired is not None
    assert found.acquired.year >= 2020


def test_what_only_the_fei_header_says(tmp_path: Path) -> None:
    data = bytearray(Path("tests/data/micrographs/epu2.9_crop.mrc").read_bytes())
    data[40:52] = bytes(12)
    (tmp_path / "m.mrc").write_bytes(data)
    found = read_micrograph(tmp_path / "m.mrc")
    assert found.pixel_size_angstrom == pytest.approx(0.66655, abs=1e-5)
    assert found.voltage_kv == 300.0


def test_files_without_a_fei_header(tmp_path: Path) -> None:
    write_mrc(tmp_path / "m.mrc", _counts("int16"), pixel_size_angstrom=1.0)
    assert read_fei_records(tmp_path / "m.mrc") == ()


def test_mrc_of_the_other_byte_order(tmp_path: Path) -> None:
    counts = _counts("int16")
    path = tmp_path / "m.mrc"
    write_mrc(path, counts, pixel_size_angstrom=1.0)
    words = np.frombuffer(path.read_bytes()[:1024], "<i4").astype(">i4")
    path.write_bytes(words.tobytes() + counts.astype(">i2").tobytes())
    found = _read_all(path)
    np.testing.assert_array_equal(found, counts)
    assert found.dtype == np.int16


def test_reading_into_a_given_array(tmp_path: Path) -> None:
    counts = _counts("uint8")
    tifffile.imwrite(tmp_path / "m.tiff", counts, compression="lzw", photometric="minisblack")
    out = np.empty(SHAPE[1:], np.uint8)
    with open_movie(tmp_path / "m.tiff") as movie:
        assert (movie.frames, movie.shape, movie.dtype) == (3, SHAPE[1:], np.uint8)
        assert movie.read(2, out) is out
    np.testing.assert_array_equal(out, counts[2, ::-1])


@pytest.fixture(params=["m.tiff", "m.mrc"])
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    if path.suffix == ".mrc":
        write_mrc(path, _counts("int16"), pixel_size_angstrom=1.0)
    else:
        tifffile.imwrite(path, _counts("uint16"), compression="lzw", photometric="minisblack", rowsperstrip=7)
    return path


def test_a_file_is_whole_only_at_its_full_length(whole: Path) -> None:
    assert is_whole(whole)
    data = whole.read_bytes()
    for length in [0, 3, 9, 100, 1000, 1100, len(data) // 2, len(data) - 200, len(data) - 1]:
        whole.write_bytes(data[:length])
        assert not is_whole(whole), length
        with pytest.raises(BadFile, match=whole.name):
            open_movie(whole)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert not is_whole(tmp_path / "none.tiff")
    with pytest.raises(BadFile, match=r"none\.tiff cannot be read"):
        open_movie(tmp_path / "none.tiff")


@pytest.mark.parametrize("content", [b"<?xml version='1.0'?>" * 100, bytes(2000), b"\xff" * 2000, b"\x89PNG" * 500])
def test_foreign_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.tiff").write_bytes(content)
    with pytest.raises(BadFile, match=r"m\.tiff"):
        open_movie(tmp_path / "m.tiff")


def test_lying_mrc_headers(tmp_path: Path) -> None:
    path = tmp_path / "m.mrc"
    write_mrc(path, _counts("int16"), pixel_size_angstrom=1.0)
    data = path.read_bytes()
    for offset, value in [(0, 10**9), (4, -3), (8, 0), (8, 10**6), (8, 1), (12, 4), (92, -5), (92, 10**8)]:
        lying = bytearray(data)
        lying[offset : offset + 4] = value.to_bytes(4, "little", signed=True)
        path.write_bytes(bytes(lying))
        with pytest.raises(BadFile, match=r"m\.mrc"):
            open_movie(path)


def test_tiff_whose_chain_runs_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "m.tiff"
    tifffile.imwrite(path, _counts("uint8"), photometric="minisblack")
    with tifffile.TiffFile(path) as tiff:
        first, second = tiff.pages[0].offset, tiff.pages[1].offset
    data = bytearray(path.read_bytes())
    place = data.find(second.to_bytes(4, "little"), first)
    data[place : place + 4] = first.to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(BadFile, match="circle"):
        open_movie(path)


def test_tiff_of_colours_or_of_several_sizes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "rgb.tiff", np.zeros((20, 20, 3), np.uint8), photometric="rgb")
    with pytest.raises(BadFile, match="no movie"):
        open_movie(tmp_path / "rgb.tiff")
    with tifffile.TiffWriter(tmp_path / "sizes.tiff") as tiff:
        tiff.write(np.zeros((20, 20), np.uint8))
        tiff.write(np.zeros((10, 20), np.uint8))
    with pytest.raises(BadFile, match="one size"):
        open_movie(tmp_path / "sizes.tiff")


def test_damaged_strip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.tiff"
    tifffile.imwrite(path, _counts("uint8"), compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[1].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset : offset + 20] = bytes(20)
    path.write_bytes(bytes(data))
    with open_movie(path) as movie, pytest.raises(BadFile, match="frame 1 cannot be decoded"):
        movie.read(1)


def test_gain_is_scaled_to_one_and_oriented_like_its_movie(tmp_path: Path) -> None:
    gain = np.random.default_rng(2).uniform(1.5, 2.5, (40, 52)).astype(np.float32)
    gain[3, 5] = 0
    write_mrc(tmp_path / "g.mrc", gain, pixel_size_angstrom=1.0)
    tifffile.imwrite(tmp_path / "g.gain", gain[::-1], photometric="minisblack")
    found = read_gain(tmp_path / "g.mrc", (40, 52))
    assert found[found > 0].mean() == pytest.approx(1, rel=1e-5)
    assert found[3, 5] == 0
    np.testing.assert_allclose(found * (gain[10, 10] / found[10, 10]), gain, rtol=1e-4)
    np.testing.assert_allclose(read_gain(tmp_path / "g.gain", (40, 52)), found, rtol=1e-6)


def test_unusable_gains(tmp_path: Path) -> None:
    write_mrc(tmp_path / "g.mrc", np.ones((40, 52), np.float32), pixel_size_angstrom=1.0)
    with pytest.raises(BadFile, match=r"40 × 52.*41 × 52"):
        read_gain(tmp_path / "g.mrc", (41, 52))
    write_mrc(tmp_path / "n.mrc", -np.ones((40, 52), np.float32), pixel_size_angstrom=1.0)
    with pytest.raises(BadFile, match="negative"):
        read_gain(tmp_path / "n.mrc", (40, 52))
    with pytest.raises(BadFile, match=r"g\.dm4 cannot be read"):
        read_gain(tmp_path / "g.dm4", (40, 52))


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8"])
def test_gains_of_digital_micrograph(tmp_path: Path, version: int, dtype: str) -> None:
    image = np.random.default_rng(0).integers(1, 100, (40, 52)).astype(dtype)
    path = tmp_path / "g.dm4"
    path.write_bytes(dm_bytes(image, version=version))
    found = read_dm(path)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, image[::-1])
    gain = read_gain(path, (40, 52))
    np.testing.assert_allclose(gain * image.mean(), image[::-1], rtol=1e-4)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BadFile, match=r"g\.dm4"):
        read_dm(path)
