"""Translational alignment of noisy images to one another: each against the sum of all others.

Shifts are (y, x), px, to be applied to an image's content. Method: leave-one-out correlation as in MotionCor2
(Zheng et al. 2017) and RELION (Zivanov et al. 2019).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.motion_kernels import (
    add_powers,
    add_shifted,
    add_shifted_spans,
    cross_power,
    peak_derivatives,
)

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Complex64 = npt.NDArray[np.complex64]
Ramps = tuple[Complex64, Complex64]

MAP_ITERATIONS = 7
NEWTON_STEPS = 4
REFINING_STEPS = 2
NEAR = 0.1
"""RMS increment, px of the map, from which on Newton's steps take over."""
TOLERANCE = 0.01
FIXED_SHARE = 0.1
"""A fixed pattern weaker than this part of the specimen at the outermost frequencies is left alone."""
SMOOTH_FROM = 8
"""Images from which on a smooth path has fewer free places than single images have."""
WINDOWED = 1.06
"""Variance of a correlation of images that are tapered at their edges, over that of untapered ones: Σ t⁴ / (Σ t²)²."""
STILL = 0.9
"""Part of a fixed pattern that shifts leave shared, from which on motion does not tell it from the specimen."""
WHITE = 0.3
"""Power shared at the outermost frequencies, over that at low ones, from which on it is a pattern's."""
SHARED_RINGS = 8
CONVERGED = 0.1
MIN_MAP_EDGE = 256
MIXING = (0.7, 0.4, 0.2)
"""Weight of the smooth trajectory in the first iterations; later ones take each image's own shift."""


@dataclass(frozen=True)
class Alignment:
    """Shifts of a set of images.

    Attributes
    ----------
    shifts : (images, 2), px (y, x), the first zero.
    noise : (images,), standard deviation an axis that the images' own noise gives their shifts, px.
    converged : whether the last increments were below the tolerance.
    chance : natural logarithm of how many paths through noise alone are expected to fit as well.
    fixed_pattern : power of what all images share without having been shifted (errors of the gain); 0 for none.
    """

    shifts: Array
    noise: Array
    converged: bool
    chance: float
    fixed_pattern: float = 0.0


def low_pass(shape: tuple[int, int], pixel_size_angstrom: float, *, half_angstrom: float = 14.0) -> Float32:
    """Weights exp(−2Bq²) on the half plane, one half at ``half_angstrom``, without the lines kx = 0 and ky = 0.

    Rows and columns of a camera that differ by gain live on those lines and do not move with the specimen (Unblur
    leaves them out for the same reason). Frequencies below 1/500 Å⁻¹ are beam, not specimen.
    """
    qy = np.fft.fftfreq(shape[0])[:, None]
    qx = np.fft.rfftfreq(shape[1])[None, :]
    q2 = qy * qy + qx * qx
    half = max((pixel_size_angstrom / half_angstrom) ** 2, 1e-6)
    weight = np.exp2(-q2 / half) * (1 - np.exp2(-q2 / (pixel_size_angstrom / 500) ** 2))
    weight[0] = 0
    weight[:, 0] = 0
    return np.asarray(weight, np.float32)


def ramps(shift: Array, shape: tuple[int, int]) -> tuple[Complex64, Complex64]:
    """Phase ramps exp(−2πi q·s) along y and along the half axis x."""
    y, x = (_phasors(turns * s) for turns, s in zip(_turns(shape), shift, strict=True))
    return y, x


@lru_cache(maxsize=8)
def _turns(shape: tuple[int, int]) -> tuple[Array, Array]:
    """−2π q along y and along the half axis x."""
    y, x = (np.asarray(-2 * np.pi * q, np.float64) for q in (np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])))
    return y, x


def _phasors(angles: Array) -> Complex64:
    out = np.empty(len(angles), np.complex64)
    out.real, out.imag = np.cos(angles), np.sin(angles)
    return out


def align(
    transforms: Complex64, shape: tuple[int, int], weight: Float32, *, radius: float, smooth: bool = True
) -> Alignment:
    """Align images given by their transforms: peaks of correlation maps first, then Newton's steps to the maximum.

    Maps of large images are made from their inner frequencies alone, which hold nearly all of the signal; Newton's
    steps take all frequencies and need no map.

    Parameters
    ----------
    shape : (rows, columns) of the images; columns even.
    weight : (rows, columns // 2 + 1), of frequencies.
    radius : largest shift against the others in the first iteration, px.
    smooth : whether the images are a time series, whose early estimates are drawn to a smooth trajectory and made
        from running sums.
    """
    count = len(transforms)
    if count < 2:
        return Alignment(np.zeros((count, 2)), np.full(count, np.nan), True, float("nan"))
    pattern, most = _fixed_pattern(transforms, shape)
    small, inner, factor = _inner(transforms, weight, shape)
    shifts = _by_maps(small, inner, radius=radius / factor, pattern=pattern, smooth=smooth)
    path, chance = most_certain(small, inner, shifts, radius=radius / factor, pattern=most, smooth=smooth)
    rough = Alignment(path * factor, np.full(count, np.nan), True, chance, pattern)
    return refine(transforms, shape, weight, rough, steps=NEWTON_STEPS)


