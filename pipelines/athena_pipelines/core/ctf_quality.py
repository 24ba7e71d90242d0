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
MIN_RING_BINS = 3


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
    sums, counts = equiphase_average(spectrum.signal, spectrum.step, lam, cs, np.ascontiguousarray(x), BINS)
    with np.errstate(invalid="ignore", divide="ignore"):
        experimental = np.asarray(np.where(counts > 0.5, sums / counts, np.nan), np.float64)
    frequency = np.arange(BINS, dtype=np.float64) * spectrum.step
    k2 = frequency**2
    chi = np.pi * lam * k2 * (x[0] - 0.5 * lam * lam * cs * k2) + x[3]
    theory = np.abs(np.sin(chi))
    segment = _segments(chi)
    filled = np.nan_to_num(experimental)
    correlation = _sliding_correlation(_normalise(filled, theory, segment), theory, segment)
    last, half = _last_good(correlation, chi)
    return Quality(
        frequency,
        experimental,
        _for_display(experimental, segment),
        theory,
        correlation,
        float(1 / frequency[last]) if last else float("nan"),
        float(1 / frequency[half]) if half else float("nan"),
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
    half = np.maximum(2 * length[segment], profile.size // 40)
    places = np.arange(profile.size)
    near = [filled[max(i - h, 4) : i + h + 1] for i, h in zip(places, half, strict=True)]
    centre = np.array([part.mean() if part.size else 0.0 for part in near])
    spread = np.array([part.std() if part.size else 0.0 for part in near])
    floor = max(float(filled[-profile.size // 8 :].std()), 1e-12)
    return np.where(
        np.isnan(profile), np.nan, np.clip(0.5 + 0.35 * (filled - centre) / np.maximum(spread, floor), -1, 2)
    )


def _sliding_correlation(profile: Array, theory: Array, segment: npt.NDArray[np.int64]) -> Array:
    """Correlation in a window of half width max(n / 40, (1 + 0.1 extrema passed) · bins between extrema)."""
    n = profile.size
    length = np.bincount(segment)
    out = np.zeros(n)
    for i in range(n):
        passed = segment[i]
        half = int(max(n / 40, (1 + 0.1 * passed) * length[passed]))
        window = slice(max(i - half, 1), min(i + half + 1, n))
        a, b = profile[window] - profile[window].mean(), theory[window] - theory[window].mean()
        norm = np.sqrt((a @ a) * (b @ b))
        out[i] = a @ b / norm if norm > 0 else 0.0
    return out


def _last_good(correlation: Array, chi: Array) -> tuple[int, int]:
    """Bins where the fit ends, and where the correlation first falls below 0.5; 0 where it never held.

    It ends where the correlation, once above 0.66 for some bins, falls below 0.5, or, once above 0.1, below that; and
    where rings come closer than MIN_RING_BINS, which the spectrum does not resolve.
    """
    first = correlation.size // 10
    pace = np.abs(np.gradient(chi)) * MIN_RING_BINS / np.pi
    above_low = above_high = half = 0
    end = correlation.size - 1
    for i in range(first, correlation.size):
        value = correlation[i]
        if half == 0 and above_low > 3 and value < 0.5 <= correlation[first:i].max():
            half = i
        if (above_low > 3 and value < 0.1) or (above_high > 3 and value < 0.5) or pace[i] > 1:
            end = i
            break
        above_low += value > 0.1
        above_high += value > 0.66
    if above_low <= 3:
        return 0, 0
    held = bool(correlation[first:end].max() >= 0.5)
    return end, (half or end) if held else 0
