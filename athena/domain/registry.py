"""The pint registry of Athena; importing it costs half a second, so only what needs pint does."""

from typing import Any

import pint

DEFINITIONS = (
    "electron = []",
    "acidity = [] = pH",
    "dioptre = 1 / metre",
    "part_per_billion = 1e-9",
    "kilofold = 1000",
    "pi_radian = 3.141592653589793 * radian",
    "tesla_gauss = 1e-4 * tesla",  # pint's own gauss belongs to a system in which it is no part of a tesla
)
"""Units people at a microscope use that pint lacks, or means otherwise."""


def make_registry(**options: Any) -> pint.UnitRegistry[Any]:
    """A registry with Athena's own units beside pint's."""
    made: pint.UnitRegistry[Any] = pint.UnitRegistry(**options)
    for definition in DEFINITIONS:
        made.define(definition)
    return made


ureg = make_registry()
"""The one registry of this process: quantities of two registries cannot be computed with."""