def most_certain(
    transforms: Complex64, weight: Float32, shifts: Array, *, radius: float, pattern: float, smooth: bool
) -> tuple[Array, float]:
    """The shifts, or the smooth path through them: what is the less likely to come of noise; and how likely that is.

    Were all images noise, their correlation H = Σ w Σ_{i<j} Re F_i* F_j under any one set of shifts would be Gaussian,
    with a variance that follows from their power. The largest H of all sets of shifts is bounded by how often a
    Gaussian field of as many dimensions is expected to come as high: each free place adds the number of places within
    the radius that correlation tells apart. A smooth path has few free places, so that many images, each too noisy to
    be placed by itself, are certain together.
    Source: Adler & Taylor 2007, Random Fields and Geometry, section 14 (expected Euler characteristic).

    Parameters
    ----------
    pattern : power that all images may share without having been shifted; it is no evidence.

    Returns
    -------
    tuple
        Shifts, and the natural logarithm of the number of sets of shifts of noise expected to fit as well.
    """
    count = len(shifts)
    tried = [(shifts, count - 1)]
    if smooth and count >= SMOOTH_FROM:
        tried.append((_polynomial(shifts), _degree(count)))
    power, squares = np.zeros(weight.shape, np.float32), np.zeros(weight.shape, np.float32)
    for transform in transforms:
        add_powers(transform, power, squares)
    certain = [
        (_chance(transforms, weight, path, free, (power, squares), radius=radius, pattern=pattern), path)
        for path, free in tried
    ]
    chance, path = min(certain, key=lambda found: found[0])
    return path, chance


def _chance(
    transforms: Complex64,
    weight: Float32,
    shifts: Array,
    free: int,
    powers: tuple[Float32, Float32],
    *,
    radius: float,
    pattern: float,
) -> float:
    """Logarithm of how many sets of shifts with so many free places are expected to fit noise as well as these."""
    count, shape = len(shifts), (transforms.shape[1], 2 * (transforms.shape[2] - 1))
    total = np.zeros_like(transforms[0])
    for transform, shift in zip(transforms, shifts, strict=True):
        add_shifted(transform, *ramps(shift, shape), total)
    power, squares = powers
    pairs = (power.astype(np.float64) ** 2 - squares) * (weight.astype(np.float64) ** 2)
    height, variance = (
        0.5 * float((weight * (np.abs(total) ** 2 - power)).sum(dtype=np.float64)),
        float(pairs.sum()) / 4,
    )
    if pattern:
        flat = np.zeros_like(total)
        for shift in shifts:
            add_shifted(np.ones_like(total), *ramps(shift, shape), flat)
        of_pattern = 0.5 * pattern * weight * (np.abs(flat) ** 2 - count)
        height -= float(of_pattern.sum(dtype=np.float64))
        # the power of a pattern scatters as much as it is large
        variance += float((of_pattern.astype(np.float64) ** 2).sum())
    score = height / np.sqrt(variance * WINDOWED) if variance > 0 else 0.0
    if score <= 1:
        return float("inf")
    y, x = _turns(shape)
    bend = float((pairs * (y[:, None] ** 2 + x**2)).sum() / pairs.sum()) / 2
    places = radius**2 * bend * score**2
    # a single image has its part in the correlation only, a term of a path has all of it
    places *= 1 / count if free == count - 1 else count / (count - 1)
    return float(free * np.log(max(places, 1.0)) - np.log(score * np.sqrt(2 * np.pi)) - score**2 / 2)


Amplitude = Callable[[int], Complex64]
"""Takes an image's number to what its transform would be, were the image one bright pixel at the origin."""


def refine(
    transforms: Complex64,
    shape: tuple[int, int],
    weight: Float32,
    rough: Alignment,
    *,
    steps: int = REFINING_STEPS,
    amplitude: Amplitude | None = None,
) -> Alignment:
    """Shifts at the maximum of the likelihood that the weights stand for, from rough ones near it.

    Parameters
    ----------
    amplitude : of images that have been filtered, for their fixed pattern; None: they have not.
    """
    shifts, noise, rms = rough.shifts, rough.noise, 0.0
    for _ in range(steps):
        step, noise = _newton(transforms, shape, weight, shifts, rough.fixed_pattern, amplitude)
        shifts = shifts + step
        rms = float(np.sqrt((step**2).mean()))
        if rms < TOLERANCE:
            break
    return Alignment(shifts - shifts[0], noise, rms < CONVERGED, rough.chance, rough.fixed_pattern)


