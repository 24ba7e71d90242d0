"""From pixels of EPU's images to places on the stage and back.

``S(p) = S_image − b · M · (p − p_c)``: p a pixel (x right, y down, as in the jpg), p_c the middle of the read-out, b
the binning and M the matrix of ``ReferenceTransformation`` (metres per unbinned pixel; a turn and a mirror). The minus
sign was found by regression on a real session's 272 atlas nodes. Three or more points known in both give a better
answer than M, whose scale is off by up to 3 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from athena.formats.epu_xml_image import EpuImage, Matrix

Point = tuple[float, float]


@dataclass(frozen=True)
class StageMap:
    """An affine map of pixels to the stage: ``S = linear · p + origin``, metres."""

    linear: NDArray[np.float64]
    origin: NDArray[np.float64]

    def to_stage(self, pixel: Point) -> Point:
        """Stage place of a pixel, m."""
        x, y = self.linear @ np.asarray(pixel) + self.origin
        return float(x), float(y)

    def to_pixel(self, stage: Point) -> Point:
        """Pixel of a stage place."""
        x, y = np.linalg.solve(self.linear, np.asarray(stage) - self.origin)
        return float(x), float(y)


def map_of_image(image: EpuImage) -> StageMap | None:
    """Map of an image from its own matrix; None when the image does not say enough."""
    if image.matrix is None or image.stage is None or image.readout is None:
        return None
    linear = -float(image.binning or 1) * np.array(image.matrix, dtype=np.float64)
    centre = np.array(image.readout) / 2
    return StageMap(linear, np.array(image.stage[:2]) - linear @ centre)


def fit_map(pixels: Sequence[Point], stages: Sequence[Point]) -> StageMap | None:
    """Map through points known in both, by least squares without the outliers; None when they do not fix one.

    Points farther off than 3 median absolute deviations are left out of a second fit.
    """
    if len(pixels) < 3:
        return None
    design = np.column_stack([np.asarray(pixels, dtype=np.float64), np.ones(len(pixels))])
    places = np.asarray(stages, dtype=np.float64)
    solution, _, rank, _ = np.linalg.lstsq(design, places, rcond=None)
    if rank < 3:
        return None
    distance = np.linalg.norm(design @ solution - places, axis=1)
    limit = np.median(distance) + 3 * 1.4826 * np.median(np.abs(distance - np.median(distance)))
    kept = distance <= limit
    if kept.sum() >= 3 and not kept.all():
        better, _, rank, _ = np.linalg.lstsq(design[kept], places[kept], rcond=None)
        solution = better if rank == 3 else solution
    if abs(np.linalg.det(solution[:2])) == 0:
        return None
    return StageMap(solution[:2].T.astype(np.float64), solution[2].astype(np.float64))


def shifted(place: Point, shift_px: Point, *, matrix: Matrix, pixel_m: float) -> Point:
    """Stage place of an exposure ``shift_px`` off a hole's centre ``place``, in a template of ``pixel_m`` pixels."""
    rows = np.array(matrix)
    binning = pixel_m / float(np.linalg.norm(rows[0]))
    x, y = np.asarray(place) - binning * rows @ np.asarray(shift_px)
    return float(x), float(y)
