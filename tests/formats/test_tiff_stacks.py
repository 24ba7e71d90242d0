"""What TIFF files of many images say of them: volumes, movies, and how large a voxel is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from athena.errors import BadFile, Invalid, TooLarge
from athena.formats import tiff_stacks
from athena.formats.sections import open_volume
from athena.formats.tiff_stacks import TiffStack, read_tiff_stack

pytestmark = pytest.mark.feature("WS-06")
SIZES = {f"PhysicalSize{axis}": 0.84 for axis in "XYZ"}
NM = {f"PhysicalSize{axis}Unit": "nm" for axis in "XYZ"}


def written(path: Path, shape: tuple[int, ...] = (12, 20, 30), **how: Any) -> TiffStack:
    tifffile.imwrite(path, np.zeros(shape, np.uint8), photometric="minisblack", **how)
    with open_volume(path) as volume:
        stack = read_tiff_stack(path)
        assert volume.pixel_size_angstrom == stack.pixel_size_angstrom
    return stack


def imagej(axes: str = "ZYX", **told: Any) -> dict[str, Any]:
    return {"imagej": True, "metadata": {"axes": axes} | told}


@pytest.mark.parametrize(
    ("how", "size"),
    [
        (imagej(unit="nm", spacing=1.68) | {"resolution": (1 / 1.68, 1 / 1.68)}, 16.8),
        (imagej(unit="micron", spacing=0.002) | {"resolution": (500, 500)}, 20),
        (imagej(unit="\\u00B5m", spacing=0.002) | {"resolution": (500, 500)}, 20),
        (imagej(unit="nm") | {"resolution": (2, 2)}, 5),
        # voxels that are no cubes, units of print, and no unit
        (imagej(unit="nm", spacing=5) | {"resolution": (1, 1)}, 0),
        (imagej(unit="inch", spacing=1 / 300) | {"resolution": (300, 300)}, 0),
        (imagej(spacing=1) | {"resolution": (1, 1)}, 0),
        ({"ome": True, "metadata": {"axes": "ZYX"} | SIZES | NM}, 8.4),
        ({"ome": True, "metadata": {"axes": "ZYX"} | SIZES}, 8400),
        ({"ome": True, "metadata": {"axes": "ZYX"} | SIZES | NM | {"PhysicalSizeZ": 2}}, 0),
        ({"ome": True, "metadata": {"axes": "ZYX"}}, 0),
        ({"resolution": (300, 300)}, 0),
        ({"description": "ImageJ=1.54\nimages=12\nunit=nm\nspacing=nan"} | {"resolution": (1, 1), "metadata": None}, 0),
        ({"description": "<?xml version='1.0'?><OME><Pixels", "metadata": None}, 0),
    ],
)
def test_the_voxel_is_what_imagej_or_ome_say(tmp_path: Path, how: dict[str, Any], size: float) -> None:
    stack = written(tmp_path / "a.tif", **how)
    assert stack.pixel_size_angstrom == pytest.approx(size, rel=1e-3)
    assert stack.is_volume


@pytest.mark.parametrize(
    ("shape", "how", "volume", "movie", "mixed"),
    [
        ((12, 20, 30), {}, True, False, False),
        ((12, 20, 30), imagej("TYX"), False, True, False),
        ((12, 20, 30), {"ome": True, "metadata": {"axes": "TYX"}}, False, True, False),
        # by default tifffile writes the sections of an ImageJ file as channels
        ((12, 20, 30), {"imagej": True}, True, False, False),
        ((6, 2, 20, 30), imagej("ZCYX"), False, False, True),
        ((6, 2, 20, 30), {"ome": True, "metadata": {"axes": "TZYX"}}, False, False, True),
        # far wider than deep: a movie, but small enough to be looked at all the same
        ((3, 200, 300), {}, True, True, False),
        ((3, 200, 300), imagej(), True, False, False),
        ((1, 20, 30), {}, False, True, False),
        # what it says is of another file
        ((12, 20, 30), {"description": "ImageJ=1\nslices=4\nframes=4", "metadata": None}, True, False, False),
    ],
)
def test_sections_are_told_from_moments(
    tmp_path: Path, shape: tuple[int, ...], how: dict[str, Any], volume: bool, movie: bool, mixed: bool
) -> None:
    stack = written(tmp_path / "a.tif", shape, **how)
    assert (stack.is_volume, stack.is_movie, stack.mixed) == (volume, movie, mixed)


def test_what_is_no_volume_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed, film, marked = tmp_path / "mixed.tif", tmp_path / "film.tif", tmp_path / "volume.tif"
    written(mixed, (6, 2, 20, 30), **imagej("ZCYX"))
    written(film, (3, 200, 300))
    written(marked, (3, 200, 300), **imagej())
    with open_volume(mixed) as volume, pytest.raises(Invalid, match="6 sections × 2 channels"):
        volume.check_solid()
    with open_volume(film) as volume:
        volume.check_solid()
    monkeypatch.setattr(tiff_stacks, "MOVIE_VOXELS", 100_000)
    with (
        open_volume(film) as volume,
        pytest.raises(TooLarge, match=r"movie rather than a volume: 3 frames of 200 × 300"),
    ):
        volume.check_solid()
    assert not read_tiff_stack(film).is_volume
    with open_volume(marked) as volume:  # its slices are said
        volume.check_solid()
    (tmp_path / "cut.tif").write_bytes(film.read_bytes()[:90_000])
    (tmp_path / "text.tif").write_text("no image")
    for name in ("cut.tif", "text.tif"):
        with pytest.raises(BadFile, match=name):
            read_tiff_stack(tmp_path / name)


def test_colours_are_one_picture(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((4, 20, 30, 3), np.uint8), photometric="rgb")
    assert not read_tiff_stack(tmp_path / "rgb.tif").is_volume
