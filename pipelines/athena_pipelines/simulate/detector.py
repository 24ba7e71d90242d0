"""The camera: the moving image is sampled at each pixel of a frame and electrons are counted.

One compiled pass a frame: cubic B-spline interpolation of the expected image at the displaced place, then a Poisson
count of it. Random numbers are a hash of (seed, pixel), so that a frame is the same whatever thread or order made it.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, inline="always")
def _uniform(state: np.uint64) -> float:
    """Uniform number in (0, 1] from a counter. Source: splitmix64, Steele, Lea & Flood 2014."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state = state ^ (state >> np.uint64(31))
    return (float(state >> np.uint64(11)) + 1.0) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True, fastmath=True)
def _expose(
    spline: NDArray[np.float32],
    margin: int,
    shift: NDArray[np.float64],
    field: NDArray[np.float64],
    seed: np.uint64,
    counts: NDArray[np.uint8],
    rates: NDArray[np.float32],
) -> None:
    height, width = counts.shape
    noisy = rates.size == 0
    for row in range(height):
        v = 2.0 * (row + 0.5) / height - 1.0
        for column in range(width):
            u = 2.0 * (column + 0.5) / width - 1.0
            uu = u * u - 1.0 / 3.0
            vv = v * v - 1.0 / 3.0
            dx = (
                shift[0] + field[0, 0] * u + field[0, 1] * v + field[0, 2] * uu + field[0, 3] * vv + field[0, 4] * u * v
            )
            dy = (
                shift[1] + field[1, 0] * u + field[1, 1] * v + field[1, 2] * uu + field[1, 3] * vv + field[1, 4] * u * v
            )
            # what is now here was at r − d in frame 0
            x = column - dx + margin
            y = row - dy + margin
            ix = int(np.floor(x))
            iy = int(np.floor(y))
            fx = np.float32(x - ix)
            fy = np.float32(y - iy)
            gx = np.float32(1.0) - fx
            gy = np.float32(1.0) - fy
            sixth = np.float32(1.0 / 6.0)
            wx0 = gx * gx * gx * sixth
            wx3 = fx * fx * fx * sixth
            wx1 = np.float32(2.0 / 3.0) - fx * fx + np.float32(0.5) * fx * fx * fx
            wx2 = np.float32(1.0) - wx0 - wx1 - wx3
            wy0 = gy * gy * gy * sixth
            wy3 = fy * fy * fy * sixth
            wy1 = np.float32(2.0 / 3.0) - fy * fy + np.float32(0.5) * fy * fy * fy
            wy2 = np.float32(1.0) - wy0 - wy1 - wy3
            rate = np.float32(0.0)
            for k in range(4):
                line = spline[iy - 1 + k]
                weight = wy0 if k == 0 else (wy1 if k == 1 else (wy2 if k == 2 else wy3))
                rate += weight * (wx0 * line[ix - 1] + wx1 * line[ix] + wx2 * line[ix + 1] + wx3 * line[ix + 2])
            rate = max(rate, np.float32(0.0))
            if not noisy:
                rates[row, column] = rate
                continue
            # inversion: a few steps at the rates of counting cameras, and exact
            draw = _uniform(seed + np.uint64(row * width + column))
            term = np.exp(-rate)
            total = term
            count = 0
            while draw > total and count < 255:
                count += 1
                term *= rate / count
                total += term
            counts[row, column] = count


def count_electrons(
    spline: NDArray[np.float32],
    shape: tuple[int, int],
    *,
    margin: int,
    shift: NDArray[np.float64],
    field: NDArray[np.float64],
    seed: int,
) -> NDArray[np.uint8]:
    """Counts of one frame, (h, w) uint8, row 0 at the bottom.

    Parameters
    ----------
    spline : cubic B-spline coefficients of the expected counts a pixel, wider than ``shape`` by ``margin`` all round.
    shift : (2,) global displacement of the specimen, px, (x, y).
    field : (2, 5) local displacement coefficients, px; see ``motion.SPACE_TERMS``.
    """
    counts = np.empty(shape, dtype=np.uint8)
    _expose(spline, margin, shift, field, np.uint64(seed), counts, np.empty((0, 0), dtype=np.float32))
    return counts


def expected_counts(
    spline: NDArray[np.float32],
    shape: tuple[int, int],
    *,
    margin: int,
    shift: NDArray[np.float64],
    field: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Expected counts of one frame, (h, w) float32: the same without noise."""
    rates = np.empty(shape, dtype=np.float32)
    _expose(spline, margin, shift, field, np.uint64(0), np.empty(shape, dtype=np.uint8), rates)
    return rates


def spline_prefilter(fraction: NDArray[np.float32]) -> NDArray[np.float32]:
    """Transfer that turns samples into cubic B-spline coefficients, at frequencies in cycles a sample (one axis).

    Source: Unser, Aldroubi & Eden 1993, IEEE Trans. Signal Process. 41:821.
    """
    transfer: NDArray[np.float32] = (3.0 / (2.0 + np.cos(2 * np.pi * fraction))).astype(np.float32)
    return transfer
