"""Compiled inner loops of the CTF fit."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]


@njit("Tuple((f8, f8[::1]))(f4[::1], f4[::1], f4[::1], f4[::1], f8, f8, f8[::1])", cache=True, nogil=True, fastmath=True)
def correlate_with_gradient(
    signal: Float32, k2: Float32, cos2: Float32, sin2: Float32, wavelength: float, cs: float, x: Array
) -> tuple[float, Array]:
    """Correlation of the signal with −cos 2χ (sin²χ without its mean), and its gradient.

    ``x`` is (mean defocus, astigmatism · cos 2α / 2, astigmatism · sin 2α / 2, constant phase) in Å and rad: in these χ is
    linear, and nothing is singular where the astigmatism vanishes.
    ``signal`` has mean 0; ``cos2``, ``sin2`` are of twice the pixels' azimuth.
    """
    n = signal.size
    sum_m = 0.0
    sum_mm = 0.0
    sum_sm = 0.0
    sum_ss = 0.0
    d_m = np.zeros(4)
    d_mm = np.zeros(4)
    d_sm = np.zeros(4)
    half_cs = 0.5 * wavelength * wavelength * cs
    for i in range(n):
        s = signal[i]
        scale = math.pi * wavelength * k2[i]
        chi = scale * (x[0] + x[1] * cos2[i] + x[2] * sin2[i] - half_cs * k2[i]) + x[3]
        m = -math.cos(2 * chi)
        slope = 2 * math.sin(2 * chi)
        sum_m += m
        sum_mm += m * m
        sum_sm += s * m
        sum_ss += s * s
        g0 = slope * scale
        g1 = g0 * cos2[i]
        g2 = g0 * sin2[i]
        d_m[0] += g0
        d_m[1] += g1
        d_m[2] += g2
        d_m[3] += slope
        d_mm[0] += m * g0
        d_mm[1] += m * g1
        d_mm[2] += m * g2
        d_mm[3] += m * slope
        d_sm[0] += s * g0
        d_sm[1] += s * g1
        d_sm[2] += s * g2
        d_sm[3] += s * slope
    variance = max(sum_mm - sum_m * sum_m / n, 1e-12)
    norm = math.sqrt(max(sum_ss, 1e-30) * variance)
    value = sum_sm / norm
    gradient = np.empty(4)
    for j in range(4):
        gradient[j] = d_sm[j] / norm - value * (d_mm[j] - sum_m * d_m[j] / n) / variance
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


@njit("f8[:, ::1](f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8, f8)", cache=True, nogil=True, fastmath=True)
def radial_search(
    profile: Array, weight: Array, k2: Array, defoci: Array, phases: Array, wavelength: float, cs: float
) -> Array:
    """Correlation of a rotational average with −cos 2χ for every defocus (rows) and constant phase (columns)."""
    n = profile.size
    found = np.empty((defoci.size, phases.size))
    half_cs = 0.5 * wavelength * wavelength * cs
    total = weight.sum()
    mean_s = (weight * profile).sum() / total
    var_s = (weight * (profile - mean_s) ** 2).sum()
    for j in range(defoci.size):
        for p in range(phases.size):
            sum_m = 0.0
            sum_mm = 0.0
            sum_sm = 0.0
            for i in range(n):
                chi = math.pi * wavelength * k2[i] * (defoci[j] - half_cs * k2[i]) + phases[p]
                m = -math.cos(2 * chi)
                sum_m += weight[i] * m
                sum_mm += weight[i] * m * m
                sum_sm += weight[i] * (profile[i] - mean_s) * m
            variance = sum_mm - sum_m * sum_m / total
            found[j, p] = sum_sm / math.sqrt(max(var_s * variance, 1e-30))
    return found


@njit("f8[:, ::1](f4[:, ::1], f8, f8, f8, f8[::1], i8)", cache=True, nogil=True)
def equiphase_average(signal: Float32, step: float, wavelength: float, cs: float, x: Array, bins: int) -> Array:
    """Sums and counts (2, bins) of a spectrum's pixels at the frequency where the mean defocus has their phase.

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
            if k2 >= (centre * step) ** 2 or row == centre:
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
            place = math.sqrt(u) / step
            low = int(place)
            part = place - low
            if low + 1 < bins:
                out[0, low] += signal[row, column] * (1 - part)
                out[1, low] += 1 - part
                out[0, low + 1] += signal[row, column] * part
                out[1, low + 1] += part
    return out
