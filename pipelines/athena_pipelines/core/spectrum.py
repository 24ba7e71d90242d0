"""Amplitude spectrum of a micrograph, made ready for a CTF fit.

A spectrum is (SIZE, SIZE), zero frequency at [SIZE // 2, SIZE // 2], rows and columns rising with ky and kx.
"""

import math
from dataclasses import dataclass
from functools import cache

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_kernels import bin_power
from athena_pipelines.core.ice_ring import crystalline_ring, radius

SIZE = 512
TARGET_PIXEL_ANGSTROM = 1.4
"""The spectrum's edge lies at the Nyquist frequency of this pixel, so 512 px resolve the rings of 3.6 µm at 4 Å."""
SAMPLES_PER_CELL = 2.25
"""Small images are padded until this many samples of their transform fall into a pixel of the spectrum: between one and
two, sums over pixels let copies of far rings through, which pull the defocus (by 80 Å of 4 µm in a field of 0.1 µm)."""

COURSE_DEGREE = 4
COURSE_FROM_PX = 8
"""The course of a spectrum is a polynomial of this degree from this ring on, both axes logarithmic."""

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spectrum:
    """Amplitude spectrum and what was made of it.

    Attributes
    ----------
    amplitude : (SIZE, SIZE) float32, as measured.
    signal : (SIZE, SIZE) float32, amplitude relative to its local background, minus 1: rings around zero. 0 where it
        does not mean the specimen.
    pixel_size_angstrom : the pixel whose Nyquist frequency is the spectrum's edge.
    independent : share of the spectrum's pixels that carry information of their own, 0 to 1.
    crystalline_ice : whether ice diffracts as crystals do; the signal is 0 there.
    """

    amplitude: Image
    signal: Image
    pixel_size_angstrom: float
    independent: float = 1.0
    crystalline_ice: bool = False

    @property
    def step(self) -> float:
        """Frequency from one pixel to the next, Å⁻¹."""
        return 1.0 / (SIZE * self.pixel_size_angstrom)

    @property
    def nyquist(self) -> float:
        """Frequency at the edge, Å⁻¹."""
        return 0.5 / self.pixel_size_angstrom


