"""Motion correction of a movie: where every part of every frame goes, and the sums that follow from it.

Shifts are (y, x) in unbinned px, to be applied to a frame's content; the specimen moved by their negative.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from athena_pipelines.core import dose
from athena_pipelines.core.alignment import align, low_pass, refine
from athena_pipelines.core.fixed_pattern import fixed_share
from athena_pipelines.core.frames import Frames
from athena_pipelines.core.local_motion import LocalModel, measure_local, patch_centres
from athena_pipelines.core.motion_kernels import gather
from athena_pipelines.core.signal import apply_fading, bands_for, fading, measure_snr, on_plane, weights
from athena_pipelines.core.small_frames import SmallFrames
from athena_pipelines.core.trajectory import most_likely

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

SEARCH_ANGSTROM = 70.0
BLANK = 0.3
"""Frames darker than this part of the median have lost their beam."""
FALSE_ALARM = 1e-4
"""Paths through noise alone that may be expected to fit as well as one that counts as motion."""
WEIGHTINGS = 2
"""How often the signal's strength is measured, and shifts refined with weights made of it."""
BLOCK = (32, 128)
"""Pixels (y, x) that share a shift when frames are summed; within one the local field is flat to some hundredths."""


@dataclass(frozen=True)
class Motion:
    """Motion of one movie.

    Attributes
    ----------
    global_shifts : (frames, 2), the first zero: the most likely trajectory.
    measured_shifts : (frames, 2), the first zero: as each frame was measured, noise and all.
    local : polynomial on top of them; None where there is none.
    flags : what a reader should know.
    measured : False where frames showed nothing to align on; shifts are then zero.
    """

    global_shifts: Array
    measured_shifts: Array
    local: LocalModel | None
    flags: tuple[str, ...]
    measured: bool

    def at(self, places: Array) -> Array:
        """Shifts at places (p, 2), (y, x) from −0.5 to 0.5 of the image: (frames, p, 2), px."""
        frames = np.arange(len(self.global_shifts))
        total = np.repeat(self.global_shifts[:, None, :], len(places), axis=1)
        return total if self.local is None else np.asarray(total + self.local.shifts(places, frames))

    def global_angstrom(self, pixel_size_angstrom: float, *, measured: bool = False) -> Array:
        """Global motion of the specimen against frame 0: (frames, 2) in Å, (x, y); most likely, or as measured."""
        shifts = self.measured_shifts if measured else self.global_shifts
        return -shifts[:, ::-1] * pixel_size_angstrom

    def specimen_angstrom(self, places: Array, pixel_size_angstrom: float) -> Array:
        """Motion of the specimen against frame 0 at places: (frames, p, 2) in Å, (x, y)."""
        shifts = self.at(places)
        return (shifts[:1] - shifts)[..., ::-1] * pixel_size_angstrom


@dataclass(frozen=True)
class Exposure:
    """What frames have been exposed to; it says which frequencies of a late frame still show the specimen.

    Attributes
    ----------
    dose_per_frame_e_per_A2 : None where it is not known.
    pre_exposure_e_per_A2, voltage_kv : before the first frame; of the microscope.
    """

    dose_per_frame_e_per_A2: float | None = None
    pre_exposure_e_per_A2: float = 0.0
    voltage_kv: float = 300.0


def measure_motion(small: SmallFrames, *, grid: tuple[int, int], exposure: Exposure = Exposure()) -> Motion:
    """Global and local motion from small frames, whose transforms it fades in place; ``grid`` is patches (y, x)."""
    count = len(small.transforms)
    if count == 1:
        return Motion(np.zeros((1, 2)), np.zeros((1, 2)), None, ("single_frame",), measured=False)
    transforms, shape, pixel, scale = small.transforms, small.shape, small.pixel_size_angstrom, small.scale
    radius = min(SEARCH_ANGSTROM / pixel, min(shape) / 4)
    found = align(transforms, shape, low_pass(shape, pixel), radius=radius)
    if found.chance > np.log(FALSE_ALARM):
        # without a specimen, whatever frames share is the camera's
        nothing = ("no_motion_signal", "fixed_pattern") if found.fixed_pattern else ("no_motion_signal",)
        return Motion(np.zeros((count, 2)), np.zeros((count, 2)), None, nothing, measured=False)
    flags = [] if found.converged else ["motion_not_converged"]
    bands = bands_for(shape, pixel)
    rings = bands.rings(shape)
    left = fading(
        bands,
        count,
        exposure.dose_per_frame_e_per_A2,
        pre_exposure_e_per_A2=exposure.pre_exposure_e_per_A2,
        voltage_kv=exposure.voltage_kv,
    )
    power, pattern = fixed_share(transforms, shape, found.shifts) if found.fixed_pattern else (0.0, 0.0)
    found = replace(found, fixed_pattern=power)
    own = apply_fading(transforms, rings, left)
    for _ in range(WEIGHTINGS):
        snr = measure_snr(transforms, shape, found.shifts, rings, left, own)
        if not snr.any():
            break
        weight = on_plane(weights(snr, left), rings)
        found = refine(transforms, shape, weight, found, amplitude=lambda i: on_plane(left[i], rings) + 0j)
    measured, replaced = without_outliers(found.shifts, limit=1.5 / scale)
    shifts, strays = most_likely(measured, found.noise, scale)
    if replaced + strays > 0.2 * count:
        flags.append("motion_unstable")
    if count < 5:
        flags.append("few_frames")
    if (small.means < BLANK * np.median(small.means)).any():
        flags.append("blank_frames")
    if pattern:
        flags.append("fixed_pattern")
    local = measure_local(
        transforms,
        shape,
        shifts,
        grid=grid,
        bands=bands,
        snr=snr,
        left=left,
        pattern=pattern,
        scale=scale,
        electrons_per_frame=float(np.median(small.means)) * shape[0] * shape[1] * scale**2 / (grid[0] * grid[1]),
    )
    if local.model is None:
        flags.append("local_motion_rejected")
    return Motion(shifts * scale, measured * scale, local.model, tuple(flags), measured=True)


