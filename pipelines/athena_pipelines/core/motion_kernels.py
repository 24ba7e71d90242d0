"""Compiled inner loops of motion correction.

Kernels over frames take any pixel type and compile for it at first use (and are cached on disk); the others have
their one signature.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Float32 = npt.NDArray[np.float32]
Complex64 = npt.NDArray[np.complex64]
Int64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, fastmath=True)
def block_sum(frame: npt.NDArray[Any], gain: Float32, origin: tuple[int, int], binning: int, out: Float32) -> None:
    """Sum of binning × binning pixels times gain into ``out`` (rows, columns), from ``origin`` (y, x) on.

    A gain of shape (1, 1) means none.
    """
    corrected = gain.shape[0] > 1
    rows, columns = out.shape
    left = origin[1]
    line = np.empty(columns * binning, np.float32)
    for row in range(rows):
        line[:] = 0
        for inner in range(binning):
            y = origin[0] + row * binning + inner
            # whole lines, cut once: an index that may be negative keeps the compiler from using vectors
            pixels = frame[y, left : left + columns * binning]
            if corrected:
                factors = gain[y, left : left + columns * binning]
                for x in range(line.shape[0]):
                    line[x] += np.float32(pixels[x]) * factors[x]
            else:
                for x in range(line.shape[0]):
                    line[x] += np.float32(pixels[x])
        target = out[row]
        if binning == 1:
            target[:] = line
        elif binning == 2:
            for column in range(target.shape[0]):
                target[column] = line[2 * column] + line[2 * column + 1]
        else:
            for column in range(target.shape[0]):
                total = np.float32(0)
                for inner in range(binning):
                    total += line[column * binning + inner]
                target[column] = total


@njit(cache=True, nogil=True, fastmath=True)
def sum_stack(stack: npt.NDArray[Any], total: Float32) -> None:
    """Add all frames (n, rows, columns) to ``total`` (rows, columns), row by row, so that a row stays in cache."""
    frames, rows, columns = stack.shape
    for y in range(rows):
        line = total[y]
        for i in range(frames):
            source = stack[i, y]
            for x in range(columns):
                line[x] += np.float32(source[x])


@njit("f8(f4[:, ::1], f4[::1], f4[::1])", cache=True, nogil=True, fastmath=True)
def centre_and_taper(image: Float32, taper_y: Float32, taper_x: Float32) -> float:
    """Take the mean off an image and multiply it by tapers along both axes, in place; returns the mean."""
    rows, columns = image.shape
    total = np.float64(0)
    for y in range(rows):
        line = image[y]
        part = np.float32(0)
        for x in range(columns):
            part += line[x]
        total += np.float64(part)
    mean = float(total / (rows * columns))
    for y in range(rows):
        line = image[y]
        factor = taper_y[y]
        for x in range(columns):
            line[x] = (line[x] - np.float32(mean)) * (factor * taper_x[x])
    return mean


@njit("void(f4[:, ::1], f8, f8, b1[:, ::1])", cache=True, nogil=True)
def mark_outside(image: Float32, low: float, high: float, marked: npt.NDArray[np.bool_]) -> None:
    """Mark pixels below ``low``, above ``high``, or that are no number."""
    rows, columns = image.shape
    for y in range(rows):
        for x in range(columns):
            value = image[y, x]
            if not (low <= value <= high):
                marked[y, x] = True


@njit(cache=True, nogil=True)
def repair(frame: npt.NDArray[Any], bad: Int64, neighbours: Int64, counts: Int64, seed: int) -> None:
    """Replace bad pixels of a frame by a random good neighbour, or by a random good pixel where too few are near.

    A copy keeps the statistics of counts, which a mean or median would not.
    ``bad`` (n, 2) are (y, x); ``neighbours`` (n, m, 2) the good pixels around each, ``counts`` (n,) how many.
    """
    np.random.seed(seed)
    height, width = frame.shape
    for i in range(bad.shape[0]):
        if counts[i] > 6:
            pick = np.random.randint(counts[i])
            frame[bad[i, 0], bad[i, 1]] = frame[neighbours[i, pick, 0], neighbours[i, pick, 1]]
        else:
            frame[bad[i, 0], bad[i, 1]] = frame[np.random.randint(height), np.random.randint(width)]


@njit("void(c8[:, ::1], c8[::1], c8[::1], c8[:, ::1])", cache=True, nogil=True, fastmath=True)
def add_shifted(transform: Complex64, ramp_y: Complex64, ramp_x: Complex64, total: Complex64) -> None:
    """Add a half-plane transform times its phase ramps to ``total``."""
    rows, columns = transform.shape
    for y in range(rows):
        for x in range(columns):
            total[y, x] += transform[y, x] * (ramp_y[y] * ramp_x[x])


@njit("f8(c8[:, ::1], c8[::1], c8[::1], i8[::1], i8[::1], c8[:, ::1])", cache=True, nogil=True, fastmath=True)
def add_shifted_spans(
    transform: Complex64, ramp_y: Complex64, ramp_x: Complex64, starts: Int64, stops: Int64, total: Complex64
) -> float:
    """Add a span of each row of a half-plane transform, times its phase ramps, to ``total``; the power in the spans."""
    power = np.float64(0)
    for y in range(transform.shape[0]):
        # spans cut once, and one loop for each of the two: else the compiler uses no vectors
        source = transform[y, starts[y] : stops[y]]
        target = total[y, starts[y] : stops[y]]
        ramp = ramp_x[starts[y] : stops[y]]
        turn = ramp_y[y]
        for x in range(source.shape[0]):
            target[x] += source[x] * (turn * ramp[x])
        part = np.float32(0)
        for x in range(source.shape[0]):
            part += source[x].real * source[x].real + source[x].imag * source[x].imag
        power += np.float64(part)
    return power


@njit("void(c8[:, ::1], u2[:, ::1], f4[::1], f8[::1])", cache=True, nogil=True, fastmath=True)
def fade(transform: Complex64, rings: npt.NDArray[np.uint16], table: Float32, sums: npt.NDArray[np.float64]) -> None:
    """Multiply a half-plane transform by the value of each pixel's ring, in place; add its power to the ring's sum."""
    rows, columns = transform.shape
    for y in range(rows):
        for x in range(columns):
            ring = rings[y, x]
            value = transform[y, x] * table[ring]
            transform[y, x] = value
            sums[ring] += value.real * value.real + value.imag * value.imag


@njit("void(c8[:, ::1], f4[:, ::1], f4[:, ::1])", cache=True, nogil=True, fastmath=True)
def add_powers(transform: Complex64, power: Float32, squares: Float32) -> None:
    """Add |F|² of a half-plane transform to ``power``, and its square to ``squares``."""
    rows, columns = transform.shape
    for y in range(rows):
        for x in range(columns):
            value = transform[y, x].real * transform[y, x].real + transform[y, x].imag * transform[y, x].imag
            power[y, x] += value
            squares[y, x] += value * value


@njit("void(c8[:, ::1], u2[:, ::1], f8[::1])", cache=True, nogil=True, fastmath=True)
def ring_power(transform: Complex64, rings: npt.NDArray[np.uint16], sums: npt.NDArray[np.float64]) -> None:
    """Add the power of a half-plane transform to the sum of each pixel's ring."""
    rows, columns = transform.shape
    for y in range(rows):
        for x in range(columns):
            value = transform[y, x]
            sums[rings[y, x]] += value.real * value.real + value.imag * value.imag


