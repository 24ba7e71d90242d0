"""Amplitude spectrum of a micrograph, made ready for a CTF fit.

A spectrum is (SIZE, SIZE), zero frequency at [SIZE // 2, SIZE // 2], rows and columns rising with ky and kx.
"""

import math
from dataclasses import dataclass

import ducc0
import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

SIZE = 512
TARGET_PIXEL_ANGSTROM = 1.4
"""The spectrum's edge lies at a pixel of about this size, so that 512 px resolve the rings of 3.6 µm at 4 Å."""

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spectrum:
    """Amplitude spectrum and what was made of it.

    Attributes
    ----------
    amplitude : (SIZE, SIZE) float32, as measured.
    signal : (SIZE, SIZE) float32, amplitude relative to its local background, minus 1: rings around zero.
    pixel_size_angstrom : the pixel whose Nyquist frequency is the spectrum's edge.
    """

    amplitude: Image
    signal: Image
    pixel_size_angstrom: float

    @property
    def step(self) -> float:
        """Frequency from one pixel to the next, Å⁻¹."""
        return 1.0 / (SIZE * self.pixel_size_angstrom)

    @property
    def nyquist(self) -> float:
        """Frequency at the edge, Å⁻¹."""
        return 0.5 / self.pixel_size_angstrom


def tile_size(pixel_size_angstrom: float) -> int:
    """Edge of the tiles whose spectrum, cropped to SIZE, ends at about TARGET_PIXEL_ANGSTROM (or at Nyquist).

    Even, and a size that transforms fast: a prime factor of 179 costs three times as much.
    """
    half = SIZE * TARGET_PIXEL_ANGSTROM / pixel_size_angstrom / 2
    return max(SIZE, 2 * int(fft.next_fast_len(round(half), real=False)))


def measure(image: Image, pixel_size_angstrom: float) -> Spectrum:
    """Spectrum of an image (height, width) by averaging tapered, half-overlapping tiles (Welch 1967).

    The tiles' own sampling lands on the wanted grid, so nothing is interpolated; an image smaller than one tile is
    padded with zeros after tapering.
    """
    tile = tile_size(pixel_size_angstrom)
    power = np.zeros((tile, tile // 2 + 1), np.float64)
    tops = _starts(image.shape[0], tile)
    lefts = _starts(image.shape[1], tile)
    height, width = min(tile, image.shape[0]), min(tile, image.shape[1])
    taper = (_taper(height)[:, None] * _taper(width)[None, :]).astype(np.float32)
    padded = np.zeros((tile, tile), np.float32)
    for top in tops:
        for left in lefts:
            part = image[top : top + height, left : left + width]
            padded[:height, :width] = (part - part.mean(dtype=np.float64)) * taper
            transform = ducc0.fft.r2c(padded, axes=(0, 1), nthreads=1)
            power += transform.real**2 + transform.imag**2
    amplitude = _centred_half_to_full(np.sqrt(power / (len(tops) * len(lefts))), tile)
    pixel = pixel_size_angstrom * tile / SIZE
    return Spectrum(amplitude, flatten(amplitude, pixel), pixel)


def _starts(length: int, tile: int) -> list[int]:
    if length <= tile:
        return [0]
    count = math.ceil((length - tile) / (tile / 2)) + 1
    return [round(i * (length - tile) / (count - 1)) for i in range(count)]


def _taper(length: int) -> npt.NDArray[np.float64]:
    """Cosine edges over a quarter each: keeps the cross of the edges out, and most of the data in."""
    edge = length // 4
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    return np.concatenate([ramp, np.ones(length - 2 * edge), ramp[::-1]])


def _centred_half_to_full(half: npt.NDArray[np.float64], tile: int) -> Image:
    """Central (SIZE, SIZE) of a centred full plane, from the half plane of a (tile, tile) real transform."""
    reach = SIZE // 2
    rows = np.arange(-reach, reach) % tile
    full = np.empty((SIZE, SIZE), np.float32)
    full[:, reach:] = half[rows, :reach]
    # the other half by Friedel symmetry: amplitude(-ky, -kx) = amplitude(ky, kx)
    full[:, :reach] = half[(-np.arange(-reach, reach)) % tile][:, reach:0:-1]
    return full


def flatten(amplitude: Image, pixel_size_angstrom: float) -> Image:
    """Amplitude over its local background, minus 1.

    The background is a moving average as wide as one ring at 30 Å (CTFFIND's rule), the centre excluded as far as
    the low-frequency spike reaches. Dividing makes the noise of all frequencies equal, as the fit assumes.
    """
    box = int(SIZE * pixel_size_angstrom / 30.0 * math.sqrt(2)) | 1
    centre = SIZE // 2
    y, x = np.ogrid[-centre : SIZE - centre, -centre : SIZE - centre]
    weight = (np.hypot(y, x) >= 6).astype(np.float32)
    # lines of fixed rows or columns of the camera are bright only on the axes
    cross = (np.abs(y) < 1) | (np.abs(x) < 1)
    weight[cross] = 0
    total = ndimage.uniform_filter(amplitude * weight, box, mode="nearest")
    background = total / np.maximum(ndimage.uniform_filter(weight, box, mode="nearest"), 1e-3)
    signal = np.where(background > 0, amplitude / np.maximum(background, 1e-30), 1) - 1
    signal[weight == 0] = 0
    limit = 8 * signal[weight > 0].std()
    return np.asarray(np.clip(signal, -limit, limit), np.float32)


def radial_average(image: Image) -> npt.NDArray[np.float64]:
    """Mean over rings one pixel wide, SIZE // 2 of them."""
    return np.bincount(_ring_index().ravel(), image.ravel(), SIZE)[: SIZE // 2] / ring_counts()


def ring_counts() -> npt.NDArray[np.int64]:
    """Pixels in each of the SIZE // 2 rings."""
    return np.bincount(_ring_index().ravel(), minlength=SIZE)[: SIZE // 2]


def _ring_index() -> npt.NDArray[np.int64]:
    centre = SIZE // 2
    y, x = np.ogrid[-centre : SIZE - centre, -centre : SIZE - centre]
    return np.rint(np.hypot(y, x)).astype(np.int64)


def iciness(spectrum: Spectrum) -> float:
    """Power of the ice ring against the specimen's: (mean amplitude at 3.9–3.5 Å)² / (at 30–6 Å)²; NaN beyond the edge.

    Source: cisTEM's measure of the same name.
    """
    if spectrum.nyquist < 1 / 3.5:
        return float("nan")
    frequency = _ring_index() * spectrum.step
    ice = spectrum.amplitude[(frequency >= 1 / 3.9) & (frequency <= 1 / 3.5)].mean()
    specimen = spectrum.amplitude[(frequency >= 1 / 30) & (frequency <= 1 / 6)].mean()
    return float((ice / specimen) ** 2) if specimen > 0 else float("nan")
