"""Translational alignment of noisy images to one another: each against the sum of all others.

Shifts are (y, x), px, to be applied to an image's content. Method: leave-one-out correlation as in MotionCor2
(Zheng et al. 2017) and RELION (Zivanov et al. 2019).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.evidence import Path, most_certain
from athena_pipelines.core.fixed_pattern import find_fixed_pattern
from athena_pipelines.core.motion_kernels import add_shifted, add_shifted_spans, cross_power, peak_derivatives
from athena_pipelines.core.phases import ramps

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Complex64 = npt.NDArray[np.complex64]

MAP_ITERATIONS = 7
NEWTON_STEPS = 4
REFINING_STEPS = 2
NEAR = 0.1
"""RMS increment, px of the map, from which on Newton's steps take over."""
TOLERANCE = 0.01
SMOOTH_FROM = 8
"""Images from which on a smooth path has fewer free places than single images have."""
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
    pattern, most = find_fixed_pattern(transforms, shape)
    small, inner, factor = _inner(transforms, weight, shape)
    shifts = _by_maps(small, inner, radius=radius / factor, pattern=pattern, smooth=smooth)
    paths = [Path(shifts, count - 1)]
    if smooth and count >= SMOOTH_FROM:
        paths.append(Path(_polynomial(shifts), _degree(count)))
    path, chance = most_certain(small, inner, paths, radius=radius / factor, pattern=most)
    rough = Alignment(path * factor, np.full(count, np.nan), True, chance, pattern)
    return refine(transforms, shape, weight, rough, steps=NEWTON_STEPS)


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
