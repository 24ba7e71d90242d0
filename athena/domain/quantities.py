"""Makes ``quantities.json`` of ``quantities.txt`` with pint's definitions: ``python -m athena.domain.quantities``."""

import json
import math
import re
import sys
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from athena.domain.registry import make_registry, ureg
from athena.domain.units import key_of

LOGARITHMIC = {"decibel": 1.0, "neper": 20 / math.log(10)}
"""Units on a scale of their own, in decibels: 3 dB is stored and compared as 3, not as a ratio of 2."""

_UNIT = re.compile(r"^(?P<name>[^=(]+) (?P<symbol>[^\s=(]+)(?: = (?P<pint>[^\s(]+))?(?: \((?P<aliases>[^()]*)\))?$")


def build() -> str:
    """The catalogue as JSON text.

    Raises
    ------
    ValueError : a line cannot be read, pint does not know a unit, or a unit is not one of its quantity.
    """
    text = files("athena.domain").joinpath("quantities.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return json.dumps([_quantity(line) for line in lines], ensure_ascii=False, indent=1) + "\n"


def _quantity(line: str) -> dict[str, Any]:
    label, _, listed = line.partition(": ")
    parts = [_parts(part.strip(), label) for part in listed.split(";")]
    base = parts[0]["pint"]
    dimension = str(ureg.Unit(base).dimensionality)
    return {
        "key": key_of(label),
        "label": label,
        "dimension": dimension,
        "units": [{**part, **_scale(part["pint"], base, label)} for part in parts],
    }


def _parts(text: str, label: str) -> dict[str, Any]:
    match = _UNIT.match(text)
    if match is None:
        raise ValueError(f"{label}: {text!r} is not 'name symbol'")
    name, symbol = match["name"], match["symbol"]
    known = match["pint"] or (name if " " not in name else symbol)
    aliases = [alias.strip() for alias in (match["aliases"] or "").split(",") if alias.strip()]
    return {"symbol": symbol, "name": name, "pint": known, "aliases": aliases}


@cache
def _exact() -> Any:
    """Registry that computes in fractions, so that 25 °C is 77 °F and no hair more."""
    return make_registry(non_int_type=Fraction)


def _scale(unit: str, base: str, label: str) -> dict[str, float]:
    if unit in LOGARITHMIC:
        return {"factor": LOGARITHMIC[unit], "offset": 0.0}
    exact = _exact()
    if exact.Unit(unit).dimensionality != exact.Unit(base).dimensionality:
        raise ValueError(f"{label}: {unit} is no unit of it")
    zero, one = (exact.Quantity(Fraction(value), unit).to(base).magnitude for value in (0, 1))
    return {"factor": float(one - zero), "offset": float(zero)}


if __name__ == "__main__":
    Path(str(files("athena.domain").joinpath("quantities.json"))).write_text(build(), encoding="utf-8")
    sys.exit(0)
