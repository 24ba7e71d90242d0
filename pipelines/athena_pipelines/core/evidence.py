"""Whether images show anything in common, or noise alone would fit as well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.motion_kernels import add_powers, add_shifted
from athena_pipelines.core.phases import ramps, turns

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Complex64 = npt.NDArray[np.complex64]

WINDOWED = 1.06
"""Variance of a correlation of images that are tapered at their edges, over that of untapered ones: Σ t⁴ / (Σ t²)²."""


@dataclass(frozen=True)
class Path:
    """Shifts of images (images, 2), px (y, x), and how many of the places in it are free."""

    shifts: Array
    free: int


def most_certain(
    transforms: Complex64, weight: Float32, paths: Sequence[Path], *, radius: float, pattern: float
) -> tuple[Array, float]:
    """Of paths, the one that is the least likely to come of noise: its shifts, and how likely that is.

    Were all images noise, their correlation H = Σ w Σ_{i<j} Re F_i* F_j under any one set of shifts would be Gaussian,
    with a variance that follows from their power. The largest H of all sets of shifts is bounded by how often a
    Gaussian field of as many dimensions is expected to come as high: each free place adds the number of places within
    the radius that correlation tells apart. A smooth path has few free places, so that many images, each too noisy to
    be placed by itself, are certain together.
    Source: Adler & Taylor 2007, Random Fields and Geometry, section 14 (expected Euler characteristic).

    Parameters
    ----------
    pattern : power that all images may share without having been shifted; it is no evidence.

    Returns
    -------
    tuple
        Shifts, and the natural logarithm of the number of sets of shifts of noise expected to fit as well.
    """
    power, squares = np.zeros(weight.shape, np.float32), np.zeros(weight.shape, np.float32)
    for transform in transforms:
        add_powers(transform, power, squares)
    certain = [_chance(transforms, weight, path, (power, squares), radius=radius, pattern=pattern) for path in paths]
    best = int(np.argmin(certain))
    return paths[best].shifts, certain[best]


def _chance(
    transforms: Complex64,
    weight: Float32,
    path: Path,
    powers: tuple[Float32, Float32],
    *,
    radius: float,
    pattern: float,
) -> float:
    """Logarithm of how many sets of shifts with as many free places are expected to fit noise as well as a path."""
    shifts, free, count = path.shifts, path.free, len(path.shifts)
    shape = (transforms.shape[1], 2 * (transforms.shape[2] - 1))
    total = np.zeros_like(transforms[0])
    for transform, shift in zip(transforms, shifts, strict=True):
        add_shifted(transform, *ramps(shift, shape), total)
    power, squares = powers
    pairs = (power.astype(np.float64) ** 2 - squares) * (weight.astype(np.float64) ** 2)
    height = 0.5 * float((weight * (np.abs(total) ** 2 - power)).sum(dtype=np.float64))
    variance = float(pairs.sum()) / 4
    if pattern:
        flat = np.zeros_like(total)
        for shift in shifts:
            add_shifted(np.ones_like(total), *ramps(shift, shape), flat)
        of_pattern = 0.5 * pattern * weight * (np.abs(flat) ** 2 - count)
        height -= float(of_pattern.sum(dtype=np.float64))
        # the power of a pattern scatters as much as it is large
        variance += float((of_pattern.astype(np.float64) ** 2).sum())
    score = height / np.sqrt(variance * WINDOWED) if variance > 0 else 0.0
    if score <= 1:
        return float("inf")
    y, x = turns(shape)
    bend = float((pairs * (y[:, None] ** 2 + x**2)).sum() / pairs.sum()) / 2
    places = radius**2 * bend * score**2
    # a single image has its part in the correlation only, a term of a path has all of it
    places *= 1 / count if free == count - 1 else count / (count - 1)
    return float(free * np.log(max(places, 1.0)) - np.log(score * np.sqrt(2 * np.pi)) - score**2 / 2)
