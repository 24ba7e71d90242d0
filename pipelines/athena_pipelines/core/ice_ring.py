"""What a spectrum says of ice: how strong its ring is, and whether it is crystalline."""

from functools import cache

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]

RING_ANGSTROM = (4.0, 3.36)
"""Where hexagonal and cubic ice diffract: 3.90, 3.67, 3.44 Å (100, 002 or 111, 101), and the width of their lines."""
FLANKS_ANGSTROM = ((4.7, 4.1), (3.3, 3.0))
"""Beside the ring, on both sides; vitreous ice, whose ring at 3.7 Å is broad, is strong there too."""
STRONG_LINE = 1.35
"""Power of a line one pixel wide against the flanks, beyond which it is a powder of crystals."""
SPOT_DEVIATIONS = 12.0
"""Of the power in the ring, in standard deviations (from quartiles), that make a pixel a diffraction spot."""
FEWEST_SPOTS = 3
BESIDE_AXES_PX = 12
"""Nearer to the axes lie the harmonics of a camera's columns and blocks."""


def iciness(amplitude: Image, step: float) -> float:
    """Power of the ice ring against the specimen's: (mean amplitude at 3.9–3.5 Å)² / (at 30–6 Å)²; NaN beyond the edge.

    Source: cisTEM's measure of the same name.

    Parameters
    ----------
    amplitude : (n, n), zero frequency at [n // 2, n // 2].
    step : frequency from one pixel to the next, Å⁻¹.
    """
    size = amplitude.shape[0]
    if size // 2 * step < 1 / 3.5:
        return float("nan")
    frequency = np.rint(radius(size)) * step
    ice = amplitude[(frequency >= 1 / 3.9) & (frequency <= 1 / 3.5)].mean()
    specimen = amplitude[(frequency >= 1 / 30) & (frequency <= 1 / 6)].mean()
    return float((ice / specimen) ** 2) if specimen > 0 else float("nan")


def crystalline_ring(amplitude: Image, step: float) -> npt.NDArray[np.bool_] | None:
    """Pixels of the ice ring where it is that of crystals, (n, n); None where it is not, or lies beyond the edge.

    Crystals show as spots, or as lines where they are many; the ring of vitreous ice is smooth and broad. Power is
    taken relative to a straight line between the flanks. Arguments as of ``iciness``.
    """
    size = amplitude.shape[0]
    if size // 2 * step < 1 / FLANKS_ANGSTROM[1][1]:
        return None
    frequency = radius(size) * step
    offset = np.abs(np.arange(size) - size // 2) >= BESIDE_AXES_PX
    usable = offset[:, None] & offset[None]
    sides = [usable & _within(frequency, side) for side in FLANKS_ANGSTROM]
    levels = [float((amplitude[side].astype(np.float64) ** 2).mean()) for side in sides]
    if min(levels) <= 0:
        return None
    places = [float(frequency[side].mean()) for side in sides]
    ring = _within(frequency, RING_ANGSTROM)
    inside = usable & ring
    power = amplitude[inside].astype(np.float64) ** 2 / np.interp(frequency[inside], places, levels)
    low, middle, high = np.quantile(power, [0.25, 0.5, 0.75])
    spots = np.count_nonzero(power > middle + SPOT_DEVIATIONS * (high - low) / 1.349)
    strongest = _strongest_line(power, frequency[inside] / step)
    # rings of the CTF are lines too where the signal is strong: they are as strong beside the ice's
    beside = max(
        _strongest_line(amplitude[side].astype(np.float64) ** 2 / level, frequency[side] / step)
        for side, level in zip(sides, levels, strict=True)
    )
    # the plane holds every spot twice
    return ring if spots >= 2 * FEWEST_SPOTS or strongest > STRONG_LINE * max(beside, 1.0) else None


def _strongest_line(power: npt.NDArray[np.float64], ring: npt.NDArray[np.float64]) -> float:
    """Largest mean of power in a line one pixel wide, of pixels at radii ``ring``, px."""
    bins = np.rint(ring).astype(np.int64)
    counts = np.bincount(bins)
    # the outermost are cut by the limits
    whole = counts > 0.5 * counts.max()
    return float((np.bincount(bins, power)[whole] / counts[whole]).max())


def _within(frequency: npt.NDArray[np.float64], band: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Where frequencies (Å⁻¹) lie between two resolutions (Å, the low one first)."""
    return (frequency >= 1 / band[0]) & (frequency <= 1 / band[1])


@cache
def radius(size: int) -> npt.NDArray[np.float64]:
    """Distance of each pixel from the centre, (size, size), px."""
    centre = size // 2
    y, x = np.ogrid[-centre : size - centre, -centre : size - centre]
    return np.hypot(y, x)
