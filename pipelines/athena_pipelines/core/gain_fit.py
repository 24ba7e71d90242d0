"""Which way round a gain reference fits a movie, and whether it multiplies or divides.

The average of raw frames shows the camera's pixels as they are: their response, the inverse of the gain. What of it
varies from pixel to pixel is compared with that of the reference, turned in each of the eight ways; the specimen has
no part in it. Significance is taken against what the same comparison gives at all other displacements, so a specimen
or a pattern that repeats counts as the chance it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from athena.contract.processing import GainFit, GainOrientation, GainSense
from athena.formats.gain import oriented

Float32 = npt.NDArray[np.float32]

EDGES = (1024, 2048)
"""Middle pieces that are looked at, px; the whole where they do not tell."""
WINDOW = 15
"""Of the mean that fine structure is told from, px."""
CLIP = 4.0
"""Fine structure is cut at so many standard deviations: hot pixels and dirt do not outweigh all others."""
DARK = 0.2
"""Of the brightest tenth: what is darker around has no beam, and tells nothing."""
CLEAR, AHEAD = 6.0, 5.0
"""How many σ an orientation must exceed chance, and the next best one."""
SHARP = 0.15
"""Uncertainty of the slope up to which a comparison can say that no orientation fits."""
LEAST_SLOPE = 0.5
"""Of the average's structure on the gain's: below it, a gain brings in more than it takes out."""


@dataclass(frozen=True)
class _Comparison:
    orientation: GainOrientation
    correlation: float
    sigma: float
    slope: float
    slope_error: float

    @property
    def deviation(self) -> float:
        """Correlation in σ."""
        return abs(self.correlation) / max(self.sigma, 1e-12)


def fit_gain(
    average: Float32,
    reference: Float32,
    candidates: Sequence[GainOrientation],
    *,
    usual: GainSense,
    sense: GainSense = GainSense.AUTO,
) -> GainFit:
    """Orientation and sense of a gain reference.

    Parameters
    ----------
    average : (height, width), raw frames summed or averaged, MRC row order, no gain applied.
    reference : as it lies in its file, of the frames' size, its half or its double.
    candidates : orientations that its size allows.
    usual : sense that such a file has where the comparison tells none.
    sense : where it is known; AUTO where not.
    """
    image, gain = _same_size(average, reference)
    told: list[_Comparison] = []
    for edge in (*EDGES, max(average.shape)):
        told = _compare(image, gain, candidates, edge)
        if _ahead(told) >= AHEAD or edge >= max(image.shape):
            break
    best = told[0]
    # the image of an even beam varies as the average does, a factor the other way
    found: GainSense = GainSense.MULTIPLY if best.correlation < 0 else GainSense.DIVIDE
    found = found if sense is GainSense.AUTO else sense
    agrees = (best.correlation < 0) == (found is GainSense.MULTIPLY)
    determined = agrees and best.deviation >= CLEAR and _ahead(told) >= AHEAD
    refuted = best.slope_error < SHARP and (not agrees or abs(best.slope) < LEAST_SLOPE)
    if not determined:
        own = [one for one in told if one.orientation is GainOrientation.AS_IS]
        found = sense if sense is not GainSense.AUTO else usual
        chosen = own[0] if own else best
    else:
        chosen = best
    sign = -1 if found is GainSense.MULTIPLY else 1
    return GainFit(
        orientation=chosen.orientation,
        sense=found,
        determined=determined and not refuted,
        fits=not refuted,
        correlation=sign * chosen.correlation,
        significance=_ahead(told),
        flatness=_flatness(chosen, sign),
    )


def _ahead(told: Sequence[_Comparison]) -> float:
    """By how many σ the first exceeds the second; against chance where there is one alone."""
    best = told[0]
    if len(told) == 1:
        return best.deviation
    return (abs(best.correlation) - abs(told[1].correlation)) / max(best.sigma, 1e-12)


def _compare(image: Float32, gain: Float32, candidates: Sequence[GainOrientation], edge: int) -> list[_Comparison]:
    """Comparisons of each orientation, the best first."""
    height, width = (min(edge, length) for length in image.shape)
    # a piece is the middle of its image in every orientation only where what is cut off is even
    height, width = height - (image.shape[0] - height) % 2, width - (image.shape[1] - width) % 2
    seen, lit = _seen(_middle(image, (height, width)))
    seen_transform = fft.rfft2(seen)
    seen_power = np.abs(seen_transform) ** 2
    told = []
    size = seen.size
    spread = float(np.sqrt((seen * seen).mean(dtype=np.float64)))
    turned: dict[bool, Float32] = {}
    for one in candidates:
        across = oriented(gain[:1, :2], one).shape == (2, 1)
        if across not in turned:
            piece = _middle(gain, (width, height) if across else (height, width))
            logarithm = np.log(_positive(piece))
            turned[across] = _clipped(logarithm - _around(logarithm), np.ones(piece.shape, np.bool_))
        known = np.where(lit, oriented(turned[across], one), 0)
        own = float(np.sqrt((known * known).mean(dtype=np.float64)))
        scale = max(spread * own, 1e-20)
        correlation = float((seen * known).mean(dtype=np.float64)) / scale
        # the mean square over all displacements, by Parseval; columns of the half plane stand for two
        power = seen_power * np.abs(fft.rfft2(known)) ** 2
        both = 2 * power.sum() - power[:, 0].sum() - (power[:, -1].sum() if width % 2 == 0 else 0)
        mean_square = float(both) / size**3 / scale**2 / size
        sigma = float(np.sqrt(max(mean_square - correlation**2 / size, 1e-20)))
        ratio = spread / max(own, 1e-12)
        # where nothing varies, nothing is told
        error = sigma * ratio if spread and own else float("inf")
        told.append(_Comparison(one, correlation, sigma, correlation * ratio, error))
    return sorted(told, key=lambda one: -abs(one.correlation))


def _flatness(chosen: _Comparison, sign: int) -> float:
    """Spread of the average's fine structure once corrected, of that before."""
    correlation, slope = sign * chosen.correlation, sign * chosen.slope
    if not slope:
        return 1.0
    # the reference's own spread, of the average's
    own = correlation / slope
    return float(np.sqrt(max(1 + own**2 - 2 * own * correlation, 0.0)))


