"""Small movies in tests of the simulator, and what is measured on them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.specimen import Ice
from athena_pipelines.simulate.structure import load_molecule

Image = NDArray[np.float32]
STILL = Motion(np.zeros((3, 2)), np.zeros((2, 5, 3)))


def model(*, size: int = 192, motion: Motion = STILL, **changed: object) -> MovieModel:
    ctf = Ctf(15500.0, 14500.0, 30.0)
    base = MovieModel(7, (size, size), 1.5, 1.0, ctf, motion, ice=Ice(coverage=0.3), damage=False)
    return replace(base, **changed)  # type: ignore[arg-type]


def simulated(made: MovieModel) -> SimulatedMovie:
    return SimulatedMovie(made, load_molecule())


def power_spectrum(image: Image, box: int = 256) -> NDArray[np.float64]:
    window = np.hanning(box)[:, None] * np.hanning(box)
    total = np.zeros((box, box))
    for top in range(0, image.shape[0] - box + 1, box // 2):
        for side in range(0, image.shape[1] - box + 1, box // 2):
            tile = image[top : top + box, side : side + box]
            total += np.abs(np.fft.fft2((tile - tile.mean()) * window)) ** 2
    return total


def whitened(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power over its smooth radial trend, so that only the rings are left."""
    box = len(power)
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(box), np.fft.fftfreq(box)))
    bins = np.minimum((radius * box).astype(int), box // 2)
    profile = np.bincount(bins.ravel(), power.ravel()) / np.bincount(bins.ravel())
    flat: NDArray[np.float64] = power / gaussian_filter1d(profile, 6)[bins]
    return flat


def ring_score(power: NDArray[np.float64], ctf: Ctf, pixel: float) -> float:
    box = len(power)
    fx = np.fft.fftfreq(box, pixel)[None, :].astype(np.float32)
    fy = np.fft.fftfreq(box, pixel)[:, None].astype(np.float32)
    used = (np.hypot(fx, fy) > 0.03) & (np.hypot(fx, fy) < 0.2)
    return float(np.corrcoef(power[used], (ctf.evaluate(fx, fy) ** 2)[used])[0, 1])