def _inner(transforms: Complex64, weight: Float32, shape: tuple[int, int]) -> tuple[Complex64, Float32, int]:
    """Transforms and weights cropped to the inner half of the frequencies, and 2; as they are, and 1, where small."""
    rows, columns = shape
    if min(shape) < 2 * MIN_MAP_EDGE or rows % 4 or columns % 4:
        return transforms, weight, 1
    kept, half = rows // 4, columns // 4 + 1
    inner = np.empty((len(transforms), 2 * kept, half), np.complex64)
    inner[:, :kept], inner[:, kept:] = transforms[:, :kept, :half], transforms[:, -kept:, :half]
    return inner, np.concatenate([weight[:kept, :half], weight[-kept:, :half]]), 2


def _by_maps(transforms: Complex64, weight: Float32, *, radius: float, pattern: float, smooth: bool) -> Array:
    """Shifts to about a tenth of a pixel."""
    count = len(transforms)
    shape = transforms.shape[1], 2 * (transforms.shape[2] - 1)
    shifts = np.zeros((count, 2))
    reach = radius
    for iteration in range(MAP_ITERATIONS):
        span = _running(count) if smooth and iteration < 2 else 0
        step = _increments(transforms, shape, weight, shifts, reach=reach, span=span, pattern=pattern)
        updated = shifts + step
        mixed = smooth and iteration < len(MIXING) and count >= SMOOTH_FROM
        if mixed:
            updated = MIXING[iteration] * _polynomial(updated) + (1 - MIXING[iteration]) * updated
        rms = float(np.sqrt(((updated - shifts) ** 2).mean()))
        shifts = updated
        reach = max(3.0, min(reach, 2 * float(np.abs(step).max()) + 1))
        if rms < NEAR and not mixed:
            break
    return shifts


def _newton(
    transforms: Complex64,
    shape: tuple[int, int],
    weight: Float32,
    shifts: Array,
    pattern: float,
    amplitude: Amplitude | None,
) -> tuple[Array, Array]:
    """Steps of all images towards the maximum of their correlation with the others, at most half a pixel each.

    Also the standard deviation an axis that noise gives the place of that maximum (images,), px.
    """
    count = len(transforms)
    all_ramps = [ramps(s, shape) for s in shifts]
    total, flat_total = np.zeros_like(transforms[0]), np.zeros_like(transforms[0])
    flat = amplitude or _even(transforms[0])
    stops = weighted_columns(weight)
    starts = np.zeros_like(stops)
    for i, (transform, ramp) in enumerate(zip(transforms, all_ramps, strict=True)):
        add_shifted_spans(transform, *ramp, starts, stops, total)
        if pattern:
            add_shifted_spans(flat(i), *ramp, starts, stops, flat_total)
    steps, noise = np.zeros((count, 2)), np.full(count, np.inf)
    slope, of_pattern = np.empty(6), np.empty(6)
    for i, (transform, ramp) in enumerate(zip(transforms, all_ramps, strict=True)):
        peak_derivatives(transform, *ramp, total, weight, stops, slope)
        if pattern:
            peak_derivatives(flat(i), *ramp, flat_total, weight, stops, of_pattern)
            slope[:5] -= pattern * of_pattern[:5]
        gy, gx, hyy, hxx, hxy, variance = slope
        determinant = hyy * hxx - hxy * hxy
        # only a maximum is curved downwards in every direction
        if hyy < 0 and determinant > 0:
            step = np.array([-(hxx * gy - hxy * gx) / determinant, -(hyy * gx - hxy * gy) / determinant])
            steps[i] = step / max(1.0, 2 * float(np.hypot(*step)))
            noise[i] = np.sqrt(variance / 2 / determinant)
    # all move at once, each against a mean of the others that moves too: undamped, two images would only swap places
    return steps * (count - 1) / count, noise


def weighted_columns(weight: Float32) -> npt.NDArray[np.int64]:
    """How many columns of each row to look at, (rows,): later ones weigh nothing."""
    some = weight != 0
    return np.where(some.any(axis=1), weight.shape[1] - some[:, ::-1].argmax(axis=1), 0).astype(np.int64)


def _running(count: int) -> int:
    """Images on either side that join in the running sum of an early iteration."""
    return 2 if count >= 15 else 1 if count >= 6 else 0


