"""Micrographs of what a microscope meets: phase plate, tilt, empty hole, carbon, crystalline ice; counted electrons.

Made of filtered noise, without molecules: what a CTF fit sees of a specimen is its power spectrum.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_model import Defocus, Optics, ctf_image

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Camera:
    """Field and exposure: an image of ``size``² pixels of ``pixel`` Å, ``dose`` e/px in all."""

    size: int = 2048
    pixel: float = 0.8
    dose: float = 30.0
    optics: Optics = field(default_factory=Optics)

    @property
    def frequency(self) -> npt.NDArray[np.float64]:
        """Of ``rfft2``'s half plane, Å⁻¹."""
        fy, fx = np.fft.fftfreq(self.size, self.pixel), np.fft.rfftfreq(self.size, self.pixel)
        return np.hypot(fy[:, None], fx[None])


def protein(camera: Camera, rng: np.random.Generator, *, contrast: float = 0.12, b_factor: float = 80) -> npt.NDArray:
    """Transform of a specimen like protein in ice: strongest at low resolution; ``contrast`` is its deviation."""
    k = camera.frequency
    return _specimen(camera, rng, 0.25 + np.exp(-((k / 0.03) ** 2)), contrast, b_factor)


def carbon(camera: Camera, rng: np.random.Generator, *, contrast: float = 0.3, b_factor: float = 25) -> npt.NDArray:
    """Transform of an amorphous carbon film: scatters evenly, far out."""
    k = camera.frequency
    return _specimen(camera, rng, 1 / (1 + (k / 0.25) ** 2), contrast, b_factor)


def crystalline_ice(
    camera: Camera, rng: np.random.Generator, *, spots: int = 400, strength: float = 30.0
) -> npt.NDArray:
    """Transform of many small ice crystals: Bragg spots at 3.90, 3.67 and 3.44 Å, each a few cycles wide in k."""
    k = camera.frequency
    out = np.zeros(k.shape, np.complex128)
    step = 1 / (camera.size * camera.pixel)
    level = strength * camera.size
    for _ in range(spots):
        radius, azimuth = 1 / rng.choice([3.90, 3.67, 3.44]), rng.uniform(-np.pi / 2, np.pi / 2)
        row, column = round(radius * np.sin(azimuth) / step), round(radius * np.cos(azimuth) / step)
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                if 0 <= column + dx < out.shape[1]:
                    turn = np.exp(2j * np.pi * rng.uniform())
                    out[row + dy, column + dx] += level * np.exp(-(dx * dx + dy * dy) / 3) * turn
    return out


def _specimen(
    camera: Camera, rng: np.random.Generator, power_shape: npt.NDArray, contrast: float, b_factor: float
) -> npt.NDArray:
    amplitude = np.sqrt(power_shape)
    transform = np.fft.rfft2(rng.standard_normal((camera.size, camera.size))) * amplitude
    transform *= contrast / np.sqrt((amplitude**2).mean())
    transform[0, 0] = 0
    return transform * np.exp(-0.25 * b_factor * camera.frequency**2)


def project(camera: Camera, specimen: npt.NDArray, defocus: Defocus) -> npt.NDArray[np.float64]:
    """Contrast of a specimen in the image, mean 0."""
    return np.fft.irfft2(specimen * ctf_image((camera.size,) * 2, camera.pixel, defocus, camera.optics))


def tilted(camera: Camera, specimen: npt.NDArray, defocus: Defocus, *, tilt_deg: float, strips: int = 24) -> Image:
    """Contrast of a specimen tilted about the y axis through the centre: the defocus grows along x, Å."""
    out = np.empty((camera.size, camera.size))
    edges = np.linspace(0, camera.size, strips + 1).astype(int)
    for low, high in pairwise(edges):
        more = (0.5 * (low + high) - 0.5 * camera.size) * camera.pixel * np.tan(np.radians(tilt_deg))
        local = Defocus(defocus.u_angstrom + more, defocus.v_angstrom + more, defocus.angle_deg)
        out[:, low:high] = project(camera, specimen, local)[:, low:high]
    return out


def thick(
    camera: Camera, rng: np.random.Generator, defocus: Defocus, *, thickness: float, slices: int = 12, contrast: float
) -> npt.NDArray[np.float64]:
    """Contrast of a slab of ``slices`` that scatter evenly and have nothing in common; the defocus is its middle's."""
    total = np.zeros((camera.size, camera.size // 2 + 1), np.complex128)
    for i in range(slices):
        away = ((i + 0.5) / slices - 0.5) * thickness
        local = Defocus(defocus.u_angstrom + away, defocus.v_angstrom + away, defocus.angle_deg)
        part = _specimen(camera, rng, 1 / (1 + (camera.frequency / 0.25) ** 2), contrast / np.sqrt(slices), 25)
        total += part * ctf_image((camera.size,) * 2, camera.pixel, local, camera.optics)
    return np.fft.irfft2(total)


def count(camera: Camera, rng: np.random.Generator, contrast: npt.ArrayLike = 0.0, *, gain: npt.ArrayLike = 1.0):
    """Electrons counted where a mean of ``dose`` varies by ``contrast``, seen through a camera of ``gain``."""
    rate = camera.dose * np.maximum(1 + np.broadcast_to(contrast, (camera.size, camera.size)), 0)
    return (rng.poisson(rate) * gain).astype(np.float32)


def poor_gain(camera: Camera, rng: np.random.Generator, *, error: float = 0.03) -> npt.NDArray[np.float64]:
    """Gain that the reference leaves: pixels, columns and blocks of the camera's electronics, and shading."""
    n = camera.size
    y, x = np.mgrid[:n, :n] / n - 0.5
    columns = np.repeat(rng.normal(0, error / 2, (1, n)), n, axis=0)
    blocks = np.kron(rng.normal(0, error, (16, 16)), np.ones((n // 16, n // 16)))
    return 1 + rng.normal(0, error, (n, n)) + columns + blocks - 0.2 * (x * x + y * y)
