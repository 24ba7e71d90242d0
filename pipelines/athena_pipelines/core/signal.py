"""How much of a movie is specimen and how much noise, at each frequency; and what weights follow from it.

Frames are a(k)·S(k)·exp(−2πi q·d) + noise: one specimen S that fades with exposure (a, known) and moves (d, sought).
With S unknown and Gaussian, of power ρ times the noise, the likelihood of all shifts is Σ_k w |Σ_i a_i F_i exp(2πi
q·d_i)|², w = ρ / (1 + ρ Σ a²) for noise of unit power: correlation of every frame with all others, each by what
it can tell.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.dose import critical_exposure
from athena_pipelines.core.motion_kernels import add_shifted, fade, ring_power
from athena_pipelines.core.phases import ramps

Array = npt.NDArray[np.float64]
Complex64 = npt.NDArray[np.complex64]
Float32 = npt.NDArray[np.float32]
Rings = npt.NDArray[np.uint16]

MAX_RINGS = 256
SMOOTHING = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
"""Over rings; several of them lie in the narrowest Thon ring."""


@dataclass(frozen=True)
class Bands:
    """Rings of frequencies, alike for images of any size at one pixel size.

    Attributes
    ----------
    count : rings from 0 to the edge; ring ``count`` is what is left out: corners, and the lines kx = 0 and ky = 0,
        where rows and columns of a camera that differ by gain live, which do not move with the specimen.
    pixel_size_angstrom : of the images.
    """

    count: int
    pixel_size_angstrom: float

    @property
    def frequency(self) -> Array:
        """Middle of each ring, Å⁻¹, (count,)."""
        return np.asarray((np.arange(self.count) + 0.5) / (2 * self.count * self.pixel_size_angstrom), np.float64)

    def rings(self, shape: tuple[int, int]) -> Rings:
        """Ring of each pixel of a half plane, (rows, columns // 2 + 1)."""
        qy = np.abs(np.fft.fftfreq(shape[0]))[:, None]
        qx = np.fft.rfftfreq(shape[1])[None, :]
        found: Rings = np.minimum(np.hypot(qy, qx) * (2 * self.count), self.count).astype(np.uint16)
        found[0] = found[:, 0] = self.count
        return found


def bands_for(shape: tuple[int, int], pixel_size_angstrom: float) -> Bands:
    """Rings at least two pixels wide."""
    return Bands(max(8, min(MAX_RINGS, min(shape) // 4)), pixel_size_angstrom)


def fading(
    bands: Bands,
    frames: int,
    dose_per_frame_e_per_A2: float | None,
    *,
    pre_exposure_e_per_A2: float = 0.0,
    voltage_kv: float = 300.0,
) -> Array:
    """Amplitude a of the specimen left in the middle of each frame, (frames, rings); 1 where the dose is not known."""
    if not dose_per_frame_e_per_A2:
        return np.ones((frames, bands.count))
    exposure = pre_exposure_e_per_A2 + dose_per_frame_e_per_A2 * (np.arange(frames) + 0.5)
    return np.asarray(np.exp(-exposure[:, None] / (2 * critical_exposure(bands.frequency, voltage_kv)[None, :])))


def apply_fading(transforms: Complex64, rings: Rings, left: Array) -> Array:
    """Multiply each transform by what is left of the specimen in it, in place; what is left out becomes 0.

    Returns the power of all together in each ring, (rings,).
    """
    own = np.zeros(left.shape[1] + 1)
    for transform, table in zip(transforms, left, strict=True):
        fade(transform, rings, np.append(table, 0.0).astype(np.float32), own)
    return own[:-1]


def measure_snr(
    transforms: Complex64, shape: tuple[int, int], shifts: Array, rings: Rings, left: Array, own: Array
) -> Array:
    """ρ of each ring, (rings,): power of the undamaged specimen in a frame over that of the frame's noise.

    Parameters
    ----------
    transforms : (frames, rows, columns // 2 + 1), after ``apply_fading``.
    shifts : (frames, 2), px (y, x), that align them.
    left, own : (frames, rings), (rings,); as given to ``apply_fading``, and what it returned.
    """
    count = left.shape[1]
    total = np.zeros_like(transforms[0])
    shared, pixels = np.zeros(count + 1), np.bincount(rings.ravel(), minlength=count + 1)
    for transform, shift in zip(transforms, shifts, strict=True):
        add_shifted(transform, *ramps(shift, shape), total)
    ring_power(total, rings, shared)
    pixels = np.maximum(pixels[:count], 1)
    own, shared = own / pixels, shared[:count] / pixels
    squares, fourths = (left**2).sum(axis=0), (left**4).sum(axis=0)
    pairs = np.maximum(squares**2 - fourths, 1e-12)
    power = _smoothed((shared - own) / pairs)
    noise = _smoothed((own - np.maximum(power, 0) * fourths) / squares)
    # what chance makes of noise alone, after smoothing
    error = noise * squares / pairs / np.sqrt(pixels) * np.sqrt((SMOOTHING**2).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        trusted = np.where(power > error, 1 - (error / power) ** 2, 0.0)
    return np.asarray(np.where(noise > 0, np.maximum(power, 0) * trusted / np.maximum(noise, 1e-30), 0.0))


def weights(snr: Array, left: Array) -> Array:
    """w of each ring, (rings,), for noise of unit power a frame."""
    return np.asarray(snr / (1 + snr * (left**2).sum(axis=0)))


def on_plane(table: Array, rings: Rings) -> Float32:
    """Value of each pixel's ring, 0 where it is left out: (rows, columns // 2 + 1)."""
    return np.append(table, 0.0).astype(np.float32)[rings]


def _smoothed(values: Array) -> Array:
    half = len(SMOOTHING) // 2
    return np.convolve(np.pad(values, half, mode="edge"), SMOOTHING, mode="valid")
