"""The camera's fixed pattern: what all frames share as they lie, errors of the gain."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.motion_kernels import add_shifted_spans
from athena_pipelines.core.phases import Ramps, ramps

Array = npt.NDArray[np.float64]
Complex64 = npt.NDArray[np.complex64]

FIXED_SHARE = 0.1
"""A fixed pattern weaker than this part of the specimen at the outermost frequencies is left alone."""
STILL = 0.9
"""Part of a fixed pattern that shifts leave shared, from which on motion does not tell it from the specimen."""
WHITE = 0.3
"""Power shared at the outermost frequencies, over that at low ones, from which on it is a pattern's."""
SHARED_RINGS = 8


def find_fixed_pattern(transforms: Complex64, shape: tuple[int, int]) -> tuple[float, float]:
    """Power that all images share without having been shifted, errors of the gain, and the most it may be; 0 for none.

    It is white, and so shows where the specimen has next to no signal left: the outermost frequencies.
    """
    count = len(transforms)
    shared, own, pixels = _shared_power(transforms, shape, np.zeros((count, 2)))
    pattern = _in_all(shared)
    error = float(own.mean()) / np.sqrt(pixels)
    if pattern <= max(4 * error / count, 0):
        return 0.0, 0.0
    return pattern, float(shared.max()) + 4 * error / count


def fixed_share(transforms: Complex64, shape: tuple[int, int], shifts: Array) -> tuple[float, float]:
    """Power of the camera's fixed pattern, and over that of an image; 0 where what images share is the specimen.

    At the outermost frequencies, images share P + c S as they lie and S + c P when aligned, of pattern and specimen; c
    is what shifts leave of a power that does not move with them. Where there is next to no motion to tell the two
    apart, it is the pattern that is white.
    """
    count = len(transforms)
    nowhere = np.zeros((count, 2))
    still, owns, pixels = _shared_power(transforms, shape, nowhere)
    aligned, _, _ = _shared_power(transforms, shape, shifts)
    kept, _, _ = _shared_power([np.ones_like(transforms[0])] * count, shape, shifts)
    own = float(owns.mean())
    if kept.mean() > STILL:
        inner, _, _ = _shared_power(transforms, shape, nowhere, band=(0.03, 0.1))
        pattern = _in_all(still)
        if pattern <= WHITE * inner.mean():
            pattern = 0.0
        return pattern, pattern / own
    pattern = _in_all((still - kept * aligned) / (1 - kept**2))
    left = float(1 - kept.mean() ** 2)
    error = 4 * own / np.sqrt(pixels) / count / left
    specimen = float((aligned - kept * pattern).mean())
    return (pattern, pattern / own) if pattern > max(error, FIXED_SHARE * specimen) else (0.0, 0.0)


def _in_all(shared: Array) -> float:
    """What is shared at all frequencies, of what is shared in rings: crystals of ice (3.9–2.2 Å) are in some."""
    return float(np.sort(shared)[1])


def _shared_power(
    transforms: Sequence[Complex64] | Complex64,
    shape: tuple[int, int],
    shifts: Array,
    *,
    band: tuple[float, float] = (0.4, 1.0),
) -> tuple[Array, Array, int]:
    """Power that shifted images have in common and that each has, in rings of a band; and pixels of the band.

    ``band``, of frequencies in cycles a pixel, is the outermost. The rings have the same number of pixels each.
    """
    qy, qx = np.abs(np.fft.fftfreq(shape[0]))[:, None], np.fft.rfftfreq(shape[1])[None, :]
    q = np.hypot(qy, qx)
    inside = (q > band[0]) & (q <= band[1]) & (qy > 0.01) & (qx > 0.01)
    edges = np.quantile(q[inside], np.linspace(0, 1, SHARED_RINGS + 1))
    edges[0] = 0
    rings = [inside & (q > low) & (q <= high) for low, high in pairwise(edges)]
    all_ramps = [ramps(s, shape) for s in shifts]
    nowhere = ramps(np.zeros(2), shape)
    shared, own = np.transpose([_ring_power(transforms, all_ramps, nowhere, ring) for ring in rings])
    return shared, own, int(inside.sum())


def _ring_power(
    transforms: Sequence[Complex64] | Complex64, all_ramps: list[Ramps], nowhere: Ramps, inside: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Power that shifted images have in common and that each has, of the pixels of a ring."""
    count = len(transforms)
    # of a ring, the half of a row is one piece
    pixels = inside.sum(axis=1)
    starts = inside.argmax(axis=1)
    stops = starts + pixels
    total, own = np.zeros_like(transforms[0]), 0.0
    for transform, ramp in zip(transforms, all_ramps, strict=True):
        own += add_shifted_spans(transform, *ramp, starts, stops, total)
    whole = add_shifted_spans(total, *nowhere, starts, stops, np.empty_like(total))
    own, whole = own / count / pixels.sum(), whole / pixels.sum()
    return (whole - count * own) / (count * (count - 1)), own