def _increments(
    transforms: Complex64,
    shape: tuple[int, int],
    weight: Float32,
    shifts: Array,
    *,
    reach: float,
    span: int,
    pattern: float,
) -> Array:
    """Shift each image still needs against the sum of the others, (images, 2).

    Correlation of a fixed pattern of power ``pattern`` moves with the shifts applied so far: what a flat transform
    would give under them is taken off.
    """
    count = len(transforms)
    all_ramps = [ramps(s, shape) for s in shifts]
    total, product, own = (np.zeros_like(transforms[0]) for _ in range(3))
    for transform, ramp in zip(transforms, all_ramps, strict=True):
        add_shifted(transform, *ramp, total)
    flat = np.ones_like(total)
    flat_total, flat_own, flat_product = (np.zeros_like(total) for _ in range(3))
    if pattern:
        for ramp in all_ramps:
            add_shifted(flat, *ramp, flat_total)
    step = np.zeros((count, 2))
    for i in range(count):
        # one image joins the running sum, and one leaves it
        for j, sign in _changes(i, span, count):
            ramp_y, ramp_x = all_ramps[j]
            add_shifted(transforms[j], sign * ramp_y, ramp_x, own)
            if pattern:
                add_shifted(flat, sign * ramp_y, ramp_x, flat_own)
        cross_power(own, total, weight, product)
        if pattern:
            cross_power(flat_own, flat_total, weight, flat_product)
            product -= np.float32(pattern) * flat_product
        step[i] = _peak(product, shape, reach)
    # all move at once, each against a mean of the others that moves too: undamped, two images would only swap places
    return step * (count - 1) / count


def _changes(index: int, span: int, count: int) -> Iterator[tuple[int, np.float32]]:
    """Images that a running sum gains (1) and loses (−1) when it comes to be that around ``index``."""
    for j in range(min(span + 1, count)) if index == 0 else range(index + span, min(index + span + 1, count)):
        yield j, np.float32(1)
    if index - span - 1 >= 0:
        yield index - span - 1, np.float32(-1)


def _even(like: Complex64) -> Amplitude:
    ones = np.ones_like(like)
    return lambda _index: ones


def _fixed_pattern(transforms: Complex64, shape: tuple[int, int]) -> tuple[float, float]:
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


def fixed_share(transforms: Complex64, shape: tuple[int, int], found: Alignment) -> tuple[float, float]:
    """Power of the camera's fixed pattern, and over that of an image; 0 where what images share is the specimen.

    At the outermost frequencies, images share P + c S as they lie and S + c P when aligned, of pattern and specimen; c
    is what shifts leave of a power that does not move with them. Where there is next to no motion to tell the two
    apart, it is the pattern that is white.
    """
    if not found.fixed_pattern:
        return 0.0, 0.0
    count = len(transforms)
    nowhere = np.zeros((count, 2))
    still, owns, pixels = _shared_power(transforms, shape, nowhere)
    aligned, _, _ = _shared_power(transforms, shape, found.shifts)
    kept, _, _ = _shared_power([np.ones_like(transforms[0])] * count, shape, found.shifts)
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


def _peak(product: Complex64, shape: tuple[int, int], reach: float) -> Array:
    """Highest point (y, x) of a correlation map within ``reach``, by parabolas to part of a pixel.

    ``product`` is the transform of the map, and is overwritten. Only the rows that are looked at are made.
    """
    rows, columns = shape
    limit = int(min(reach + 1, rows // 2 - 1, columns // 2 - 1))
    index = np.arange(-limit - 1, limit + 2)
    ducc0.fft.c2c(product, axes=(0,), forward=False, nthreads=1, out=product)
    correlation = ducc0.fft.c2r(product[index % rows], axes=(1,), lastsize=columns, forward=False, nthreads=1)
    window = correlation[:, index % columns]
    far = np.hypot(index[:, None], index[None, :]) > reach
    masked = np.where(far, -np.inf, window)
    peak = np.unravel_index(int(masked.argmax()), masked.shape)
    y, x = (int(np.clip(p, 1, len(index) - 2)) for p in peak)
    return np.array(
        [
            index[y] + _vertex(window[y - 1, x], window[y, x], window[y + 1, x]),
            index[x] + _vertex(window[y, x - 1], window[y, x], window[y, x + 1]),
        ]
    )


def _vertex(before: float, here: float, after: float) -> float:
    curvature = float(before) - 2 * float(here) + float(after)
    if curvature >= 0:
        return 0.0
    return float(np.clip(0.5 * (float(before) - float(after)) / curvature, -0.5, 0.5))


def _polynomial(shifts: Array) -> Array:
    """Trajectory through all shifts: polynomial of degree min(4, n // 4) in sqrt(time), as settling slows down."""
    count = len(shifts)
    time = np.sqrt(np.linspace(0, 1, count))
    fitted = np.polynomial.polynomial.polyfit(time, shifts, _degree(count))
    return np.asarray(np.polynomial.polynomial.polyval(time, fitted).T)


def _degree(count: int) -> int:
    return min(4, count // 4)
