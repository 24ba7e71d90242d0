"""What is in the beam: a slab of vitreous ice, molecules at all heights in it, gold beads on its faces."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from athena_pipelines.simulate.tomo.geometry import View

CLOSEST = 0.95
"""Molecules are as far apart as so many of their diameters at least."""
_TRIES = 20


@dataclass(frozen=True)
class Sample:
    """A slab; places are Å from its middle, see ``View``.

    Attributes
    ----------
    x_tilt_deg, y_tilt_deg : how it lies in the holder.
    molecules : (n, 3) middles of the molecules.
    turns : (n,) from the structure, its atoms' mean in the origin, to how each molecule lies.
    beads : (m, 3) middles of the gold beads.
    bead_diameters : (m,) Å.
    """

    thickness_angstrom: float
    x_tilt_deg: float
    y_tilt_deg: float
    molecules: NDArray[np.float64]
    turns: Rotation
    beads: NDArray[np.float64]
    bead_diameters: NDArray[np.float64]


def needed_extent(
    shape: tuple[int, int], pixel_size_angstrom: float, view: View, *, steepest_deg: float, thickness_angstrom: float
) -> tuple[float, float]:
    """How far a slab has to reach along x and y from its middle, Å, to fill every image of (h, w) px.

    Parameters
    ----------
    view : direction of the axis, and how the slab lies.
    steepest_deg : largest tilt of the stage, without sign.
    """
    height, width = (size * pixel_size_angstrom / 2 for size in shape)
    axis = math.radians(view.axis_deg)
    across = width * abs(math.cos(axis)) + height * abs(math.sin(axis))
    along = width * abs(math.sin(axis)) + height * abs(math.cos(axis))
    slab = math.radians(steepest_deg + abs(view.y_tilt_deg))
    lean = math.radians(abs(view.x_tilt_deg))
    x = (across + thickness_angstrom / 2 * math.sin(slab) + along * math.tan(lean) * math.sin(slab)) / math.cos(slab)
    y = (along + thickness_angstrom / 2 * math.sin(lean)) / math.cos(lean)
    return x, y


def place_molecules(
    rng: np.random.Generator,
    extent: tuple[float, float],
    *,
    thickness_angstrom: float,
    diameter_angstrom: float,
    concentration: float,
) -> NDArray[np.float64]:
    """Random middles of spheres that lie in the slab and do not overlap, (n, 3) Å; in thinner ice, half way down."""
    room = max(0.0, thickness_angstrom - diameter_angstrom) / 2
    reach = np.array([*extent, room])
    volume = 4 * extent[0] * extent[1] * thickness_angstrom
    wanted = round(concentration * volume / (math.pi * diameter_angstrom**3 / 6))
    found = np.empty((0, 3))
    # candidates that come too near to what is there, or to an earlier one among them, are thrown away
    for _ in range(_TRIES):
        missing = wanted - len(found)
        if missing <= 0:
            break
        places = np.vstack([found, rng.uniform(-reach, reach, (missing, 3))])
        pairs = cKDTree(places).query_pairs(CLOSEST * diameter_angstrom, output_type="ndarray")
        keep = np.ones(len(places), dtype=bool)
        keep[pairs.max(axis=1)] = False
        found = places[keep]
    return found


def draw_beads(
    rng: np.random.Generator,
    extent: tuple[float, float],
    *,
    thickness_angstrom: float,
    in_image: int,
    image_area: float,
    diameter_angstrom: tuple[float, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles (n, 3) and diameters (n,) of beads that lie on both faces of the slab, Å.

    Parameters
    ----------
    in_image : how many lie on so much of it as an image shows from above.
    image_area : of that image, Å².
    """
    count = round(in_image * 4 * extent[0] * extent[1] / image_area)
    diameters = rng.uniform(*diameter_angstrom, count)
    sides = rng.choice([-1.0, 1.0], count)
    flat = rng.uniform(-1, 1, (count, 2)) * np.array(extent)
    return np.column_stack([flat, sides * (thickness_angstrom + diameters) / 2]), diameters