def _same_size(average: Float32, reference: Float32) -> tuple[Float32, Float32]:
    """Both on the coarser one's pixels."""
    longest, own = max(average.shape), max(reference.shape)
    if own == 2 * longest:
        return average, _halved(reference)
    if longest == 2 * own:
        return _halved(average), reference
    return average, reference


def _halved(image: Float32) -> Float32:
    height, width = image.shape
    return np.asarray(image.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)), np.float32)


def _middle(image: Float32, shape: tuple[int, int]) -> Float32:
    top, left = (image.shape[0] - shape[0]) // 2, (image.shape[1] - shape[1]) // 2
    return image[top : top + shape[0], left : left + shape[1]]


def _positive(image: Float32) -> Float32:
    """Values a logarithm can be taken of: those that are none become the median."""
    good = image > 0
    return np.where(good, image, np.median(image[good]) if good.any() else 1).astype(np.float32)


def _seen(image: Float32) -> tuple[Float32, npt.NDArray[np.bool_]]:
    """What of an average varies from pixel to pixel, as a part of the mean around it; and where the beam is."""
    around = _around(image)
    least = max(DARK * float(np.percentile(around[::5, ::5], 90)), 1e-6)
    lit = around > least
    structure = np.where(lit, (image - around) / np.maximum(around, least), 0)
    return _clipped(structure, lit), lit


def _around(image: Float32) -> Float32:
    return np.asarray(ndimage.uniform_filter(image, WINDOW, mode="reflect"), np.float32)


def _clipped(structure: Float32, where: npt.NDArray[np.bool_]) -> Float32:
    """Structure cut at CLIP standard deviations, mean-free; 0 elsewhere."""
    count = max(int(where.sum()), 1)
    for _ in range(3):
        spread = float(np.sqrt((structure * structure).sum(dtype=np.float64) / count))
        np.clip(structure, -CLIP * spread, CLIP * spread, out=structure)
    mean = structure.sum(dtype=np.float64) / count
    return np.asarray(np.where(where, structure - mean, 0), np.float32)
