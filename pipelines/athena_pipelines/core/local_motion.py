"""Local motion: patches aligned on their own, and RELION's third-order polynomial through them.

S(x, y, z) = Σ_m m · (c_m1 z + c_m2 z² + c_m3 z³) for m in 1, x, x², y, y², xy; x and y are the place relative to the
image centre in units of its size, z the frame, counted from the first. Source: Zivanov et al. 2019, eq. 1.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.alignment import weighted_columns
from athena_pipelines.core.motion_kernels import add_shifted, peak_derivatives, ring_power
from athena_pipelines.core.phases import ramps
from athena_pipelines.core.signal import Bands, on_plane
from athena_pipelines.core.small_frames import transforms_of

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Complex64 = npt.NDArray[np.complex64]

TERMS = 18
MAX_LOCAL_PX = 30.0
"""A local field that moves anything further than this is an error."""
SCORING_STEPS = 4
PRIOR_PX = (0.12, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Sizes of local motion tried, RMS px of one term."""
PRIOR_COURSES = (0.4, 0.2)
"""Standard deviation of the second and third order in time over the first, in the course that all terms share."""
PRIOR_STRAYS = (0.1, 0.3, 0.9)
"""How far terms stray from that course, relative to it, that are tried."""
STRAY_ORDERS = (1.0, 0.3, 0.1)
"""Variance of what strays, by order in time."""
GROUP_DOSE = 1e5
"""Electrons a group of frames should have in one patch."""


@dataclass(frozen=True)
class LocalModel:
    """Polynomial local motion: coefficients (2, TERMS) for (y, x), unbinned px, and the number of frames."""

    coefficients: Array
    frames: int

    def shifts(self, places: Array, frames: npt.NDArray[np.int64]) -> Array:
        """Shift to apply on top of the global one at places (p, 2), (y, x) from −0.5 to 0.5: (frames, p, 2), px."""
        time = np.asarray(frames, np.float64) / self.frames
        basis = _basis(places[None, :, :], time[:, None])
        return np.asarray(basis @ self.coefficients.T)


@dataclass(frozen=True)
class LocalMotion:
    """What the patches gave.

    Attributes
    ----------
    model : None where patches hold no local motion worth a model.
    reason : why there is no model; empty where there is one.
    residual_px : RMS of observations against the model (unbinned px), NaN without one.
    """

    model: LocalModel | None
    reason: str
    residual_px: float


def _basis(places: Array, time: Array) -> Array:
    """(…, TERMS) of the polynomial at places (…, 2) in (y, x) and times (…)."""
    y, x = places[..., 0], places[..., 1]
    y, x, time = np.broadcast_arrays(y, x, time)
    space = np.stack([np.ones_like(x), x, x * x, y, y * y, x * y], axis=-1)
    powers = np.stack([time, time**2, time**3], axis=-1)
    return (space[..., :, None] * powers[..., None, :]).reshape(*x.shape, TERMS)


