"""Where squares, holes and exposures lie: stage and pixel places of a simulated grid.

Stage places are metres. Every image maps to the stage as EPU's do: ``S(p) = S_image − pixel · R · (p − p_c)``, with R a
rotation and mirror, p in pixels, x right and y down.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageGeometry:
    """Size, pixel size (m) and turn of one kind of image."""

    width: int
    height: int
    pixel_m: float
    turn_rad: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Metres per pixel, (2, 2): symmetric, determinant < 0."""
        c, s = math.cos(self.turn_rad), math.sin(self.turn_rad)
        return self.pixel_m * np.array([[c, s], [s, -c]])

    def to_pixel(self, stage: tuple[float, float], centre: tuple[float, float]) -> tuple[float, float]:
        """Pixel of a stage place in an image taken at stage ``centre``."""
        offset = self.matrix / self.pixel_m**2 @ (np.array(stage) - np.array(centre))
        return self.width / 2 - float(offset[0]), self.height / 2 - float(offset[1])

    def to_stage(self, pixel: tuple[float, float], centre: tuple[float, float]) -> tuple[float, float]:
        """Stage place of a pixel of an image taken at stage ``centre``."""
        offset = self.matrix @ (np.array(pixel) - np.array([self.width / 2, self.height / 2]))
        return centre[0] - float(offset[0]), centre[1] - float(offset[1])


ATLAS = ImageGeometry(4005, 3970, 4.8e-7, 0.06)
SQUARE = ImageGeometry(2880, 2046, 2.5e-8, 0.06)
HOLE = ImageGeometry(2880, 2046, 1.25e-9, 0.06 + math.pi)

MESH_PITCH = 1.25e-4
SQUARE_EDGE = 5.5e-5
HOLE_PITCH = 4e-6
HOLE_DIAMETER = 2e-6
HOLES_ACROSS = 9
AREA_SHIFTS = ((-330.0, 190.0), (330.0, -190.0), (0.0, -400.0))
"""Exposures of a hole: offsets from its centre, px of the hole image."""
HOLES_VISITED = 6
"""Holes of a square that are exposed before the next square is opened."""


@dataclass(frozen=True)
class Hole:
    """A foil hole."""

    id: int
    stage: tuple[float, float]
    pixel: tuple[float, float]
    number: int
    """In its square, row by row."""


@dataclass(frozen=True)
class Square:
    """A grid square. ``category`` 0 is broken or empty, 1 usable."""

    id: int
    stage: tuple[float, float]
    atlas_pixel: tuple[float, float]
    category: int
    number: int

    @cached_property
    def holes(self) -> tuple[Hole, ...]:
        """All holes, row by row."""
        found = []
        reach = (HOLES_ACROSS - 1) / 2
        for k in range(HOLES_ACROSS**2):
            row, column = divmod(k, HOLES_ACROSS)
            stage = (
                self.stage[0] + (column - reach) * HOLE_PITCH,
                self.stage[1] + (row - reach) * HOLE_PITCH,
            )
            found.append(Hole(21_000_000 + self.number * 1000 + k, stage, SQUARE.to_pixel(stage, self.stage), k))
        return tuple(found)


@dataclass(frozen=True)
class Place:
    """Where one exposure is taken."""

    square: Square
    hole: Hole
    area: int

    @property
    def area_id(self) -> int:
        """Key of the data acquisition area."""
        return 20_500_000 + 3 * self.area

    @property
    def area_offset_m(self) -> tuple[float, float]:
        """From the middle of the hole to that of the exposure, m to the right and up in their images."""
        right, down = AREA_SHIFTS[self.area]
        return right * HOLE.pixel_m, -down * HOLE.pixel_m

    @property
    def first_of_square(self) -> bool:
        """Whether the square is imaged before this exposure."""
        return self.first_of_hole and self.hole.id == visited_holes(self.square)[0].id

    @property
    def first_of_hole(self) -> bool:
        """Whether the hole is imaged before this exposure."""
        return self.area == 0


class Grid:
    """A grid with its squares in the order in which they are visited.

    Parameters
    ----------
    seed : decides which squares are broken.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 7])
        reach = 6
        squares: list[Square] = []
        for row in range(-reach, reach + 1):
            for column in range(-reach, reach + 1):
                stage = (column * MESH_PITCH, row * MESH_PITCH)
                if math.hypot(*stage) > 8.2e-4:
                    continue
                number = len(squares)
                category = 0 if rng.random() < 0.2 else 1
                pixel = ATLAS.to_pixel(stage, (0.0, 0.0))
                squares.append(Square(20_000_001 + 2 * number, stage, pixel, category, number))
        self.squares = tuple(squares)
        usable = [square for square in squares if square.category == 1]
        self.route = tuple(sorted(usable, key=lambda square: math.hypot(*square.stage)))

    def place(self, index: int) -> Place:
        """Where the ``index``-th exposure is taken; past the last square, the route begins again with later holes."""
        areas = len(AREA_SHIFTS)
        number, within = divmod(index, HOLES_VISITED * areas)
        visited = visited_holes(self.route[number % len(self.route)], round_number=number // len(self.route))
        return Place(self.route[number % len(self.route)], visited[within // areas], within % areas)


def visited_holes(square: Square, *, round_number: int = 0) -> tuple[Hole, ...]:
    """Holes of a square that are exposed, in order, in the ``round_number``-th visit."""
    order = np.random.default_rng([square.number, 11]).permutation(len(square.holes))
    start = (round_number * HOLES_VISITED) % (len(order) - HOLES_VISITED)
    return tuple(square.holes[k] for k in sorted(order[start : start + HOLES_VISITED]))
