"""Where tilt series are taken: in foil holes of grid squares, each square on a search map of its own."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.epu.grid import HOLES_VISITED, SQUARE, Grid, Square, visited_holes

STAGE_CORRECTION: NDArray[np.float64] = -np.diag([1.0, -1.0]) @ (SQUARE.matrix / SQUARE.pixel_m)
"""S of the search maps. A stage place Δ (m) from the map's own is seen to the right and down of its middle by (d₁, −d₂)
over its pixel size, d = R⁻¹ S⁻¹ I⁻¹ R Δ, with R the map's ReferenceTransformation and I (image shift) nothing. Source:
python-murfey, which draws positions on search maps so."""

SHOT_PITCH = 1.2e-6


@dataclass(frozen=True)
class Position:
    """Where one tilt series is taken.

    Attributes
    ----------
    number : of the place of the stage, from 1.
    shot : of those that image shift takes from that place, from 0, which is the place itself.
    map_number : of the search map, from 1.
    stage : m.
    """

    number: int
    shot: int
    map_number: int
    square: Square
    stage: tuple[float, float]

    @property
    def name(self) -> str:
        """Of the series: Position_3, and Position_3_2 for the second shot."""
        return f"Position_{self.number}_{self.shot + 1}" if self.shot else f"Position_{self.number}"

    @property
    def image_shift(self) -> tuple[float, float]:
        """From the place of the stage to where the series is taken, m: shots lie around it in a ring."""
        if self.shot == 0:
            return 0.0, 0.0
        ring, along = divmod(self.shot - 1, 6)
        angle = math.radians(60 * along + 30 * ring)
        return SHOT_PITCH * (ring + 1) * math.cos(angle), SHOT_PITCH * (ring + 1) * math.sin(angle)

    @property
    def map_name(self) -> str:
        """Of the search map."""
        return f"SearchMap_{self.map_number:03d}"

    @property
    def first_of_map(self) -> bool:
        """Whether the search map shows no earlier position."""
        return self.shot == 0 and (self.number - 1) % HOLES_VISITED == 0


def position(grid: Grid, index: int, *, shots: int) -> Position:
    """Where the ``index``-th series is taken, so many from each place of the stage.

    Past the last square, the route begins again with later holes.
    """
    place, shot = divmod(index, shots)
    number, within = divmod(place, HOLES_VISITED)
    round_number, on_route = divmod(number, len(grid.route))
    square = grid.route[on_route]
    stage = visited_holes(square, round_number=round_number)[within].stage
    return Position(place + 1, shot, number + 1, square, stage)
