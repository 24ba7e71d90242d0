"""The jpg previews EPU writes: atlas, grid square, foil hole, exposure. Grey, top row first."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from athena_pipelines.simulate.epu.grid import (
    ATLAS,
    HOLE,
    HOLE_DIAMETER,
    SQUARE,
    SQUARE_EDGE,
    Grid,
    ImageGeometry,
    Square,
)

LONG_EDGE = 512
"""Pixels of a preview's longer edge."""


def save_preview(path: Path, image: NDArray[np.float32]) -> None:
    """Save an image, (h, w) with the top row first, stretched to mean ± 3 σ."""
    low, high = image.mean() - 3 * image.std(), image.mean() + 3 * image.std()
    grey = np.clip((image - low) / max(float(high - low), 1e-6) * 255, 0, 255)
    Image.fromarray(grey.astype(np.uint8)).save(path, quality=85)


def exposure_picture(
    rng: np.random.Generator, still: NDArray[np.float32], frames: int, *, long_edge: int = LONG_EDGE
) -> NDArray[np.float32]:
    """Preview of an exposure from its expected counts a frame (row 0 at the bottom), with counting noise."""
    step = max(1, -(-max(still.shape) // long_edge))
    height, width = (size // step * step for size in still.shape)
    binned = still[:height, :width].reshape(height // step, step, width // step, step).sum(axis=(1, 3))
    counts: NDArray[np.float32] = rng.poisson(np.maximum(binned, 0) * frames)[::-1].astype(np.float32)
    return counts


def atlas_picture(rng: np.random.Generator, grid: Grid) -> NDArray[np.float32]:
    """Bright squares between dark bars; broken squares are brighter and without film."""
    picture, scale = _canvas(ATLAS)
    edge = SQUARE_EDGE / ATLAS.pixel_m * scale
    for square in grid.squares:
        brightness = 0.9 if square.category == 0 else float(rng.normal(0.62, 0.05))
        _box(picture, square.atlas_pixel[0] * scale, square.atlas_pixel[1] * scale, edge, brightness)
    return _grain(rng, gaussian_filter(picture, 0.8), 0.03)


def square_picture(rng: np.random.Generator, square: Square) -> NDArray[np.float32]:
    """A square of holey film with its holes a little brighter."""
    picture, scale = _canvas(SQUARE)
    centre = (SQUARE.width * scale / 2, SQUARE.height * scale / 2)
    _box(picture, *centre, SQUARE_EDGE / SQUARE.pixel_m * scale, 0.5)
    for hole in square.holes:
        radius = HOLE_DIAMETER / SQUARE.pixel_m * scale / 2
        _disc(picture, hole.pixel[0] * scale, hole.pixel[1] * scale, radius, float(rng.normal(0.72, 0.02)))
    return _grain(rng, gaussian_filter(picture, 1.0), 0.03)


def hole_picture(rng: np.random.Generator) -> NDArray[np.float32]:
    """One hole, ice in it, film around it."""
    picture, scale = _canvas(HOLE)
    picture += 0.3
    radius = HOLE_DIAMETER / HOLE.pixel_m * scale / 2
    _disc(picture, HOLE.width * scale / 2, HOLE.height * scale / 2, radius, 0.7)
    texture = gaussian_filter(rng.normal(0, 1, picture.shape), 2).astype(np.float32)
    return _grain(rng, gaussian_filter(picture, 1.5) + 0.05 * texture, 0.04)


def _canvas(geometry: ImageGeometry) -> tuple[NDArray[np.float32], float]:
    scale = LONG_EDGE / max(geometry.width, geometry.height)
    shape = (round(geometry.height * scale), round(geometry.width * scale))
    return np.full(shape, 0.12, dtype=np.float32), scale


def _box(picture: NDArray[np.float32], x: float, y: float, edge: float, value: float) -> None:
    rows = slice(max(0, round(y - edge / 2)), max(0, round(y + edge / 2)))
    columns = slice(max(0, round(x - edge / 2)), max(0, round(x + edge / 2)))
    picture[rows, columns] = value


def _disc(picture: NDArray[np.float32], x: float, y: float, radius: float, value: float) -> None:
    yy, xx = np.ogrid[: picture.shape[0], : picture.shape[1]]
    picture[(xx - x) ** 2 + (yy - y) ** 2 < radius**2] = value


def _grain(rng: np.random.Generator, picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    grain: NDArray[np.float32] = picture + rng.normal(0, sigma, picture.shape).astype(np.float32)
    return grain
