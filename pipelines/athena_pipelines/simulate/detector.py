"""The camera: the moving image is sampled at each pixel of a frame and electrons are counted.

Three compiled passes a row: where each pixel's content was in frame 0, cubic B-spline interpolation there, a Poisson
count of it. Each pass is a plain loop over columns without branches, which compilers turn into vector code. Random
numbers are a hash of (seed, pixel), so that a frame is the same whatever thread or order made it.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

_VECTOR_LIMIT = 6.0
_STEPS = 20
"""At rates up to ``_VECTOR_LIMIT`` the chance of more than ``_STEPS`` counts is below 1e-5."""


@njit(cache=True, nogil=True, fastmath=True)
def _places(
    row: int,
    shape: tuple[int, int],
    margin: int,
    shift: NDArray[np.float32],
    field: NDArray[np.float32],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
) -> None:
    """Offsets of each column's source from itself: what is now at r was at r − d in frame 0."""
    height, width = shape
    v = np.float32(2.0 * (row + 0.5) / height - 1.0)
    third = np.float32(1.0 / 3.0)
    vv = v * v - third
    base_x = np.float32(margin) - shift[0] - field[0, 1] * v - field[0, 3] * vv
    base_y = np.float32(margin) - shift[1] - field[1, 1] * v - field[1, 3] * vv
    slope_x = field[0, 0] + field[0, 4] * v
    slope_y = field[1, 0] + field[1, 4] * v
    step = np.float32(2.0 / width)
    start = np.float32(1.0 / width - 1.0)
    for column in range(width):
        u = start + step * np.float32(column)
        uu = u * u - third
        x[column] = base_x - slope_x * u - field[0, 2] * uu
        y[column] = base_y - slope_y * u - field[1, 2] * uu


@njit(cache=True, nogil=True, fastmath=True)
def _interpolate(
    spline: NDArray[np.float32], row: int, x: NDArray[np.float32], y: NDArray[np.float32], rates: NDArray[np.float32]
) -> None:
    """Cubic B-spline at (column + x, row + y). Source: Unser 1999, IEEE Signal Process. Mag. 16(6):22."""
    width = x.shape[0]
    sixth = np.float32(1.0 / 6.0)
    half = np.float32(0.5)
    one = np.float32(1.0)
    most = np.float32(2.0 / 3.0)
    begin = 0
    while begin < width:
        # a run of columns with the same whole part of the offset reads consecutive coefficients
        whole_x = math.floor(x[begin])
        whole_y = math.floor(y[begin])
        end = begin + 1
        while end < width and math.floor(x[end]) == whole_x and math.floor(y[end]) == whole_y:
            end += 1
        first = begin + int(whole_x) - 1
        top = row + int(whole_y) - 1
        line0 = spline[top, first : first + end - begin + 3]
        line1 = spline[top + 1, first : first + end - begin + 3]
        line2 = spline[top + 2, first : first + end - begin + 3]
        line3 = spline[top + 3, first : first + end - begin + 3]
        out = rates[begin:end]
        for k in range(end - begin):
            fx = x[begin + k] - np.float32(whole_x)
            fy = y[begin + k] - np.float32(whole_y)
            gx = one - fx
            gy = one - fy
            wx0 = gx * gx * gx * sixth
            wx3 = fx * fx * fx * sixth
            wx1 = most - fx * fx + half * fx * fx * fx
            wx2 = one - wx0 - wx1 - wx3
            wy0 = gy * gy * gy * sixth
            wy3 = fy * fy * fy * sixth
            wy1 = most - fy * fy + half * fy * fy * fy
            wy2 = one - wy0 - wy1 - wy3
            sum0 = wx0 * line0[k] + wx1 * line0[k + 1] + wx2 * line0[k + 2] + wx3 * line0[k + 3]
            sum1 = wx0 * line1[k] + wx1 * line1[k + 1] + wx2 * line1[k + 2] + wx3 * line1[k + 3]
            sum2 = wx0 * line2[k] + wx1 * line2[k + 1] + wx2 * line2[k + 2] + wx3 * line2[k + 3]
            sum3 = wx0 * line3[k] + wx1 * line3[k + 1] + wx2 * line3[k + 2] + wx3 * line3[k + 3]
            out[k] = max(wy0 * sum0 + wy1 * sum1 + wy2 * sum2 + wy3 * sum3, np.float32(0.0))
        begin = end


@njit(cache=True, nogil=True, fastmath=True)
def _count(
    rates: NDArray[np.float32],
    first: int,
    seed: int,
    term: NDArray[np.float32],
    total: NDArray[np.float32],
    draw: NDArray[np.float32],
    counts: NDArray[np.uint8],
) -> None:
    """Poisson counts by inversion: how many terms of the cumulative distribution lie below a uniform number."""
    width = rates.shape[0]
    _uniform(first, seed, draw)
    highest = np.float32(0.0)
    for column in range(width):
        rate = min(rates[column], np.float32(_VECTOR_LIMIT))
        highest = max(highest, rate)
        # exp(−rate) as the 16th power of a Taylor polynomial, which vectorises; good to 1e-5 below the limit
        x = rate * np.float32(-1.0 / 16.0)
        power = np.float32(1.0 / 120.0) * x + np.float32(1.0 / 24.0)
        power = power * x + np.float32(1.0 / 6.0)
        power = power * x + np.float32(0.5)
        power = power * x + np.float32(1.0)
        power = power * x + np.float32(1.0)
        power = power * power
        power = power * power
        power = power * power
        power = power * power
        term[column] = power
        total[column] = power
        counts[column] = np.uint8(draw[column] > power)
    for k in range(1, min(_STEPS, 6 + int(3 * highest))):
        share = np.float32(1.0 / k)
        for column in range(width):
            term[column] *= min(rates[column], np.float32(_VECTOR_LIMIT)) * share
            total[column] += term[column]
            counts[column] += np.uint8(draw[column] > total[column])