def without_outliers(shifts: Array, *, limit: float) -> tuple[Array, int]:
    """Shifts with frames far from a parabola through their neighbours put onto it, and how many were."""
    count = len(shifts)
    if count < 7:
        return shifts, 0
    fitted = np.empty_like(shifts)
    for i in range(count):
        start = int(np.clip(i - 3, 0, count - 7))
        near = np.delete(np.arange(start, start + 7), i - start)
        fitted[i] = [np.polyval(np.polyfit(near - i, shifts[near, axis], 2), 0) for axis in range(2)]
    distance = np.hypot(*(shifts - fitted).T)
    far = distance > max(4 * 1.4826 * float(np.median(distance)), limit)
    # the parabola at a neighbour of an outlier is bent by it: only the farthest of a run is replaced
    for outlier in np.flatnonzero(far).tolist():
        far[outlier] = distance[outlier] >= distance[max(outlier - 2, 0) : outlier + 3].max()
    mended = np.where(far[:, None], fitted, shifts)
    return mended - mended[0], int(far.sum())


@dataclass(frozen=True)
class Sums:
    """Aligned sums of a movie, (height, width) float32: plain, and exposure weighted (None: dose unknown)."""

    plain: Float32
    weighted: Float32 | None


@dataclass(frozen=True)
class Terms:
    """Sums of shifted frames in real space, of which the weighted sum is made; the frames are needed no more.

    Attributes
    ----------
    sums : (terms, height, width) float32; the first is the plain one.
    tables : radial filter of each term, (terms, bins); empty where the dose is not known.
    pixel_size_angstrom, frequency_step : of the sums; of the tables, Å⁻¹.
    """

    sums: Float32
    tables: Array
    pixel_size_angstrom: float
    frequency_step: float

    def combine(self) -> Sums:
        """Plain and exposure-weighted sum."""
        # a copy, so that the other terms can be forgotten
        plain = self.sums[0].copy()
        if not self.tables.size:
            return Sums(plain, None)
        return Sums(plain, dose.combine(self.sums, self.tables, self.pixel_size_angstrom, self.frequency_step))


def add_frames(
    frames: Frames,
    motion: Motion,
    pixel_size_angstrom: float,
    *,
    dose_per_frame_e_per_A2: float | None,
    pre_exposure_e_per_A2: float = 0.0,
    voltage_kv: float = 300.0,
) -> Terms:
    """Shift all frames along the motion and add them up, in as many sums as exposure weighting needs."""
    height, width = frames.shape
    coefficients = np.ones((frames.count, 1))
    tables = np.empty((0, 0))
    frequency = dose.radial_frequencies(pixel_size_angstrom)
    if dose_per_frame_e_per_A2:
        weight = dose.weights(
            frequency,
            frames.count,
            dose_per_frame_e_per_A2,
            pre_exposure_e_per_A2=pre_exposure_e_per_A2,
            voltage_kv=voltage_kv,
        )
        coefficients, tables = dose.few_terms(dose.normalised(weight))
    # stored values may be quantised: v · scale + offset
    coefficients = coefficients * frames.scale
    sums = np.empty((coefficients.shape[1], height, width), np.float32)
    gather(frames.stack, frames.gain, _field(motion, frames.shape), coefficients.astype(np.float32), BLOCK, sums)
    return Terms(sums, tables, pixel_size_angstrom, float(frequency[1]))


def sum_frames(
    frames: Frames,
    motion: Motion,
    pixel_size_angstrom: float,
    *,
    dose_per_frame_e_per_A2: float | None,
    pre_exposure_e_per_A2: float = 0.0,
    voltage_kv: float = 300.0,
) -> Sums:
    """Shift all frames along the motion and add them up: plain, and weighted by exposure."""
    return add_frames(
        frames,
        motion,
        pixel_size_angstrom,
        dose_per_frame_e_per_A2=dose_per_frame_e_per_A2,
        pre_exposure_e_per_A2=pre_exposure_e_per_A2,
        voltage_kv=voltage_kv,
    ).combine()


def _field(motion: Motion, shape: tuple[int, int]) -> Float32:
    """Shift at the centre of each block: (frames, blocks_y, blocks_x, 2)."""
    centres = [(np.arange(-(-n // b)) + 0.5) * b / n - 0.5 for n, b in zip(shape, BLOCK, strict=True)]
    places = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1)
    found = motion.at(places.reshape(-1, 2))
    return np.ascontiguousarray(found.reshape(len(found), *places.shape), np.float32)


def patch_motion(motion: Motion, grid: tuple[int, int], pixel_size_angstrom: float) -> Array:
    """Motion of the specimen at patch centres: (frames, patches_y, patches_x, 2) in Å, (x, y)."""
    # centres depend on the overlap in units of the image alone
    places = patch_centres((1000 * grid[0], 1000 * grid[1]), grid)
    found = motion.specimen_angstrom(places, pixel_size_angstrom)
    return found.reshape(len(found), *grid, 2)