def measure(image: npt.NDArray[np.generic], pixel_size_angstrom: float) -> Spectrum:
    """Spectrum of an image (height, width): power of its transform averaged over the area of each pixel.

    The whole image is transformed once, as CTFFIND does, and its samples are summed where they fall: the cost of one
    transform where half-overlapping tiles need four. Only the columns below the spectrum's edge are transformed twice.
    The image is not tapered: what its sides leak lies on the axes, which the fit leaves out, and a taper costs data.
    """
    height, width = image.shape
    pixel = max(TARGET_PIXEL_ANGSTROM, pixel_size_angstrom)
    shortest = SAMPLES_PER_CELL * SIZE * pixel / pixel_size_angstrom
    rows, columns = (ducc0.fft.good_size(max(n, math.ceil(shortest)), False) for n in (height, width))
    columns += columns % 2
    padded = np.zeros((rows, columns), np.float32)
    part = padded[:height, :width]
    mean = image.mean(dtype=np.float64)
    np.subtract(image, np.float32(mean), out=part, casting="unsafe")
    cell_rows, cell_columns = (SIZE * pixel / (n * pixel_size_angstrom) for n in (rows, columns))
    # how many samples of the transform a pixel is wide
    reach = min(math.ceil((SIZE // 2 + 0.5) / cell_columns) + 1, columns // 2 + 1)
    along_x = ducc0.fft.r2c(padded, axes=(1,), nthreads=1)[:, :reach]
    transform = ducc0.fft.c2c(np.ascontiguousarray(along_x), axes=(0,), nthreads=1)
    power = bin_power(transform, columns // 2, cell_rows, cell_columns, SIZE // 2)
    amplitude = _half_to_full(np.sqrt(power))
    share = min(1.0, height * width * (pixel_size_angstrom / (SIZE * pixel)) ** 2)
    ring = crystalline_ring(amplitude, 1 / (SIZE * pixel))
    return Spectrum(amplitude, flatten(amplitude, pixel, left_out=ring), pixel, share, ring is not None)


def _half_to_full(half: npt.NDArray[np.float64]) -> Image:
    """Full plane (SIZE, SIZE) from its right half (SIZE + 1, SIZE // 2 + 1), both centred."""
    reach = SIZE // 2
    full = np.empty((SIZE, SIZE), np.float32)
    full[:, reach:] = half[:SIZE, :reach]
    # the other half by Friedel symmetry: amplitude(-ky, -kx) = amplitude(ky, kx)
    full[:, :reach] = half[SIZE:0:-1, reach:0:-1]
    return full


def flatten(amplitude: Image, pixel_size_angstrom: float, *, left_out: npt.NDArray[np.bool_] | None = None) -> Image:
    """Amplitude over its local background, minus 1.

    The background is the course of the rings' means, a smooth curve, times a moving average as wide as one ring at 30 Å
    (CTFFIND's rule), the centre excluded as far as the low-frequency spike reaches. An average alone lags behind where
    the spectrum falls steeply, which reads as a ring and shifts the phase of the first ones. Dividing makes the noise
    of all frequencies equal, as the fit assumes.

    Parameters
    ----------
    left_out : pixels that do not mean the specimen, beside the centre and the axes.
    """
    box = int(SIZE * pixel_size_angstrom / 30.0 * math.sqrt(2)) | 1
    weight = _trusted() if left_out is None else np.where(left_out, np.float32(0), _trusted())
    level = amplitude / _course(amplitude, weight)
    background = _box_mean(level * weight, box) / np.maximum(_box_mean(weight, box), np.float32(1e-3))
    signal = np.where(background > 0, level / np.maximum(background, np.float32(1e-30)), 1) - 1
    signal[weight == 0] = 0
    limit = 8 * signal[weight > 0].std()
    return np.asarray(np.clip(signal, -limit, limit), np.float32)


def _course(amplitude: Image, weight: Image) -> Image:
    """Smooth course of the rings' mean amplitudes, at every pixel: a polynomial of their logarithms."""
    held = np.bincount(_ring_index().ravel(), weight.ravel(), SIZE)[: SIZE // 2]
    total = np.bincount(_ring_index().ravel(), (amplitude * weight).ravel(), SIZE)[: SIZE // 2]
    rings = np.flatnonzero((total > 0) & (np.arange(SIZE // 2) >= COURSE_FROM_PX))
    if rings.size <= COURSE_DEGREE:
        return np.ones_like(amplitude)
    places = np.log(rings / COURSE_FROM_PX)
    curve = np.polynomial.Polynomial.fit(
        places, np.log(total[rings] / held[rings]), COURSE_DEGREE, w=held[rings] ** 0.25
    )
    table = np.exp(curve(np.log(np.clip(np.arange(SIZE), rings[0], rings[-1]) / COURSE_FROM_PX)))
    return np.asarray(np.interp(radius(SIZE), np.arange(SIZE), table), np.float32)


@cache
def _trusted() -> Image:
    """1 where a spectrum means the specimen; 0 at its centre and on the axes, where fixed rows and columns show."""
    centre = SIZE // 2
    y, x = np.ogrid[-centre : SIZE - centre, -centre : SIZE - centre]
    weight = (np.hypot(y, x) >= 6).astype(np.float32)
    weight[(np.abs(y) < 1) | (np.abs(x) < 1)] = 0
    return weight


def _box_mean(image: Image, box: int) -> Image:
    """Moving average over (box, box), box odd; beyond the edge its last pixels repeat."""
    half = box // 2
    out: npt.NDArray[np.float64] = np.pad(image, half, mode="edge").astype(np.float64)
    for axis in (0, 1):
        summed = np.cumsum(out, axis=axis)
        summed = np.insert(summed, 0, 0, axis=axis)
        ahead = np.take(summed, range(box, summed.shape[axis]), axis=axis)
        out = (ahead - np.take(summed, range(summed.shape[axis] - box), axis=axis)) / box
    return out.astype(np.float32)


def radial_average(image: Image) -> npt.NDArray[np.float64]:
    """Mean over rings one pixel wide, SIZE // 2 of them."""
    return np.bincount(_ring_index().ravel(), image.ravel(), SIZE)[: SIZE // 2] / ring_counts()


@cache
def ring_counts() -> npt.NDArray[np.int64]:
    """Pixels in each of the SIZE // 2 rings."""
    return np.bincount(_ring_index().ravel(), minlength=SIZE)[: SIZE // 2]


@cache
def _ring_index() -> npt.NDArray[np.int64]:
    return np.rint(radius(SIZE)).astype(np.int64)
