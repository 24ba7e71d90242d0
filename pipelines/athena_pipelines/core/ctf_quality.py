"""How far a spectrum follows a fitted CTF: equiphase average and its local correlation with the model.

Source: the method of CTFFIND 4 (Rohou & Grigorieff 2015, section 2.6), as algorithms go; names are ours.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_kernels import equiphase_average
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.spectrum import SIZE, Spectrum

Array = npt.NDArray[np.float64]

BINS = SIZE // 2
RANKED_EXTREMA = 7
"""Segments up to here are ranked, later ones scaled between their extremes: strong rings are never sinusoidal."""
PER_PIXEL = 4
"""Bins of the equiphase average to a pixel of the spectrum while it is judged."""
BINS_PER_RING = 6
MIN_RING_PIXELS = 2.0
"""Rings closer than this are not resolved."""


@dataclass(frozen=True)
class Quality:
    """Curves over BINS frequencies, and the resolutions they give.

    Attributes
    ----------
    frequency : Å⁻¹.
    experimental : equiphase average of the background-free spectrum; NaN where no pixel has the phase.
    display : the same with its rings brought to a common height, about 0 to 1: what a plot shows.
    theory : |CTF| at the mean defocus.
    correlation : of the two in a sliding window, −1 to 1.
    resolution_angstrom : where the fit ends; NaN when it never holds.
    resolution_half_angstrom : where the correlation first falls below 0.5; NaN when it never was above.
    """

    frequency: Array
    experimental: Array
    display: Array
    theory: Array
    correlation: Array
    resolution_angstrom: float
    resolution_half_angstrom: float


def assess(spectrum: Spectrum, x: Array, optics: Optics) -> Quality:
    """Quality of a fit ``x`` = (mean defocus, A cos 2α / 2, A sin 2α / 2, constant phase), Å and rad."""
    lam, cs = optics.wavelength_angstrom, optics.spherical_aberration_angstrom
    fine = BINS * PER_PIXEL
    sums, counts = equiphase_average(spectrum.signal, spectrum.step, lam, cs, np.ascontiguousarray(x), fine, PER_PIXEL)
    frequency = np.arange(fine, dtype=np.float64) * (spectrum.step / PER_PIXEL)
    k2 = frequency**2
    chi = np.pi * lam * k2 * (x[0] - 0.5 * lam * lam * cs * k2) + x[3]
    pace = np.abs(np.gradient(chi))
    sums, counts = (_smooth(a, pace) for a in (sums, counts))
    with np.errstate(invalid="ignore", divide="ignore"):
        profile = np.asarray(np.where(counts > 0.5, sums / counts, np.nan), np.float64)
    theory = np.abs(np.sin(chi))
    segment = _segments(chi)
    filled = np.nan_to_num(profile)
    correlation = _sliding_correlation(_normalise(filled, theory, segment), theory, segment)
    last, half = _last_good(correlation, pace)
    return Quality(
        frequency[::PER_PIXEL],
        profile[::PER_PIXEL],
        _for_display(profile, segment)[::PER_PIXEL],
        theory[::PER_PIXEL],
        correlation[::PER_PIXEL],
        float(1 / frequency[last]) if last else float("nan"),
        float(1 / frequency[half]) if half else float("nan"),
    )


def _smooth(values: Array, pace: Array) -> Array:
    """Moving sum over a pixel of the spectrum, or a part of a ring where that is less; ``pace`` in rad a bin."""
    width = np.clip(np.pi / np.maximum(pace, 1e-9) / BINS_PER_RING, 1, PER_PIXEL)
    summed = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(values.size) + 0.5
    edges = np.arange(values.size + 1)
    return np.asarray(
        np.interp(places + width / 2, edges, summed) - np.interp(places - width / 2, edges, summed), np.float64
    )


def _segments(chi: Array) -> npt.NDArray[np.int64]:
    """Number of extrema of |sin χ| (zeros and maxima) passed at each bin; it keeps rising where χ turns over."""
    level = np.floor(chi / (np.pi / 2))
    return np.concatenate([[0], np.cumsum(np.abs(np.diff(level)))]).astype(np.int64)


def _normalise(profile: Array, theory: Array, segment: npt.NDArray[np.int64]) -> Array:
    """Profile with every rise and fall between two extrema brought to the range 0 to 1."""
    out = np.zeros_like(profile)
    rising = np.gradient(theory) > 0
    for number in range(int(segment.max()) + 1):
        here = np.flatnonzero(segment == number)
        if here.size < 2:
            out[here] = profile[here] - profile.mean()
            continue
        values = profile[here]
        if number < RANKED_EXTREMA:
            rank = (values.argsort().argsort() + 0.5) / here.size
            out[here] = np.sin(rank * np.pi / 2)
        else:
            # the neighbours on both sides belong to the scale: a segment alone always spans 0 to 1
            wide = profile[max(here[0] - here.size, 0) : here[-1] + here.size + 1]
            span = wide.max() - wide.min()
            out[here] = (values - wide.min()) / span if span > 0 else 0.5
    out[np.isnan(rising)] = 0
    return out


def _for_display(profile: Array, segment: npt.NDArray[np.int64]) -> Array:
    """Profile over its spread within about two rings, but never over less than the spread of its noisy end."""
    filled = np.nan_to_num(profile)
    length = np.bincount(segment)
    low, high = _windows(np.maximum(2 * length[segment], profile.size // 40), first=4 * PER_PIXEL)
    centre, square = (_window_sum(a, low, high) / (high - low) for a in (filled, filled * filled))
    spread = np.sqrt(np.maximum(square - centre * centre, 0))
    floor = max(float(filled[-profile.size // 8 :].std()), 1e-12)
    return np.where(
        np.isnan(profile), np.nan, np.clip(0.5 + 0.35 * (filled - centre) / np.maximum(spread, floor), -1, 2)
    )


def _sliding_correlation(profile: Array, theory: Array, segment: npt.NDArray[np.int64]) -> Array:
    """Correlation in a window of half width max(n / 40, (1 + 0.1 extrema passed) · bins between extrema)."""
    length = np.bincount(segment)
    half = np.maximum(profile.size / 40, (1 + 0.1 * segment) * length[segment]).astype(np.int64)
    low, high = _windows(half, first=PER_PIXEL)
    n = high - low
    a, b, aa, bb, ab = (
        _window_sum(v, low, high) / n for v in (profile, theory, profile**2, theory**2, profile * theory)
    )
    norm = np.sqrt(np.maximum((aa - a * a) * (bb - b * b), 0))
    return np.where(norm > 1e-12, (ab - a * b) / np.maximum(norm, 1e-12), 0.0)


def _windows(half: npt.NDArray[np.int64], *, first: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Bounds of windows around each bin, from ``first`` on, at least one bin long."""
    places = np.arange(half.size)
    low = np.clip(places - half, first, half.size - 1)
    return low, np.maximum(np.minimum(places + half + 1, half.size), low + 1)


def _window_sum(values: Array, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> Array:
    summed = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(summed[high] - summed[low], np.float64)


def _last_good(correlation: Array, pace: Array) -> tuple[int, int]:
    """Bins where the fit ends, and where the correlation first falls below 0.5; 0 where it never held.

    It ends where the correlation, once above 0.66 for some bins, falls below 0.5, or, once above 0.1, below that; and
    where rings come closer than MIN_RING_PIXELS, which the spectrum does not resolve. ``pace`` of χ in rad a bin.
    """
    first = correlation.size // 10
    some = 3 * PER_PIXEL
    crowded = pace * PER_PIXEL * MIN_RING_PIXELS > np.pi
    above_low = above_high = half = 0
    highest = 0.0
    end = correlation.size - 1
    for i in range(first, correlation.size):
        value = float(correlation[i])
        if half == 0 and above_low > some and value < 0.5 <= highest:
            half = i
        if (above_low > some and value < 0.1) or (above_high > some and value < 0.5) or crowded[i]:
            end = i
            break
        above_low += value > 0.1
        above_high += value > 0.66
        highest = max(highest, value)
    if above_low <= some:
        return 0, 0
    return end, (half or end) if highest >= 0.5 else 0
