"""Values of an exposure's metadata that cannot be: named, not used, and nothing put in their place."""

import re
from pathlib import Path

import pytest

from athena.contract.acquisitions import DiscoveredExposure, Optics
from athena.db.acquisitions import AcquisitionRow
from athena.ingest.epu import EpuAdapter
from athena.ingest.registrar import fill_in
from athena.jobs.plan import NoPixelSize, make_task

pytestmark = pytest.mark.feature("AC-01")

PIXEL = r"(<pixelSize>\s*<x>\s*<numericValue>)[^<]*"
VOLTAGE = r"(<AccelerationVoltage>)[^<]*"
EXPOSURE = r"(<camera>.*?<ExposureTime>)[^<]*"
DEFOCUS = r"(<a:Key>AppliedDefocus</a:Key><a:Value[^>]*>)[^<]*"
DOSE = r"(<a:Key>Dose</a:Key><a:Value[^>]*>)[^<]*"
CAMERA_DOSE = r"(<a:Key>DoseOnCamera</a:Key><a:Value[^>]*>)[^<]*"
SLIT = r"(<EnergySelectionSlitWidth>)[^<]*"
SHIFT = r"(<BeamShift[^>]*><[a-z:]*_x>)[^<]*"


def spoilt(krios: Path, *changes: tuple[str, str]) -> DiscoveredExposure:
    """The only exposure of the session, with texts of its XML replaced."""
    path = next(krios.glob("Supervisor_*/Images-Disc1/*/Data/*.xml"))
    text = path.read_text(encoding="utf-8-sig")
    for pattern, value in changes:
        text, count = re.subn(pattern, rf"\g<1>{value}", text, count=1, flags=re.DOTALL)
        assert count == 1, pattern
    path.write_text(text, encoding="utf-8")
    (exposure,) = EpuAdapter().scan(next(krios.glob("Supervisor_*"))).exposures
    return exposure


def test_nothing_is_in_doubt_in_real_sessions(krios: Path, falcon3: Path, falcon4i: Path) -> None:
    exposures = [*EpuAdapter().scan(next(krios.glob("Supervisor_*"))).exposures]
    exposures += [*EpuAdapter().scan(falcon3).exposures, *EpuAdapter().scan(falcon4i).exposures]
    assert len(exposures) > 5
    assert [exposure.optics.doubts for exposure in exposures] == [()] * len(exposures)


@pytest.mark.parametrize(
    ("pattern", "said", "name", "words"),
    [
        (PIXEL, "1", "pixel_size_angstrom", r"1e\+10 Å cannot be"),
        (PIXEL, "0", "pixel_size_angstrom", "0 Å cannot be"),
        (PIXEL, "-1e-10", "pixel_size_angstrom", "-1 Å cannot be"),
        (PIXEL, "NaN", "pixel_size_angstrom", "no finite number"),
        (PIXEL, "", "pixel_size_angstrom", "does not say the pixel size"),
        (VOLTAGE, "0", "voltage_kv", "0 kV cannot be"),
        (VOLTAGE, "high", "voltage_kv", "no number"),
        (EXPOSURE, "-2", "exposure_time_s", "-2 s cannot be"),
        (DEFOCUS, "0.5", "target_defocus_um", "500000 µm cannot be"),
        (DEFOCUS, "INF", "target_defocus_um", "no finite number"),
        (SLIT, "1e9", "energy_slit_ev", "cannot be"),
        (SHIFT, "NaN", "beam_shift", "not two numbers"),
    ],
)
def test_what_cannot_be_is_named_and_not_used(krios: Path, pattern: str, said: str, name: str, words: str) -> None:
    exposure = spoilt(krios, (pattern, said))
    doubts = {doubt.name: doubt for doubt in exposure.optics.doubts}
    assert re.search(words, doubts[name].reason), doubts[name].reason
    assert said in doubts[name].said
    value = exposure.optics.beam_shift_x if name == "beam_shift" else getattr(exposure.optics, name)
    assert value is None
    # all else stays; a camera's dose can be had from the pixel size alone
    assert set(doubts) - {name} <= {"total_dose_e_per_A2"}
    assert exposure.optics.energy_slit_inserted is True


def test_a_dose_of_zero_is_not_taken_for_one(krios: Path) -> None:
    exposure = spoilt(krios, (DOSE, "0"), (CAMERA_DOSE, "0"))
    assert exposure.optics.total_dose_e_per_A2 is None
    assert {doubt.name for doubt in exposure.optics.doubts} == {"total_dose_e_per_A2", "dose_on_camera_e_per_px"}
    disagree = spoilt(krios, (DOSE, "5e21"), (CAMERA_DOSE, "1"))
    (doubt,) = disagree.optics.doubts
    assert "one of them is wrong" in doubt.reason
    assert disagree.optics.total_dose_e_per_A2 == pytest.approx(50)


def test_processing_says_what_is_missing_until_the_metadata_mends(krios: Path) -> None:
    exposure = spoilt(krios, (PIXEL, "1"))
    row = AcquisitionRow(name=exposure.name, movie="/a.tiff", files={}, optics={}, flags=[], attempts=0)
    assert fill_in(row, exposure)
    with pytest.raises(NoPixelSize, match=r"A pixel size of 1e\+10 Å cannot be"):
        make_task(row, parameters={}, source=None, store="/store")
    mended = exposure.model_copy(update={"optics": Optics(pixel_size_angstrom=0.8)})
    assert fill_in(row, mended)
    assert Optics.model_validate(row.optics).doubts == ()
    assert row.optics["pixel_size_angstrom"] == 0.8
