"""Defect files of every kind mark the same pixels, in the rows of an MRC file."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from athena.contract.processing import MovieParameters
from athena.errors import BadFile
from athena.formats.defects import read_defects
from athena.formats.gain import read_reference
from athena.formats.mrc import write_mrc
from athena_pipelines.steps.load import load_movie

pytestmark = pytest.mark.feature("EQ-01", "AC-03")

SHAPE = (80, 96)
SERIALEM = """CameraSizeX 96
CameraSizeY 80
RotationAndFlip 0
WasScaled 0
K2Type 1
UsableArea 0 0 80 96
PartialBadColumn 70 2 10 50
PartialBadRow 60 1 5 8
BadPixels 5 7 60 61
BadColumns 10 11
BadRows 40
"""


def expected() -> np.ndarray:
    """What the list says, first row at the top."""
    mask = np.zeros(SHAPE, bool)
    mask[10:51, 70:72] = mask[60, 5:9] = mask[7, 5] = mask[61, 60] = mask[:, 10:12] = mask[40] = True
    return mask


def write(tmp_path: Path, text: str, name: str = "defects.txt") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_a_list_of_serialem_counts_from_the_top(tmp_path: Path) -> None:
    path = write(tmp_path, SERIALEM.replace("\n", "\r\n"))
    np.testing.assert_array_equal(read_defects(path, SHAPE), expected()[::-1])
    finer = read_defects(path, (160, 192))  # super-resolution: each a block of two by two
    np.testing.assert_array_equal(finer, expected()[::-1].repeat(2, axis=0).repeat(2, axis=1))
    np.testing.assert_array_equal(
        read_defects(write(tmp_path, "CameraSizeX 192\nCameraSizeY 160\nWasScaled 1\nBadPixels 10 14\n"), SHAPE)[::-1],
        np.pad([[True]], ((7, 72), (5, 90))),
    )
    with pytest.raises(BadFile, match="160 × 192 px, the frames are 50 × 96"):
        read_defects(path, (50, 96))


def test_rectangles_xml_and_images_lie_as_relion_has_them(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[3:6, 10:30] = mask[20] = True
    np.testing.assert_array_equal(read_defects(write(tmp_path, "10 3 20 3\n# a row\n0 20 96 1\n"), SHAPE), mask)
    xml = "<defects><area>10,3,29,5</area><row>20-20</row></defects>"
    np.testing.assert_array_equal(read_defects(write(tmp_path, xml, "d.xml"), SHAPE), mask)
    write_mrc(tmp_path / "d.mrc", mask.astype("int8"), pixel_size_angstrom=1.0)
    np.testing.assert_array_equal(read_defects(tmp_path / "d.mrc", SHAPE), mask)
    tifffile.imwrite(tmp_path / "d.tif", mask[::-1].astype("u1"), photometric="minisblack")
    np.testing.assert_array_equal(read_defects(tmp_path / "d.tif", SHAPE), mask)
    np.testing.assert_array_equal(read_defects(tmp_path / "d.tif", (40, 48))[::-1][:, 5:15].any(axis=1).sum(), 3)


@pytest.mark.parametrize(
    "text",
    ["", "hello\n", "1 2 3\n", "1 2 3 -4\n", "<a/>", "<defects>", "0 0 96 80\n", "BadPixels 1 x\n", "BadRows 1e9\n"],
)
def test_what_is_no_list_of_defects(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFile, match=r"d\.txt"):
        read_defects(write(tmp_path, text, "d.txt"), SHAPE)


def test_defects_are_repaired_before_all_else(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(2.0, (5, *SHAPE)).astype(np.uint8)
    counts[:, 30, 40] = 3  # not so bright that it would be found
    tifffile.imwrite(tmp_path / "m.tiff", counts[:, ::-1], photometric="minisblack")
    path = write(tmp_path, "40 30 1 1\n")
    parameters = MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0)
    loaded = load_movie(str(tmp_path / "m.tiff"), None, parameters, str(path))
    assert [30, 40] in loaded.frames.repaired.tolist()
    assert loaded.frames.stack[:, 30, 40].tolist() != [3] * 5


def test_a_gain_of_thermo_fisher_lists_defects_itself(tmp_path: Path) -> None:
    gain = np.ones((48, 64), np.float32)
    xml = b"<defects><col>7</col><point>20,3</point></defects>\0"
    tifffile.imwrite(tmp_path / "a.gain", gain, extratags=[(65100, 7, len(xml), xml, True)])
    found = read_reference(tmp_path / "a.gain", of_eer=True).image
    wanted = np.ones((48, 64))
    wanted[:, 7] = wanted[3, 20] = 0
    np.testing.assert_array_equal(found, wanted)
