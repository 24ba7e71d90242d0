"""Where the stage and the beam are at an exposure: the pattern that makes optics groups."""

from dataclasses import dataclass

import numpy as np

from athena_pipelines.simulate.epu.grid import AREA_SHIFTS, HOLE_PITCH, HOLES_ACROSS, Place

CLUSTER_HOLES = 3
"""Holes across a cluster that the beam reaches while the stage stays in its middle."""
UNITS_PER_M = 2e4
"""Beam shift as EPU writes it, lens units for a metre on the specimen: clusters of 8 µm give ± 0.1."""
SCATTER_M = 3e-8
"""By how much the found middle of a hole is off its lattice."""
_TEMPLATE_UNITS = 2e-4
_SCATTER = 29


@dataclass(frozen=True)
class Beam:
    """Stage and beam of one exposure.

    Attributes
    ----------
    stage : place of the stage, m.
    shift : of the beam, in units of the lens.
    optics_group : from 1; exposures of the same group have the same place in the pattern of beam shifts.
    """

    stage: tuple[float, float]
    shift: tuple[float, float]
    optics_group: int


def point_beam(place: Place, *, afis: bool, seed: int) -> Beam:
    """Stage and beam of an exposure.

    Parameters
    ----------
    afis : whether the beam goes to the holes of a cluster while the stage stays; else the stage goes to each hole.
    """
    shift = AREA_SHIFTS[place.area]
    if not afis:
        return Beam(place.hole.stage, (shift[0] * _TEMPLATE_UNITS, shift[1] * _TEMPLATE_UNITS), place.area + 1)
    row, column = (number % CLUSTER_HOLES for number in divmod(place.hole.number, HOLES_ACROSS))
    middle = CLUSTER_HOLES // 2
    rng = np.random.default_rng([seed, place.hole.id, place.area, _SCATTER])
    along_x, along_y = ((column - middle) * HOLE_PITCH, (row - middle) * HOLE_PITCH)
    stage = (place.hole.stage[0] - along_x, place.hole.stage[1] - along_y)
    off_x, off_y = rng.normal(0, SCATTER_M, 2) + place.area_offset_m
    group = 1 + place.area + len(AREA_SHIFTS) * (column + CLUSTER_HOLES * row)
    return Beam(stage, (float(along_x + off_x) * UNITS_PER_M, float(along_y + off_y) * UNITS_PER_M), group)