@njit("void(c8[:, ::1], c8[:, ::1], f4[:, ::1], c8[:, ::1])", cache=True, nogil=True, fastmath=True)
def cross_power(own: Complex64, total: Complex64, weight: Float32, out: Complex64) -> None:
    """conj(own) · (total − own) · weight: correlation with everything but itself (leave one out)."""
    rows, columns = own.shape
    for y in range(rows):
        for x in range(columns):
            mine = own[y, x]
            out[y, x] = np.conj(mine) * (total[y, x] - mine) * weight[y, x]


@njit(
    "void(c8[:, ::1], c8[::1], c8[::1], c8[:, ::1], f4[:, ::1], i8[::1], f8[::1])",
    cache=True,
    nogil=True,
    fastmath=True,
)
def peak_derivatives(
    transform: Complex64,
    ramp_y: Complex64,
    ramp_x: Complex64,
    total: Complex64,
    weight: Float32,
    stops: Int64,
    out: npt.NDArray[np.float64],
) -> None:
    """First and second derivatives, at no shift, of a shifted image's correlation with the sum of all others.

    ``out`` becomes (∂y, ∂x, ∂²y, ∂²x, ∂y∂x, variance of ∂y and ∂x together), shifts in px; the variance is what the
    image's own noise gives, which is nearly all of the image. From ``stops`` (rows,) on a row has no weight.
    """
    rows, columns = transform.shape
    out[:] = 0
    step_x = 2 * math.pi / (2 * (columns - 1))
    for y in range(rows):
        qy = 2 * math.pi * (y if y < (rows + 1) // 2 else y - rows) / rows
        gy = gx = hyy = hxx = hxy = vy = vx = np.float32(0)
        for x in range(stops[y]):
            own = transform[y, x] * (ramp_y[y] * ramp_x[x])
            rest = total[y, x] - own
            factor = weight[y, x]
            real = (own.real * rest.real + own.imag * rest.imag) * factor
            imaginary = (own.real * rest.imag - own.imag * rest.real) * factor
            qx = np.float32(x)
            gy += imaginary
            gx += imaginary * qx
            hyy += real
            hxy += real * qx
            hxx += real * qx * qx
            power = real * real + imaginary * imaginary
            vy += power
            vx += power * qx * qx
        out[0] -= qy * gy
        out[1] -= step_x * gx
        out[2] -= qy * qy * hyy
        out[3] -= step_x * step_x * hxx
        out[4] -= qy * step_x * hxy
        out[5] += 0.5 * (qy * qy * vy + step_x * step_x * vx)


@njit("UniTuple(f4, 4)(f4)", cache=True, nogil=True, inline="always")
def _cubic(t: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Weights of the four samples around a point ``t`` past the second. Source: Keys 1981, a = −1/2."""
    one, half = np.float32(1), np.float32(0.5)
    t2 = t * t
    t3 = t2 * t
    return (
        t2 - half * (t + t3),
        one - np.float32(2.5) * t2 + np.float32(1.5) * t3,
        half * t + np.float32(2) * t2 - np.float32(1.5) * t3,
        half * (t3 - t2),
    )


@njit(cache=True, nogil=True, fastmath=True)
def _sample(
    frame: npt.NDArray[Any],
    gain: Float32,
    origin: tuple[int, int],
    size: tuple[int, int],
    shift: Float32,
    source: Float32,
    mixed: Float32,
    out: Float32,
) -> None:
    """One block of a shifted frame into ``out``; ``source`` and ``mixed`` are scratch. Views of rows vectorise."""
    height, width = frame.shape
    n_rows, n_columns = size
    corrected = gain.shape[0] > 1
    base_y, base_x = math.floor(-shift[0]), math.floor(-shift[1])
    wy0, wy1, wy2, wy3 = _cubic(np.float32(-shift[0] - base_y))
    wx0, wx1, wx2, wx3 = _cubic(np.float32(-shift[1] - base_x))
    y0 = origin[0] + base_y - 1
    x0 = origin[1] + base_x - 1
    wide = n_columns + 3
    inside = x0 >= 0 and x0 + wide <= width
    for r in range(n_rows + 3):
        y = min(max(y0 + r, 0), height - 1)
        line = source[r]
        if inside:
            raw = frame[y, x0 : x0 + wide]
            if corrected:
                factor = gain[y, x0 : x0 + wide]
                for c in range(wide):
                    line[c] = np.float32(raw[c]) * factor[c]
            else:
                for c in range(wide):
                    line[c] = np.float32(raw[c])
        else:
            for c in range(wide):
                x = min(max(x0 + c, 0), width - 1)
                line[c] = np.float32(frame[y, x]) * (gain[y, x] if corrected else np.float32(1))
    for r in range(n_rows):
        s0, s1, s2, s3 = source[r], source[r + 1], source[r + 2], source[r + 3]
        for c in range(wide):
            mixed[c] = wy0 * s0[c] + wy1 * s1[c] + wy2 * s2[c] + wy3 * s3[c]
        line = out[r]
        for c in range(n_columns):
            line[c] = wx0 * mixed[c] + wx1 * mixed[c + 1] + wx2 * mixed[c + 2] + wx3 * mixed[c + 3]


@njit(cache=True, nogil=True, fastmath=True)
def gather(
    stack: npt.NDArray[Any], gain: Float32, field: Float32, coefficients: Float32, block: tuple[int, int], sums: Float32
) -> None:
    """Add shifted frames up to several weighted sums in one pass, block by block, bicubic.

    Within a block all frames are visited before moving on, so sums stay in cache and no corrected frame is stored; four
    frames are added at a time, so that a sum is loaded and stored once for four.

    stack : (frames, height, width).
    gain : (height, width), or (1, 1) for none.
    field : (frames, blocks_y, blocks_x, 2), shift to apply to each block's content, px (y, x).
    coefficients : (frames, sums).
    sums : (sums, height, width), written.
    """
    frames, height, width = stack.shape
    count = sums.shape[0]
    rows, columns = block
    source = np.empty((rows + 3, columns + 3), np.float32)
    mixed = np.empty(columns + 3, np.float32)
    values = np.zeros((4, rows, columns), np.float32)
    held = np.empty((rows, count, columns), np.float32)
    factors = np.zeros((4, count), np.float32)
    for by in range(field.shape[1]):
        top = by * rows
        n_rows = min(rows, height - top)
        for bx in range(field.shape[2]):
            left = bx * columns
            n_columns = min(columns, width - left)
            held[:] = 0
            for first in range(0, frames, 4):
                factors[:] = 0
                for j in range(min(4, frames - first)):
                    i = first + j
                    _sample(
                        stack[i], gain, (top, left), (n_rows, n_columns), field[i, by, bx], source, mixed, values[j]
                    )
                    factors[j] = coefficients[i]
                for r in range(n_rows):
                    v0, v1, v2, v3 = values[0, r], values[1, r], values[2, r], values[3, r]
                    for k in range(count):
                        line = held[r, k]
                        f0, f1, f2, f3 = factors[0, k], factors[1, k], factors[2, k], factors[3, k]
                        for c in range(n_columns):
                            line[c] += f0 * v0[c] + f1 * v1[c] + f2 * v2[c] + f3 * v3[c]
            for k in range(count):
                for r in range(n_rows):
                    for c in range(n_columns):
                        sums[k, top + r, left + c] = held[r, k, c]


@njit("void(c8[:, ::1], f4[::1], f8, f8, f8, c8[:, ::1])", cache=True, nogil=True, fastmath=True)
def add_filtered(
    transform: Complex64, table: Float32, step_y: float, step_x: float, table_step: float, total: Complex64
) -> None:
    """Add a half-plane transform times a radial table (linear between its entries) to ``total``."""
    rows, columns = transform.shape
    one = np.float32(1)
    factors = np.empty(columns, np.float32)
    across = np.float32(step_x / table_step)
    for y in range(rows):
        place_y = np.float32((y if y <= rows // 2 else y - rows) * step_y / table_step)
        # a line of factors first, in 32 bits all through: two loops that use vectors instead of one that cannot
        for x in range(columns):
            place_x = np.float32(x) * across
            place = np.sqrt(place_y * place_y + place_x * place_x)
            low = np.int32(place)
            part = place - np.float32(low)
            factors[x] = table[low] * (one - part) + table[low + np.int32(1)] * part
        line, source = total[y], transform[y]
        for x in range(columns):
            line[x] += source[x] * factors[x]
