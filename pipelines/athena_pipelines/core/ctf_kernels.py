"""Compiled inner loops of the CTF fit."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]


@njit("UniTuple(f4, 2)(f4)", cache=True, nogil=True, fastmath=True, inline="always")
def turn(phase: np.float32) -> tuple[np.float32, np.float32]:
    """(cos, sin) of a phase, to 2e-6: Taylor series after reduction to ± π/2, which compilers vectorise."""
    turns = phase * np.float32(1 / math.pi)
    whole = np.float32(math.floor(turns + np.float32(0.5)))
    r = (turns - whole) * np.float32(math.pi)
    sign = np.float32(1) - np.float32(2) * (whole - np.float32(2) * np.float32(math.floor(whole * np.float32(0.5))))
    t = r * r
    c = 1 + t * (-1 / 2 + t * (1 / 24 + t * (-1 / 720 + t * (1 / 40320 - t / 3628800))))
    s = r * (1 + t * (-1 / 6 + t * (1 / 120 + t * (-1 / 5040 + t * (1 / 362880 - t / 39916800)))))
    return np.float32(sign * c), np.float32(sign * s)


_GRADIENT = "Tuple((f8, f8[::1]))(f4[::1], f4[::1], f4[::1], f4[::1], f8, f8, f8[::1])"


@njit(_GRADIENT, cache=True, nogil=True, fastmath=True)
def correlate_with_gradient(
    signal: Float32, k2: Float32, cos2: Float32, sin2: Float32, wavelength: float, cs: float, x: Array
) -> tuple[float, Array]:
    """Correlation of the signal with −cos 2χ (sin²χ without its mean), and its gradient.

    ``x`` is (mean defocus, astigmatism · cos 2α / 2, astigmatism · sin 2α / 2, constant phase) in Å and rad: in these
    χ is linear, and nothing is singular where the astigmatism vanishes.
    ``signal`` has mean 0; ``cos2``, ``sin2`` are of twice the pixels' azimuth.
    """
    n = signal.size
    scale = np.float32(math.pi * wavelength)
    half_cs = np.float32(0.5 * wavelength * wavelength * cs)
    d, a, b, constant = np.float32(x[0]), np.float32(x[1]), np.float32(x[2]), np.float32(x[3])
    # sums over stretches in single precision, over all in double: fast, and exact enough
    sums = np.zeros(12)
    totals = np.zeros(3)
    for start in range(0, n, 1024):
        s_m = s_mm = s_sm = np.float32(0)
        m0 = m1 = m2 = m3 = np.float32(0)
        mm0 = mm1 = mm2 = mm3 = np.float32(0)
        sm0 = sm1 = sm2 = sm3 = np.float32(0)
        for i in range(start, min(start + 1024, n)):
            s = signal[i]
            rate = scale * k2[i]
            chi = rate * (d + a * cos2[i] + b * sin2[i] - half_cs * k2[i]) + constant
            cosine, sine = turn(np.float32(2) * chi)
            m = -cosine
            g3 = np.float32(2) * sine
            g0 = g3 * rate
            g1 = g0 * cos2[i]
            g2 = g0 * sin2[i]
            s_m += m
            s_mm += m * m
            s_sm += s * m
            m0 += g0
            m1 += g1
            m2 += g2
            m3 += g3
            mm0 += m * g0
            mm1 += m * g1
            mm2 += m * g2
            mm3 += m * g3
            sm0 += s * g0
            sm1 += s * g1
            sm2 += s * g2
            sm3 += s * g3
        part = (m0, m1, m2, m3, mm0, mm1, mm2, mm3, sm0, sm1, sm2, sm3)
        for j in range(12):
            sums[j] += part[j]
        totals[0] += s_m
        totals[1] += s_mm
        totals[2] += s_sm
    sum_m, sum_mm, sum_sm = totals
    sum_ss = 0.0
    for i in range(n):
        sum_ss += signal[i] * signal[i]
    variance = max(sum_mm - sum_m * sum_m / n, 1e-12)
    norm = math.sqrt(max(sum_ss, 1e-30) * variance)
    value = sum_sm / norm
    gradient = np.empty(4)
    for j in range(4):
        gradient[j] = sums[8 + j] / norm - value * (sums[4 + j] - sum_m * sums[j] / n) / variance
    return value, gradient


@njit("f8(f4[::1], f4[::1], f4[::1], f4[::1], f8, f8, f8[::1])", cache=True, nogil=True, fastmath=True)
def score(signal: Float32, k2: Float32, cos2: Float32, sin2: Float32, wavelength: float, cs: float, x: Array) -> float:
    """Correlation of the signal with |sin χ|, as CTFFIND reports it; arguments as ``correlate_with_gradient``."""
    n = signal.size
    sum_s = 0.0
    sum_ss = 0.0
    sum_m = 0.0
    sum_mm = 0.0
    sum_sm = 0.0
    half_cs = 0.5 * wavelength * wavelength * cs
    for i in range(n):
        scale = math.pi * wavelength * k2[i]
        chi = scale * (x[0] + x[1] * cos2[i] + x[2] * sin2[i] - half_cs * k2[i]) + x[3]
        m = abs(math.sin(chi))
        s = signal[i]
        sum_s += s
        sum_ss += s * s
        sum_m += m
        sum_mm += m * m
        sum_sm += s * m
    norm = math.sqrt(max((sum_ss - sum_s * sum_s / n) * (sum_mm - sum_m * sum_m / n), 1e-30))
    return (sum_sm - sum_s * sum_m / n) / norm


@njit("f8[:, ::1](f4[:, ::1], f8, f8, f8, f8[::1], i8, i8)", cache=True, nogil=True)
def equiphase_average(
    signal: Float32, step: float, wavelength: float, cs: float, x: Array, bins: int, per_pixel: int
) -> Array:
    """Sums and counts (2, bins) of a spectrum's pixels at the frequency where the mean defocus has their phase.

    There are ``per_pixel`` bins to a pixel of the spectrum: pixels lie at all distances from the centre, so that the
    average shows rings narrower than a plain radial one could.

    χ − φ = πλ(k²Δf(α) − ½λ²Cs k⁴) is solved for k at the mean defocus in closed form, on the pixel's own side of the
    maximum of χ, so each pixel has exactly one place. Pixels are shared linearly between two bins.
    """
    size = signal.shape[0]
    centre = size // 2
    out = np.zeros((2, bins))
    a = 0.5 * wavelength * wavelength * cs
    for row in range(size):
        ky = (row - centre) * step
        for column in range(centre + 1, size):
            kx = (column - centre) * step
            k2 = kx * kx + ky * ky
            if k2 >= (centre * step) ** 2 or row == centre or signal[row, column] == 0:
                continue
            cos2 = (kx * kx - ky * ky) / k2
            sin2 = 2 * kx * ky / k2
            local = x[0] + x[1] * cos2 + x[2] * sin2
            level = k2 * local - a * k2 * k2
            if a > 0:
                inside = x[0] * x[0] - 4 * a * level
                root = math.sqrt(inside) if inside > 0 else 0.0
                u = (x[0] - root) / (2 * a) if k2 <= local / (2 * a) else (x[0] + root) / (2 * a)
            else:
                u = level / x[0]
            if u <= 0:
                continue
            place = math.sqrt(u) / step * per_pixel
            low = int(place)
            part = place - low
            if low + 1 < bins:
                out[0, low] += signal[row, column] * (1 - part)
                out[1, low] += 1 - part
                out[0, low + 1] += signal[row, column] * part
                out[1, low + 1] += part
    return out


@njit("f8[:, ::1](c8[:, ::1], i8, f8, f8, i8)", cache=True, nogil=True, fastmath=True)
def bin_power(
    transform: npt.NDArray[np.complex64], half_columns: int, cell_rows: float, cell_columns: float, reach: int
) -> Array:
    """Mean power of a transform over the area of each pixel of a coarser grid, right half plane.

    Parameters
    ----------
    transform : (rows, columns) of a real image: rows as ``fft`` orders them, columns from frequency 0 on.
    half_columns : index of the highest frequency along x; columns beyond the last given are not looked at.
    cell_rows, cell_columns : step of the transform's frequencies, in pixels of the grid, at most 1.
    reach : the grid's highest frequency, px.

    Returns
    -------
    (2 reach + 1, reach + 1): ky from −reach up, kx from 0.
    """
    rows, columns = transform.shape
    out = np.zeros((2 * reach + 1, reach + 1))
    area = np.zeros((2 * reach + 1, reach + 1))
    line = np.empty(columns, np.float32)
    target = np.empty(columns, np.int64)
    share = np.empty(columns, np.float32)
    for column in range(columns):
        # a sample covers [place − cell / 2, place + cell / 2]; what lies beyond the next half goes to the next pixel
        place = column * cell_columns
        low = math.floor(place - 0.5 * cell_columns + 0.5)
        inner = (low + 0.5 - (place - 0.5 * cell_columns)) / cell_columns
        target[column] = low
        share[column] = min(inner, 1.0)
    coarse = np.zeros(reach + 2)
    weight = np.zeros(reach + 2)
    for column in range(columns):
        if target[column] <= reach and column <= half_columns:
            if target[column] >= 0:
                weight[target[column]] += share[column]
            weight[target[column] + 1] += 1 - share[column]
    for row in range(rows):
        signed = row if row <= rows // 2 else row - rows
        place = signed * cell_rows
        low_row = math.floor(place - 0.5 * cell_rows + 0.5)
        inner_row = min((low_row + 0.5 - (place - 0.5 * cell_rows)) / cell_rows, 1.0)
        if low_row > reach or low_row + 1 < -reach:
            continue
        for column in range(columns):
            value = transform[row, column]
            line[column] = value.real * value.real + value.imag * value.imag
        coarse[:] = 0
        for column in range(min(columns, half_columns + 1)):
            low = target[column]
            if low > reach:
                break
            near = line[column] * share[column]
            if low >= 0:
                coarse[low] += near
            coarse[low + 1] += line[column] - near
        for part in range(2):
            there = low_row + part + reach
            amount = inner_row if part == 0 else 1 - inner_row
            if 0 <= there <= 2 * reach and amount > 0:
                for j in range(reach + 1):
                    out[there, j] += amount * coarse[j]
                    area[there, j] += amount * weight[j]
    for i in range(2 * reach + 1):
        for j in range(reach + 1):
            if area[i, j] > 0:
                out[i, j] /= area[i, j]
    return out
