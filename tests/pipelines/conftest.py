"""Small movies of known motion and CTF, made independently of the product's own simulator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from athena_pipelines.core.ctf_model import Defocus, Optics, ctf_image

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class KnownMovie:
    """Counts (frames, size, size) uint8 and the specimen's motion in them, (frames, 2) px, (x, y)."""

    counts: npt.NDArray[np.uint8]
    motion: Array
    local: Array
    """Local motion at the last frame for places (y, x), px: what ``local_at`` gives."""


def local_at(y: npt.ArrayLike, x: npt.ArrayLike, size: float) -> Array:
    """Local motion (y, x) at the last frame, at places from −0.5 to 0.5: a bend and a shear."""
    y, x = np.asarray(y), np.asarray(x)
    return size * np.stack([1.4 * y + 1.0 * x * x, 1.2 * x - 1.6 * y * x])


def texture(size: int, *, contrast: float, defocus: Defocus, seed: int) -> npt.NDArray[np.complex64]:
    """Transform of a specimen's image: white noise times CTF, fading towards high frequencies; pixel 1 Å."""
    noise = np.fft.rfft2(np.random.default_rng(seed).standard_normal((size, size)))
    ky, kx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    k = np.hypot(ky, kx)
    noise *= ctf_image((size, size), 1.0, defocus, Optics()) * np.exp(-30 * k * k / 4) / np.sqrt(1 + (40 * k) ** 2)
    noise[0, 0] = 0
    return (noise * (contrast / np.fft.irfft2(noise).std())).astype(np.complex64)


def known_movie(
    *,
    size: int = 512,
    frames: int = 20,
    counts: float = 1.5,
    drift: float = 10.0,
    local: float = 0.0,
    contrast: float = 0.12,
    defocus: Defocus = Defocus(15500, 15000, 30),
    gain: npt.NDArray[Any] | float = 1.0,
    seed: int = 0,
) -> KnownMovie:
    """Poisson counts of a specimen that settles, then drifts; ``drift`` is the net displacement, px."""
    rng = np.random.default_rng(seed + 1)
    transform = texture(size, contrast=contrast, defocus=defocus, seed=seed)
    time = np.linspace(0, 1, frames) if frames > 1 else np.zeros(1)
    settled = 0.6 * (1 - np.exp(-5 * time)) / (1 - np.exp(-5)) + 0.4 * time
    path = drift * np.stack([0.6 * settled, -0.8 * settled**1.2], axis=1)
    ky, kx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    grid = np.mgrid[:size, :size].astype(np.float64)
    field = local_at(grid[0] / size - 0.5, grid[1] / size - 0.5, local)
    out = np.empty((frames, size, size), np.uint8)
    for i, (x, y) in enumerate(path):
        image = np.fft.irfft2(transform * np.exp(-2j * np.pi * (ky * y + kx * x)))
        if local:
            image = ndimage.map_coordinates(image, grid - field * time[i], order=3, mode="grid-wrap")
        out[i] = np.minimum(rng.poisson(counts * np.maximum(1 + image, 0) / gain), 255)
    return KnownMovie(out, path, field)


@pytest.fixture(scope="session")
def make_movie() -> Callable[..., KnownMovie]:
    """Factory of known movies."""
    return known_movie


def rms(found: Array, truth: Array) -> float:
    """RMS an axis of two trajectories, whatever their origin."""
    error = found - truth
    return float(np.sqrt(((error - error.mean(axis=0)) ** 2).mean()))


@pytest.fixture(scope="session")
def trajectory_rms() -> Callable[[Array, Array], float]:
    """RMS between trajectories."""
    return rms
