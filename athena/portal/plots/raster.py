"""Many points as a small picture: where they are dense, and which of them a filter keeps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 600, 110
"""Pixels of a picture: about those of a chart on a small screen."""
KEPT = 128
"""Levels from here on are of pixels with at least one point that is kept; below, but for 0, of those without."""


@dataclass(frozen=True)
class Raster:
    """Points binned to the pixels of a chart.

    Attributes
    ----------
    pixels : (point,) flat pixel of each point, row 0 at the bottom.
    shown : (acquisition in view,) whether it is one of the points.
    """

    pixels: NDArray[np.int64]
    shown: NDArray[np.bool_]

    @classmethod
    def of(cls, values: NDArray[np.float64], low: float, high: float) -> "Raster":
        """Bin the values of consecutive acquisitions over a chart that shows low ≤ value ≤ high; NaN is left out."""
        shown = (values >= low) & (values <= high)
        column = np.flatnonzero(shown) * WIDTH // max(1, values.size)
        row = np.minimum(((values[shown] - low) * (HEIGHT / (high - low))).astype(np.int64), HEIGHT - 1)
        return cls(row * WIDTH + column, shown)

    def draw(self, kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """(HEIGHT, WIDTH) levels: 0 nothing, 1 to 127 filtered out, 128 to 255 kept; higher is denser.

        A pixel with any kept point shows how many are kept, so that none is hidden. Levels grow with the logarithm of
        the count, and a single point has a level of its own: outliers do not vanish.
        """
        here = kept[self.shown]
        inside = np.bincount(self.pixels[here], minlength=WIDTH * HEIGHT)
        outside = np.bincount(self.pixels[~here], minlength=WIDTH * HEIGHT)
        levels = np.where(inside > 0, KEPT + _levels(inside), np.where(outside > 0, 1 + _levels(outside), 0))
        return levels.astype(np.uint8).reshape(HEIGHT, WIDTH)


def _levels(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 for one point, 126 for the densest pixel."""
    most = np.log(max(2, int(counts.max(initial=0))))
    levels: NDArray[np.int64] = (126 * np.log(np.maximum(counts, 1)) / most).astype(np.int64)
    return levels
