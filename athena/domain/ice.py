"""Thickness of the ice relative to a run: what its images lose of the beam."""

import numpy as np
from numpy.typing import NDArray

BRIGHTEST_PERCENT = 99.0
"""Percentile of a run's intensities that stands for the beam without ice: an empty hole, or the thinnest there is."""
FEWEST = 10
"""Exposures of one kind without which nothing can be said of the brightest."""


def relative_thickness(
    intensity: NDArray[np.float64], pixel_size: NDArray[np.float64], dose: NDArray[np.float64]
) -> NDArray[np.float64]:
    """ln(I₀ / I) of each exposure: thickness in mean free paths (Beer and Lambert), beyond the thinnest of the run.

    I₀ is the 99th percentile among exposures of the same pixel size and dose a frame, of which there must be 10; values
    a little below 0 are brighter than that.

    Parameters
    ----------
    intensity : (n,) mean of a frame; NaN where not known, 0 where there is no beam.
    pixel_size, dose : (n,) of each, the dose of a frame; NaN is not known, and a kind of its own.

    Returns
    -------
    (n,); NaN where nothing can be said.
    """
    thickness = np.full(intensity.size, np.nan)
    seen = np.flatnonzero(np.isfinite(intensity) & (intensity > 0))
    if seen.size == 0:
        return thickness
    # settings are told to four digits; what is not known is all the same
    kinds = np.column_stack([_digits(column[seen]) for column in (pixel_size, dose)])
    _, kind, counts = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
    for number in np.flatnonzero(counts >= FEWEST):
        members = seen[kind.ravel() == number]
        light = intensity[members]
        thickness[members] = np.log(np.percentile(light, BRIGHTEST_PERCENT) / light)
    return thickness


def _digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values to four digits; -1 where there is none."""
    rounded = np.full(values.size, -1.0)
    known = np.isfinite(values) & (values > 0)
    unit = 10.0 ** (np.floor(np.log10(values[known])) - 3)
    rounded[known] = np.round(values[known] / unit) * unit
    return rounded
