"""A camera whose pixels are not alike, and the gain reference that makes up for it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import zoom

HOT = 40.0
"""Response of a hot pixel."""


@dataclass(frozen=True)
class Camera:
    """Response of a camera, (h, w) float32, row 0 at the bottom.

    Attributes
    ----------
    gain : what a movie's counts are multiplied by to correct them; mean 1.
    response : counts a pixel gives for one electron: 1 / gain, and much more for hot pixels, which no gain knows.
    """

    gain: NDArray[np.float32]
    response: NDArray[np.float32]


def draw_camera(rng: np.random.Generator, shape: tuple[int, int], *, spread: float, hot_fraction: float) -> Camera:
    """Draw a camera.

    Parameters
    ----------
    spread : standard deviation of the pixels' gain; as much again varies slowly over the camera.
    hot_fraction : share of hot pixels.
    """
    height, width = shape
    slow = zoom(rng.normal(0, spread, (6, 6)), (height / 6, width / 6), order=1, grid_mode=True, mode="nearest")
    gain = np.clip(1 + slow[:height, :width] + rng.normal(0, spread, shape), 0.3, 3.0).astype(np.float32)
    gain /= gain.mean()
    response = (1 / gain).astype(np.float32)
    response[rng.random(shape) < hot_fraction] = HOT
    return Camera(gain, response)


def write_gain(path: Path, camera: Camera) -> None:
    """Write the gain reference as TIFF, with the top row first as in the movies."""
    tifffile.imwrite(path, camera.gain[::-1], compression="zlib", metadata=None)
