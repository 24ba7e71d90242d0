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


@njit("void(c8[:, ::1], u2[:, ::1], f4[::1])", cache=True, nogil=True, fastmath=True)
def fade(transform: Complex64, rings: npt.NDArray[np.uint16], table: Float32) -> None:
    """Multiply a half-plane transform by the value of each pixel's ring, in place."""
    rows, columns = transform.shape
    for y in range(rows):
        for x in range(columns):
            transform[y, x] *= table[rings[y, x]]


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


@njit("void(c8[:, ::1], c8[::1], c8[::1], c8[:, ::1], f4[:, ::1], f8[::1])", cache=True, nogil=True, fastmath=True)
def peak_derivatives(
    transform: Complex64,
    ramp_y: Complex64,
    ramp_x: Complex64,
    total: Complex64,
    weight: Float32,
    out: npt.NDArray[np.float64],
) -> None:
    """First and second derivatives, at no shift, of a shifted image's correlation with the sum of all others.

    ``out`` becomes (∂y, ∂x, ∂²y, ∂²x, ∂y∂x, variance of ∂y and ∂x together), shifts in px; the variance is what the
    image's own noise gives, which is nearly all of the image.
    """
    rows, columns = transform.shape
    out[:] = 0
    step_x = 2 * math.pi / (2 * (columns - 1))
    for y in range(rows):
        qy = 2 * math.pi * (y if y < (rows + 1) // 2 else y - rows) / rows
        gy = gx = hyy = hxx = hxy = vy = vx = np.float32(0)
        for x in range(columns):
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


@njit(cache=True, nogil=True, fastmath=True)
def gather(
    stack: npt.NDArray[Any], gain: Float32, field: Float32, coefficients: Float32, block: tuple[int, int], sums: Float32
) -> None:
    """Add shifted frames to several weighted sums in one pass, block by block, bicubic.

    Within a block all frames are visited before moving on, so sums stay in cache and no corrected frame is stored.

    stack : (frames, height, width).
    gain : (height, width), or (1, 1) for none.
    field : (frames, blocks_y, blocks_x, 2), shift to apply to each block's content, px (y, x).
    coefficients : (frames, sums).
    sums : (sums, height, width), added to.
    """
    frames, height, width = stack.shape
    count = sums.shape[0]
    rows, columns = block
    corrected = gain.shape[0] > 1
    source = np.empty((rows + 3, columns + 3), np.float32)
    mixed = np.empty(columns + 3, np.float32)
    value = np.empty(columns, np.float32)
    held = np.empty((count, rows, columns), np.float32)
    wy = np.empty(4, np.float32)
    wx = np.empty(4, np.float32)
    for by in range(field.shape[1]):
        top = by * rows
        n_rows = min(rows, height - top)
        for bx in range(field.shape[2]):
            left = bx * columns
            n_columns = min(columns, width - left)
            held[:] = 0
            for i in range(frames):
                base_y = math.floor(-field[i, by, bx, 0])
                base_x = math.floor(-field[i, by, bx, 1])
                _cubic(np.float32(-field[i, by, bx, 0] - base_y), wy)
                _cubic(np.float32(-field[i, by, bx, 1] - base_x), wx)
                x0 = left + base_x - 1
                for r in range(n_rows + 3):
                    y = min(max(top + base_y - 1 + r, 0), height - 1)
                    _fetch(stack[i, y], gain[y] if corrected else gain[0], corrected, x0, n_columns + 3, source[r])
                y0, y1, y2, y3 = wy[0], wy[1], wy[2], wy[3]
                w0, w1, w2, w3 = wx[0], wx[1], wx[2], wx[3]
                for r in range(n_rows):
                    line0, line1, line2, line3 = source[r], source[r + 1], source[r + 2], source[r + 3]
                    for c in range(mixed.shape[0]):
                        mixed[c] = y0 * line0[c] + y1 * line1[c] + y2 * line2[c] + y3 * line3[c]
                    next1, next2, next3 = mixed[1:], mixed[2:], mixed[3:]
                    for c in range(value.shape[0]):
                        value[c] = w0 * mixed[c] + w1 * next1[c] + w2 * next2[c] + w3 * next3[c]
                    for k in range(count):
                        factor = coefficients[i, k]
                        target = held[k, r]
                        for c in range(value.shape[0]):
                            target[c] += factor * value[c]
            for k in range(count):
                for r in range(n_rows):
                    total = sums[k, top + r, left : left + n_columns]
                    part = held[k, r]
                    for c in range(total.shape[0]):
                        total[c] += part[c]


@njit(cache=True, nogil=True, fastmath=True)
def _fetch(line: npt.NDArray[Any], gain: Float32, corrected: bool, first: int, count: int, out: Float32) -> None:
    """Pixels of a line from ``first`` on, times gain; beyond its ends the last ones repeat."""
    if first >= 0 and first + count <= line.shape[0]:
        # cut once: an index that may be negative keeps the compiler from using vectors
        pixels = line[first : first + count]
        if corrected:
            factors = gain[first : first + count]
            for c in range(pixels.shape[0]):
                out[c] = np.float32(pixels[c]) * factors[c]
        else:
            for c in range(pixels.shape[0]):
                out[c] = np.float32(pixels[c])
        return
    for c in range(count):
        x = min(max(first + c, 0), line.shape[0] - 1)
        out[c] = np.float32(line[x]) * (gain[x] if corrected else np.float32(1))


@njit("void(f4, f4[::1])", cache=True, nogil=True, inline="always")
def _cubic(t: float, w: Float32) -> None:
    """Weights of the four samples around a point ``t`` past the second. Source: Keys 1981, a = −1/2."""
    w[0] = t * (-0.5 + t * (1 - 0.5 * t))
    w[1] = 1 + t * t * (-2.5 + 1.5 * t)
    w[2] = t * (0.5 + t * (2 - 1.5 * t))
    w[3] = t * t * (-0.5 + 0.5 * t)


@njit("void(c8[:, ::1], f4[::1], f8, f8, f8, c8[:, ::1])", cache=True, nogil=True, fastmath=True)
def add_filtered(
    transform: Complex64, table: Float32, step_y: float, step_x: float, table_step: float, total: Complex64
) -> None:
    """Add a half-plane transform times a radial table (linear between its entries) to ``total``."""
    rows, columns = transform.shape
    for y in range(rows):
        ky = (y if y <= rows // 2 else y - rows) * step_y
        for x in range(columns):
            kx = x * step_x
            place = math.sqrt(ky * ky + kx * kx) / table_step
            low = int(place)
            part = np.float32(place - low)
            total[y, x] += transform[y, x] * (table[low] * (1 - part) + table[low + 1] * part)