def group_frames(frames: int, electrons_per_frame: float) -> list[slice]:
    """Groups of consecutive frames with GROUP_DOSE in a patch; leftover frames join the last groups, as in RELION."""
    size = int(np.clip(np.ceil(GROUP_DOSE / max(electrons_per_frame, 1e-9)), 1, max(frames // 3, 1)))
    # beyond a dozen groups a polynomial gains nothing, and every group costs a transform of every patch
    size = max(size, -(-frames // 12))
    count = frames // size
    lengths = [size + (1 if index >= count - frames % size else 0) for index in range(count)] if count else [frames]
    # with more left over than groups, the last takes the rest
    lengths[-1] += frames - sum(lengths)
    edges = np.concatenate([[0], np.cumsum(lengths)])
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def patch_slices(shape: tuple[int, int], grid: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Patches (y, x) that share an image's area, row-major, all of one even size.

    They overlap by a pixel or two at most: noise in what two of them share would count twice.
    """
    rows, columns = (_spans(n, k) for n, k in zip(shape, grid, strict=True))
    return [(r, c) for r in rows for c in columns]


def _spans(length: int, count: int) -> list[slice]:
    size = min(-(-length // (2 * count)) * 2, length)
    starts = [round(i * (length - size) / (count - 1)) for i in range(count)] if count > 1 else [0]
    return [slice(s, s + size) for s in starts]


def patch_centres(shape: tuple[int, int], grid: tuple[int, int]) -> Array:
    """Centres (patches, 2) of ``patch_slices`` in units of the image's size, (y, x) from −0.5 to 0.5."""
    return np.array(
        [
            [(r.start + r.stop) / 2 / shape[0] - 0.5, (c.start + c.stop) / 2 / shape[1] - 0.5]
            for r, c in patch_slices(shape, grid)
        ]
    )


def measure_local(
    transforms: Complex64,
    shape: tuple[int, int],
    shifts: Array,
    *,
    grid: tuple[int, int],
    bands: Bands,
    snr: Array,
    left: Array,
    pattern: float,
    scale: float,
    electrons_per_frame: float,
) -> LocalMotion:
    """Most likely polynomial of all patches together, from globally aligned, grouped frames.

    The likelihood of ``athena_pipelines.core.signal`` is climbed by scoring: each patch and group gives a gradient and,
    from the known strength of the signal, the precision of its place; the polynomial is fitted to all places at once.
    How large its coefficients may be is chosen by the evidence, so that noise alone gives no motion.
    Source: Bishop 2006, Pattern Recognition and Machine Learning, section 3.5.

    Parameters
    ----------
    transforms, shape : of the small frames, after fading.
    shifts : global shifts of the small frames (frames, 2), px.
    grid : patches (y, x); a model needs at least 3 × 3.
    bands, snr, left : rings, signal over noise, and what is left of the specimen in each frame.
    pattern : power of the camera's fixed pattern over that of a frame; 0 for none.
    scale : unbinned px of a px of the small frames.
    electrons_per_frame : counts a frame has in a patch.
    """
    frames = len(transforms)
    groups = group_frames(frames, electrons_per_frame)
    if min(grid) < 3 or len(groups) < 3:
        return LocalMotion(None, "too few patches or frames", float("nan"))
    summed = _group_images(transforms, shape, shifts, groups)
    left_in_groups = np.stack([(left[group] ** 2).sum(axis=0) for group in groups])
    slices = patch_slices(shape, grid)
    size = (slices[0][0].stop - slices[0][0].start, slices[0][1].stop - slices[0][1].start)
    fixed = _pattern_in_groups(size, bands, left, shifts, groups) * np.float32(np.sqrt(pattern)) if pattern else None
    patches = [
        Patch.of(np.ascontiguousarray(summed[:, rows, columns]), bands, snr, left_in_groups, fixed)
        for rows, columns in slices
    ]
    time = np.array([(g.start + g.stop - 1) / 2 for g in groups]) / frames
    places = patch_centres(shape, grid)
    basis = _basis(places[:, None, :], time[None, :])
    information = np.stack([patch.information for patch in patches]) / scale**2
    fit = _Fit.of(basis, information)
    field = np.zeros((len(patches), len(groups), 2))
    for _ in range(SCORING_STEPS):
        gradient = np.stack([p.gradient(at / scale) for p, at in zip(patches, field, strict=True)]) / scale
        solution, doubt = fit.solve(gradient + information @ field)
        field = basis @ solution
    if doubt > 0.5:
        return LocalMotion(None, "no local motion above the noise", float("nan"))
    step = gradient / np.diagonal(information, axis1=1, axis2=2)[..., None]
    residual = float(np.sqrt((step**2).mean()))
    if np.abs(field).max() >= MAX_LOCAL_PX:
        return LocalMotion(None, "patches contradict one another", float("nan"))
    return LocalMotion(LocalModel(solution.T.copy(), frames), "", residual)


@dataclass(frozen=True)
class Patch:
    """Groups of frames in one patch: transforms with noise of unit power a frame, and what they can tell.

    Attributes
    ----------
    transforms, shape : (groups, rows, columns // 2 + 1), (rows, columns).
    weight : of frequencies, (rows, columns // 2 + 1).
    information : on the places of the groups, px⁻², as the signal's strength lets one expect, (groups, groups). Only
        differences of places are known, and late groups, which have lost their finest detail, know early ones by
        coarser detail than these one another.
    fixed : amplitude of the camera's fixed pattern in each group, as ``transforms``; None for none.
    """

    transforms: Complex64
    shape: tuple[int, int]
    weight: Float32
    information: Array
    fixed: Complex64 | None

    @classmethod
    def of(cls, images: Float32, bands: Bands, snr: Array, left: Array, fixed: Complex64 | None) -> "Patch":
        """Patch of group images (groups, rows, columns); ``left`` (groups, rings) is the sum of a² in each group."""
        shape = (images.shape[1], images.shape[2])
        rings = bands.rings(shape)
        transforms = transforms_of(images)
        power = np.zeros(bands.count + 1)
        for transform in transforms:
            ring_power(transform, rings, power)
        pixels = np.bincount(rings.ravel(), minlength=bands.count + 1)[: bands.count]
        expected = float((pixels * (left + snr * left**2).sum(axis=0)).sum())
        transforms *= np.float32(np.sqrt(expected / power[: bands.count].sum()))
        whole = left.sum(axis=0)
        table = snr / (1 + snr * whole)
        # mean of (2πq)² over a ring's pixels, of one axis: half of the whole
        q = (np.arange(bands.count) + 0.5) / (2 * bands.count)
        bend = 0.5 * (2 * np.pi * q) ** 2 * pixels
        pairs = 2 * (left * (table * snr * bend)) @ left.T
        information = np.diag(pairs.sum(axis=1)) - pairs
        return cls(transforms, shape, on_plane(table, rings), information, fixed)

    def gradient(self, shifts: Array) -> Array:
        """Slope of the log likelihood with each group's shift, at shifts (groups, 2), px (y, x)."""
        slopes = _slopes(self.transforms, self.shape, self.weight, shifts)
        return slopes if self.fixed is None else slopes - _slopes(self.fixed, self.shape, self.weight, shifts)


def _slopes(transforms: Complex64, shape: tuple[int, int], weight: Float32, shifts: Array) -> Array:
    """Slope of Σ w |Σ F|² over the whole plane with each image's shift, (images, 2), (y, x)."""
    all_ramps = [ramps(shift, shape) for shift in shifts]
    total = np.zeros_like(transforms[0])
    for transform, ramp in zip(transforms, all_ramps, strict=True):
        add_shifted(transform, *ramp, total)
    slope, out = np.empty(6), np.empty((len(shifts), 2))
    stops = weighted_columns(weight)
    for place, (transform, ramp) in enumerate(zip(transforms, all_ramps, strict=True)):
        peak_derivatives(transform, *ramp, total, weight, stops, slope)
        out[place] = 2 * slope[:2]
    return out


def _pattern_in_groups(
    shape: tuple[int, int], bands: Bands, left: Array, shifts: Array, groups: list[slice]
) -> Complex64:
    """Transform that one bright pixel, the same in every frame, has in each group of faded and shifted frames."""
    rings = bands.rings(shape)
    out = np.zeros((len(groups), *rings.shape), np.complex64)
    for total, group in zip(out, groups, strict=True):
        for index in range(group.start, group.stop):
            add_shifted(on_plane(left[index], rings).astype(np.complex64), *ramps(shifts[index], shape), total)
    return out


_SPACE = np.array(
    # factors of 1, x, x², y, y², xy in 2x, (3 (2x)² − 1) / 2, 2y, (3 (2y)² − 1) / 2 and 4xy: no mean over the image
    [[0, 2, 0, 0, 0, 0], [-0.5, 0, 6, 0, 0, 0], [0, 0, 0, 2, 0, 0], [-0.5, 0, 0, 0, 6, 0], [0, 0, 0, 0, 0, 4]]
) * np.sqrt([[3], [5], [3], [5], [9]])


def _time_terms() -> Array:
    """Polynomials of z, z², z³ (rows) that are orthonormal over 0 to 1, in order of degree."""
    z = (np.arange(256) + 0.5) / 256
    triangle = np.linalg.qr(np.stack([z, z**2, z**3], axis=1) / 16)[1]
    return np.asarray(np.linalg.inv(triangle).T)


_ORTHOGONAL = np.kron(_SPACE, _time_terms())
"""(15, TERMS): terms of which each has an RMS of 1 over image and time, as polynomials."""


@dataclass(frozen=True)
class _Fit:
    """Polynomial through places of which the information is known.

    Attributes
    ----------
    terms : (patches, groups, 15), the orthogonal terms.
    information : on their coefficients, of one axis, (15, 15), px⁻².
    """

    terms: Array
    information: Array

    @classmethod
    def of(cls, basis: Array, information: Array) -> "_Fit":
        terms = basis @ _ORTHOGONAL.T
        return cls(terms, np.einsum("pgi,pgh,phj->ij", terms, information, terms, optimize=True))

    def solve(self, pulls: Array) -> tuple[Array, float]:
        """Expected coefficients (TERMS, 2), and the probability that all are zero.

        How large motion is, what course it takes in time and how far the terms stray from that course are not known:
        all are weighed by their evidence. Source: Rasmussen & Williams 2006, section 5.2.

        Parameters
        ----------
        pulls : information times places, (patches, groups, 2), px⁻¹.
        """
        information, pull = self.information, np.einsum("pgi,pga->ia", self.terms, pulls)
        priors = _Priors.tried()
        posteriors = information + priors.inverses
        solutions = np.linalg.solve(posteriors, np.broadcast_to(pull, (len(posteriors), *pull.shape)))
        # both axes have one prior
        volumes = np.linalg.slogdet(posteriors)[1] + priors.volumes
        evidences = 0.5 * (pull * solutions).sum(axis=(1, 2)) - volumes + priors.shares
        best = max(float(evidences.max()), 0.0)
        some = np.exp(evidences - best)
        # no motion at all is one possibility, some motion of whatever width the other
        nothing = np.exp(-best)
        share = some / (some.sum() + nothing)
        return _ORTHOGONAL.T @ np.tensordot(share, solutions, axes=1), float(nothing / (some.sum() + nothing))


@dataclass(frozen=True)
class _Priors:
    """Covariances of the coefficients that are tried.

    The specimen moves as one: its terms share a course in time, more or less.

    Attributes
    ----------
    inverses : (priors, 15, 15), of the orthogonal terms.
    volumes : (priors,), log determinants.
    shares : (priors,), logarithm of how probable each is before a movie is seen.
    """

    inverses: Array
    volumes: Array
    shares: Array

    @classmethod
    @cache
    def tried(cls) -> "_Priors":
        """All widths, courses and strays."""
        steps = [sd * np.linspace(-2, 2, count) for sd, count in zip(PRIOR_COURSES, (9, 5), strict=True)]
        covariances, shares = [], []
        for second, third, stray, width in product(*steps, PRIOR_STRAYS, PRIOR_PX):
            course = np.array([1.0, second, third])
            shape = np.outer(course, course) / (course @ course) + stray**2 * np.diag(STRAY_ORDERS)
            covariances.append(width**2 * shape / (1 + stray**2 * np.mean(STRAY_ORDERS)))
            shares.append(-0.5 * ((second / PRIOR_COURSES[0]) ** 2 + (third / PRIOR_COURSES[1]) ** 2))
        inverses = np.linalg.inv(np.array(covariances))
        terms = len(_SPACE)
        whole = np.einsum("ij,nab->niajb", np.eye(terms), inverses).reshape(len(inverses), 3 * terms, 3 * terms)
        probable = np.exp(shares)
        return cls(whole, -terms * np.linalg.slogdet(inverses)[1], np.log(probable / probable.sum()))


def _group_images(transforms: Complex64, shape: tuple[int, int], shifts: Array, groups: list[slice]) -> Float32:
    out = np.empty((len(groups), *shape), np.float32)
    for image, group in zip(out, groups, strict=True):
        total = np.zeros_like(transforms[0])
        for index in range(group.start, group.stop):
            add_shifted(transforms[index], *ramps(shifts[index], shape), total)
        image[:] = ducc0.fft.c2r(total, axes=(0, 1), lastsize=shape[1], forward=False, nthreads=1, inorm=2)
    return out