@njit(cache=True, nogil=True, fastmath=True)
def _uniform(first: int, seed: int, draw: NDArray[np.float32]) -> None:
    """Uniform numbers in (0, 1) from (seed, position). Source of the mixing: Wellons 2018, lowbias32, twice."""
    low = np.uint32(seed & 0xFFFFFFFF)
    high = np.uint32((seed >> 32) & 0xFFFFFFFF)
    for column in range(draw.shape[0]):
        # the casts keep numba in 32 bits, where products wrap as the hash wants
        bits = np.uint32(np.uint32(first + column) ^ low)
        bits = np.uint32((bits ^ (bits >> np.uint32(16))) * np.uint32(0x7FEB352D))
        bits = np.uint32((bits ^ (bits >> np.uint32(15))) * np.uint32(0x846CA68B))
        bits = np.uint32((bits ^ (bits >> np.uint32(16))) + high)
        bits = np.uint32((bits ^ (bits >> np.uint32(16))) * np.uint32(0x7FEB352D))
        bits = np.uint32((bits ^ (bits >> np.uint32(15))) * np.uint32(0x846CA68B))
        bits = np.uint32(bits ^ (bits >> np.uint32(16)))
        draw[column] = (np.float32(bits >> np.uint32(8)) + np.float32(0.5)) * np.float32(1.0 / 16777216.0)


@njit(cache=True, nogil=True)
def _count_bright(rates: NDArray[np.float32], seed: int, counts: NDArray[np.uint8]) -> None:
    """Count again the pixels too bright for ``_count`` (hot ones), cut at 255; also by inversion."""
    np.random.seed(seed & 0x7FFFFFFF)
    for column in range(rates.shape[0]):
        if rates[column] > _VECTOR_LIMIT:
            rate = min(float(rates[column]), 600.0)
            term = math.exp(-rate)
            total = term
            draw = np.random.random()
            count = 0
            while draw > total and count < 255:
                count += 1
                term *= rate / count
                total += term
            counts[column] = count


@njit(cache=True, nogil=True)
def _expose(
    spline: NDArray[np.float32],
    margin: int,
    shift: NDArray[np.float32],
    field: NDArray[np.float32],
    response: NDArray[np.float32],
    seed: int,
    counts: NDArray[np.uint8],
    rates: NDArray[np.float32],
) -> None:
    height, width = counts.shape
    x = np.empty(width, dtype=np.float32)
    y = np.empty(width, dtype=np.float32)
    line = np.empty(width, dtype=np.float32)
    draw = np.empty(width, dtype=np.float32)
    noisy = rates.size == 0
    for row in range(height):
        _places(row, (height, width), margin, shift, field, x, y)
        _interpolate(spline, row, x, y, line)
        if response.size != 0:
            line *= response[row]
        if not noisy:
            rates[row] = line
            continue
        # the places are used up: their buffers serve as scratch
        _count(line, row * width, seed, x, y, draw, counts[row])
        if line.max() > _VECTOR_LIMIT:
            _count_bright(line, seed + row, counts[row])


_EVEN: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)


def count_electrons(
    spline: NDArray[np.float32],
    shape: tuple[int, int],
    *,
    margin: int,
    shift: NDArray[np.float64],
    field: NDArray[np.float64],
    seed: int,
    response: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """Counts of one frame, (h, w) uint8, row 0 at the bottom.

    Parameters
    ----------
    spline : cubic B-spline coefficients of the expected electrons a pixel, wider than ``shape`` by ``margin`` around.
    shift : (2,) global displacement of the specimen, px, (x, y).
    field : (2, 5) local displacement coefficients, px; see ``motion.SPACE_TERMS``.
    response : (h, w) how many counts a pixel gives for one electron; None is 1 everywhere.
    """
    counts = np.empty(shape, dtype=np.uint8)
    no_rates = np.empty((0, 0), dtype=np.float32)
    even = _EVEN if response is None else response
    _expose(spline, margin, shift.astype(np.float32), field.astype(np.float32), even, seed, counts, no_rates)
    return counts


def expected_counts(
    spline: NDArray[np.float32],
    shape: tuple[int, int],
    *,
    margin: int,
    shift: NDArray[np.float64],
    field: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Expected electrons of one frame, (h, w) float32: the same without noise and camera."""
    rates = np.empty(shape, dtype=np.float32)
    no_counts = np.empty(shape, dtype=np.uint8)
    _expose(spline, margin, shift.astype(np.float32), field.astype(np.float32), _EVEN, 0, no_counts, rates)
    return rates


def spline_prefilter(fraction: NDArray[np.float32]) -> NDArray[np.float32]:
    """Transfer that turns samples into cubic B-spline coefficients, at frequencies in cycles a sample (one axis).

    Source: Unser, Aldroubi & Eden 1993, IEEE Trans. Signal Process. 41:821.
    """
    transfer: NDArray[np.float32] = (3.0 / (2.0 + np.cos(2 * np.pi * fraction))).astype(np.float32)
    return transfer
