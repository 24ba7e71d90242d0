"""The camera damps what it sees by its MTF, counts the share of electrons that its DQE says, and its noise is white."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.sensor import PIXEL_AT_NYQUIST, Sensor
from tests.simulate.measure import model, simulated

pytestmark = pytest.mark.feature("AC-05")

STILL = Motion(np.zeros((12, 2)), np.zeros((2, 5, 3)))
EDGES = np.array([0.03, 0.1, 0.18, 0.26, 0.34, 0.42, 0.48, 0.5])


def bands(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of a full transform near its two axes, at ``EDGES`` in cycles a pixel."""
    qy, qx = (np.abs(axis) for axis in np.meshgrid(*2 * [np.fft.fftfreq(len(spectrum))], indexing="ij"))
    along, across = np.maximum(qx, qy), np.minimum(qx, qy)
    near = across < 0.04
    return np.array([spectrum[near & (along >= low) & (along < high)].mean() for low, high in pairwise(EDGES)])


def signal_and_noise(sensor: Sensor | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power a pixel of what frames of a still specimen share, and of what they do not."""
    made = model(size=384, motion=STILL, counts_per_px=3.0, b_factor=0.0, sensor=sensor)
    frames = np.stack(list(simulated(made).frames())).astype(np.float64)
    transforms = np.fft.fft2(frames)
    mean = np.abs(transforms.mean(axis=0)) ** 2 / frames[0].size
    noise = np.abs(transforms - transforms.mean(axis=0)) ** 2
    noise_of_one = noise.sum(axis=0) / (len(frames) - 1) / frames[0].size
    return bands(mean - noise_of_one / len(frames)), bands(noise_of_one)


@pytest.mark.parametrize("nyquist", [0.35, 0.6, 0.85])
def test_counts_show_the_mtf_and_the_dqe(nyquist: float) -> None:
    sensor = Sensor(nyquist, 0.8)
    ideal, ideal_noise = signal_and_noise(None)
    signal, noise = signal_and_noise(sensor)
    grid = np.meshgrid(*2 * [np.fft.fftfreq(384).astype(np.float32)], indexing="ij")
    mtf2 = bands(sensor.mtf(grid[1], grid[0]).astype(np.float64) ** 2)
    assert mtf2[-1] < 1.2 * nyquist**2
    assert signal / ideal == pytest.approx(0.8**2 * mtf2, rel=0.12, abs=0.03)
    # Poisson and white: a count for each electron that is not missed
    assert noise == pytest.approx(np.full(len(noise), 0.8 * 3.0), rel=0.03)
    assert (signal / noise) / (ideal / ideal_noise) == pytest.approx(0.8 * mtf2, rel=0.12, abs=0.03)


def test_mtf_is_that_of_a_square_pixel_at_its_best_and_goes_through_the_value_asked_for() -> None:
    q, zero = np.float32([0.0, 0.1, 0.25, 0.5]), np.zeros(1, dtype=np.float32)
    assert Sensor(PIXEL_AT_NYQUIST).mtf(q, zero) == pytest.approx([1.0, 0.98363, 0.90032, 0.63662], abs=1e-4)
    for nyquist in (0.2, 0.5, 0.63, 0.65, 0.9):
        curve = Sensor(nyquist).mtf(q, zero)
        assert curve[0] == 1
        assert curve[-1] == pytest.approx(nyquist, rel=1e-5)
        assert np.all(np.diff(curve) < 0)
    assert np.all(Sensor().mtf(q, q) == 1)


def test_truth_tells_the_curves() -> None:
    curves = Sensor(0.5, 0.85).curves()
    assert curves[0] == (0.0, 1.0, 0.85)
    assert curves[-1] == (0.5, 0.5, pytest.approx(0.85 * 0.25))
