"""Mdocs of SerialEM and Tomography 5, and what else may come under that name."""

from datetime import datetime
from pathlib import Path

import pytest

from athena.errors import BadFile
from athena.formats.mdoc import read_mdoc, to_time

pytestmark = pytest.mark.feature("AC-03")

DATA = Path("tests/data/mdoc")


def test_a_tilt_series_of_serialem() -> None:
    found = read_mdoc(DATA / "tilt_series.mdoc")  # CRLF
    assert found.header.pixel_size_angstrom == 2.66
    assert found.header.integer("DataMode") == 6
    assert (len(found.sections), found.problems) == (5, 0)
    assert found.tilt_axis_deg == 84.3
    first = found.sections[0]
    assert (first.kind, first.index) == ("ZValue", 0)
    assert first.tilt_angle_deg == pytest.approx(-66.9998)
    assert first.dose() == pytest.approx(3.08367)
    assert first.frame_doses == ((0.1186, 26),)
    assert first.prior_dose == pytest.approx(129.755)
    assert first.frames_name == "agro-1_130_048_-67.0.tif"
    assert first.pair("StagePosition") == (4.97259, -299.41)
    # the stack is sorted by angle, the images were taken from −10° out
    assert [section.index for section in found.by_time()] == [4, 3, 2, 1, 0]


def test_frames_of_single_particles() -> None:
    found = read_mdoc(DATA / "frames.mdoc")
    assert found.titles[0].startswith("SerialEM: Digitized by Gatan K2")
    (section,) = found.sections
    assert (section.kind, section.text("DefectFile")[:7]) == ("FrameSet", "defects")
    assert section.acquired == datetime(2023, 9, 25, 14, 13, 26)
    assert found.tilt_axis_deg == pytest.approx(84.13)  # RotationAngle − 90°
    assert found.by_time() == ()


TOMO5 = """DataMode = 6
ImageSize = 4096 4096
[T = Tomography: TITAN52339070    13-Jan-2025  17:15:32]
[T =   TiltAxisAngle = -176.20  Binning = 1  SpotSize = 6]
[ZValue = 0]
TiltAngle = 1.5
PixelSpacing = 2
DoseRate = 8
ExposureTime = 0.5
TiltAngle = 3
FilterSlitAndLoss = NaN NaN
[ZValue = x]
MinMaxMean = 0 90 40
CountsPerElectron = 5
DividedBy2 = 1
PixelSpacing = 2
this is no line of it
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_tomography5_and_oddities(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.mdoc"
    path.write_bytes((TOMO5 + "NavigatorLabel = Müller\r\n").encode(encoding))
    found = read_mdoc(path)
    assert found.of_tomography5
    assert found.tilt_axis_deg == pytest.approx(86.2)
    one, other = found.sections
    assert one.tilt_angle_deg == 3  # of a repeated key the later
    assert one.numbers("FilterSlitAndLoss") == ()
    assert one.dose() == pytest.approx(1.0)  # rate × time / pixel²
    assert other.dose() == pytest.approx(4.0)  # mean / counts an electron / pixel², halved counts
    assert (other.index, found.problems, other.text("NavigatorLabel")) == (-1, 1, "Müller")


def test_times() -> None:
    assert to_time("01-Aug-22  18:58:35") == to_time("01-Aug-2022  18:58:35") == datetime(2022, 8, 1, 18, 58, 35)
    assert to_time("31-Feb-22  18:58:35") is None
    assert to_time("01-Xyz-22  18:58:35") is None


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n" * 50, b"[Nothing = 1]\n", b"x = " + b"9" * 30000, b"some text\n"]
)
def test_what_is_no_mdoc(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mdoc").write_bytes(content)
    with pytest.raises(BadFile, match=r"a\.mdoc"):
        read_mdoc(tmp_path / "a.mdoc")
    with pytest.raises(BadFile, match=r"none\.mdoc cannot be read"):
        read_mdoc(tmp_path / "none.mdoc")
