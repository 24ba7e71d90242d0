"""Where tilt series are taken: in foil holes of grid squares, each square on a search map of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.epu.grid import HOLES_VISITED, SQUARE, Grid, Square, visited_holes

STAGE_CORRECTION: NDArray[np.float64] = -np.diag([1.0, -1.0]) @ (SQUARE.matrix / SQUARE.pixel_m)
"""S of the search maps. A stage place Δ (m) from the map's own is seen to the right and down of its middle by (d₁, −d₂)
over its pixel size, d = R⁻¹ S⁻¹ I⁻¹ R Δ, with R the map's ReferenceTransformation and I (image shift) nothing. Source:
python-murfey, which draws positions on search maps so."""


@dataclass(frozen=True)
class Position:
    """Where one tilt series is taken.

    Attributes
    ----------
    number : from 1.
    map_number : of the search map, from 1.
    stage : m.
    """

    number: int
    map_number: int
    square: Square
    stage: tuple[float, float]

    @property
    def name(self) -> str:
        """Of the series."""
        return f"Position_{self.number}"

    @property
    def map_name(self) -> str:
        """Of the search map."""
        return f"SearchMap_{self.map_number:03d}"

    @property
    def first_of_map(self) -> bool:
        """Whether the search map shows no earlier position."""
        return (self.number - 1) % HOLES_VISITED == 0


def position(grid: Grid, index: int) -> Position:
    """Where the ``index``-th series is taken; past the last square, the route begins again with later holes."""
    number, within = divmod(index, HOLES_VISITED)
    round_number, on_route = divmod(number, len(grid.route))
    square = grid.route[on_route]
    return Position(index + 1, number + 1, square, visited_holes(square, round_number=round_number)[within].stage)
