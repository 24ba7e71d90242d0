"""Local motion: patches aligned on their own, and RELION's third-order polynomial through them.

S(x, y, z) = Σ_m m · (c_m1 z + c_m2 z² + c_m3 z³) for m in 1, x, x², y, y², xy; x and y are the place relative to the
image centre in units of its size, z the frame, counted from the first. Source: Zivanov et al. 2019, eq. 1.
"""

from dataclasses import dataclass
from itertools import pairwise

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.alignment import Alignment, align, low_pass, ramps, transforms_of
from athena_pipelines.core.motion_kernels import add_shifted

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Complex64 = npt.NDArray[np.complex64]

TERMS = 18
MAX_RESIDUAL_PX = 10.0
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
    """Patches (y, x) of an image that overlap their neighbours by a third and share its whole area, row-major."""
    rows, columns = (_spans(n, k) for n, k in zip(shape, grid, strict=True))
    return [(r, c) for r in rows for c in columns]


def _spans(length: int, count: int) -> list[slice]:
    size = min(length, int(length / count * 1.35) // 2 * 2)
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
    pixel_size_angstrom: float,
    binning: int,
    electrons_per_frame: float,
) -> LocalMotion:
    """Align patches of globally aligned, grouped frames and fit the polynomial.

    Parameters
    ----------
    transforms, shape : of the small frames.
    shifts : global shifts of the small frames (frames, 2), px.
    grid : patches (y, x); a model needs at least 3 × 3.
    pixel_size_angstrom, binning : of the small frames.
    electrons_per_frame : counts a frame has in a patch.
    """
    frames = len(transforms)
    groups = group_frames(frames, electrons_per_frame)
    patches = patch_slices(shape, grid)
    if min(grid) < 3 or len(groups) < 3:
        return LocalMotion(None, "too few patches or frames", float("nan"))
    summed = _group_images(transforms, shape, shifts, groups)
    found: list[Alignment] = []
    for rows, columns in patches:
        cut = np.ascontiguousarray(summed[:, rows, columns])
        size = (cut.shape[1], cut.shape[2])
        weight = low_pass(size, pixel_size_angstrom, half_angstrom=20.0)
        found.append(align(transforms_of(cut), size, weight, radius=max(4.0, 20 / pixel_size_angstrom), smooth=False))
    kept = [i for i, patch in enumerate(found) if patch.converged]
    if len(kept) * len(groups) <= 2 * TERMS or len(kept) < 0.5 * len(patches):
        return LocalMotion(None, "patches did not converge", float("nan"))
    observed = np.stack([found[i].shifts for i in kept]) * binning
    time = np.array([(g.start + g.stop - 1) / 2 for g in groups]) / frames
    return _fit(observed, patch_centres(shape, grid)[kept], time, frames)


def _group_images(transforms: Complex64, shape: tuple[int, int], shifts: Array, groups: list[slice]) -> Float32:
    out = np.empty((len(groups), *shape), np.float32)
    for image, group in zip(out, groups, strict=True):
        total = np.zeros_like(transforms[0])
        for index in range(group.start, group.stop):
            add_shifted(transforms[index], *ramps(shifts[index], shape), total)
        image[:] = ducc0.fft.c2r(total, axes=(0, 1), lastsize=shape[1], forward=False, nthreads=1, inorm=2)
    return out


def _fit(observed: Array, places: Array, time: Array, frames: int) -> LocalMotion:
    """Robust fit to observations (patches, groups, 2) in px at places (patches, 2) and times (groups,) of 0 to 1.

    Only differences within a patch are observed, so each patch's mean over time is taken off both sides.
    """
    basis = _basis(places[:, None, :], time[None, :])
    basis = basis - basis.mean(axis=1, keepdims=True)
    values = observed - observed.mean(axis=1, keepdims=True)
    design, target = basis.reshape(-1, TERMS), values.reshape(-1, 2)
    used = np.ones(len(target), bool)
    solution = np.zeros((TERMS, 2))
    for _ in range(3):
        solution = _solve(design[used], target[used])
        length = np.hypot(*(target - design @ solution).T)
        kept = length <= max(3 * 1.4826 * float(np.median(length)), 0.1)
        if kept.sum() <= 2 * TERMS or (kept == used).all():
            break
        used = kept
    residual = float(np.sqrt((length[used] ** 2).mean()))
    if residual >= MAX_RESIDUAL_PX:
        return LocalMotion(None, "patches contradict one another", float("nan"))
    if not _predicts(design, target, used, patches=len(places)):
        return LocalMotion(None, "no local motion above the noise", float("nan"))
    return LocalMotion(LocalModel(solution.T.copy(), frames), "", residual)


def _solve(design: Array, target: Array) -> Array:
    scale = np.maximum(np.linalg.norm(design, axis=0), 1e-12)
    return np.asarray(np.linalg.lstsq(design / scale, target, rcond=1e-8)[0] / scale[:, None])


def _predicts(design: Array, target: Array, used: npt.NDArray[np.bool_], *, patches: int) -> bool:
    """Whether models of four fifths of the patches predict the rest better than no model: else it fits noise."""
    patch = np.repeat(np.arange(patches), len(target) // patches)
    wrong = nothing = 0.0
    for fold in range(5):
        held = used & (patch % 5 == fold)
        rest = used & (patch % 5 != fold)
        if not held.any() or rest.sum() <= TERMS:
            continue
        wrong += float(((target[held] - design[held] @ _solve(design[rest], target[rest])) ** 2).sum())
        nothing += float((target[held] ** 2).sum())
    return wrong < nothing
