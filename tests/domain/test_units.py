"""Quantities and units: the catalogue is what pint says, and conversions are right."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.domain import quantities, units
from athena.domain.registry import ureg
from athena.errors import Invalid

PAIRS = [(one, unit, other) for one in units.catalogue() for unit in one.units for other in one.units]


@pytest.mark.feature("MD-03")
def test_catalogue_is_current_and_large() -> None:
    assert files("athena.domain").joinpath("quantities.json").read_text(encoding="utf-8") == quantities.build()
    catalogue = units.catalogue()
    assert len(catalogue) >= 60
    assert len({one.key for one in catalogue}) == len(catalogue)
    labels = {one.label for one in catalogue}
    assert {"Acceleration", "Acidity", "Angle", "Amount of substance", "Amplitude ratio", "Length"} <= labels
    for one in catalogue:
        symbols = [units.spelled(unit.symbol) for unit in one.units]
        assert len(set(symbols)) == len(symbols), one.label
        for unit in one.units:
            for text in (unit.symbol, unit.name, *unit.aliases):
                assert one.unit(text) is unit, f"{one.label}: {text}"


@pytest.mark.feature("MD-03")
@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-200))
def test_conversions_agree_with_pint_and_go_back(
    pair: tuple[units.Quantity, units.Unit, units.Unit], value: float
) -> None:
    # values so small that their base unit's number has lost its digits are no measurements
    quantity, source, target = pair
    there = units.convert(value, quantity.key, unit=source.symbol, to=target.symbol)
    back = units.convert(there, quantity.key, unit=target.symbol, to=source.symbol)
    # an offset swallows the digits of values much smaller than itself
    lost = 1e-9 * (abs(source.offset) + abs(target.offset)) / source.factor
    assert back == pytest.approx(value, rel=1e-9, abs=lost + 1e-300)
    if source.pint not in quantities.LOGARITHMIC:
        expected = ureg.Quantity(value, source.pint).to(target.pint).magnitude
        assert there == pytest.approx(expected, rel=1e-9, abs=1e-9 * abs(target.offset / target.factor) + 1e-300)


@pytest.mark.feature("MD-03")
@pytest.mark.parametrize(
    ("quantity", "value", "unit", "to", "expected"),
    [
        ("temperature", 25, "°C", "°F", 77),
        ("temperature", -180, "degC", "K", 93.15),
        ("Temperature difference", 10, "Δ°C", "K", 10),
        ("length", 1.2, "um", "Å", 12000),
        ("length", 1.2, "μm", "angstrom", 12000),
        ("angle", 90, "degrees", "rad", 1.5707963267948966),
        ("amplitude_ratio", 1, "Np", "dB", 8.685889638),
        ("electron_dose", 40, "e/A^2", "e⁻/nm²", 4000),
        ("magnetic_flux_density", 1, "T", "G", 10000),
        ("partial_specific_volume", 0.73, "mL/g", "m³/kg", 0.00073),
        ("acidity", 7.4, "pH", "pH", 7.4),
    ],
)
def test_known_conversions(quantity: str, value: float, unit: str, to: str, expected: float) -> None:
    assert units.convert(value, quantity, unit=unit, to=to) == pytest.approx(expected, rel=1e-9)


@pytest.mark.feature("MD-03")
@pytest.mark.parametrize(
    ("typed", "label"),
    [("acc", "Acceleration"), ("amo sub", "Amount of substance"), ("µm", "Length"), ("pH", "Acidity")],
)
def test_quantities_are_found_by_typing(typed: str, label: str) -> None:
    assert label in [one.label for one in units.search_quantities(typed)]


def test_what_is_unknown_is_refused_with_what_there_is() -> None:
    with pytest.raises(Invalid, match="Its units: °"):
        units.convert(1, "angle", unit="kV", to="°")
    with pytest.raises(Invalid, match="no physical quantity"):
        units.get_quantity("sadness")
    with pytest.raises(Invalid, match="too large"):
        units.convert(1e308, "length", unit="km", to="pm")
    assert units.search_quantities("sadness") == ()
