"""Values of EPU's image XML that only some versions and cameras write."""

from pathlib import Path

import pytest

from athena.formats.epu_xml_image import EpuImage, read_image

pytestmark = pytest.mark.feature("AC-01")

DEFINITION = "<b:DoseFractionDefinition><b:StartFrameNumber>1</b:StartFrameNumber></b:DoseFractionDefinition>"


def changed(krios: Path, *replacements: tuple[str, str]) -> EpuImage:
    path = next(krios.glob("Supervisor_*/Images-Disc1/*/Data/*.xml"))
    text = path.read_text(encoding="utf-8-sig")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return read_image(path)


def test_uneven_fractions_are_counted(krios: Path) -> None:
    image = changed(
        krios,
        ("b:EquidistantFractionation", "b:VaridistantFractionation"),
        ("<b:NumberOffractions>50</b:NumberOffractions>", DEFINITION * 3),
    )
    assert image.fractions == 3


def test_dose_is_taken_from_the_camera_when_it_is_not_said(krios: Path) -> None:
    said = changed(krios).total_dose
    image = changed(krios, ("<a:Key>Dose</a:Key>", "<a:Key>Other</a:Key>"))
    assert image.dose_e_per_m2 is None
    assert image.total_dose == pytest.approx(said, rel=0.01)
    neither = changed(krios, ("<a:Key>DoseOnCamera</a:Key>", "<a:Key>Another</a:Key>"))
    assert neither.total_dose is None


def test_missing_and_meaningless_values_are_none(krios: Path) -> None:
    image = changed(
        krios,
        ("<X>0.00026798730680000003</X>", "<X>NaN</X>"),
        ("_m11>", "_none>"),
        ("<AccelerationVoltage>300000</AccelerationVoltage>", "<AccelerationVoltage>0</AccelerationVoltage>"),
        ("<EnergySelectionSlitInserted>true", "<EnergySelectionSlitInserted>false"),
        ("<a:Key>DetectorCommercialName</a:Key>", "<a:Key>Unknown</a:Key>"),
    )
    assert image.stage is image.matrix is image.voltage_v is image.slit_ev is None
    assert image.camera == "BioQuantum K3"


def test_where_a_hole_was_found(krios: Path) -> None:
    found = "<Center><x>1440.5</x><y>1000.25</y></Center>"
    image = changed(
        krios,
        (
            "</CustomData>",
            "<a:KeyValueOfstringanyType><a:Key>FindFoilHoleCenterResults</a:Key>"
            f"<a:Value>{found}</a:Value></a:KeyValueOfstringanyType></CustomData>",
        ),
    )
    assert image.hole_centre == (1440.5, 1000.25)
