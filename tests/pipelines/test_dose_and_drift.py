"""Exposure weights against published values, and what trajectories are said to be."""

from collections.abc import Callable
from typing import Any

import ducc0
import numpy as np
import pytest

from athena_pipelines.core import dose
from athena_pipelines.core.drift import describe, shift_noise
from athena_pipelines.core.frames import NO_GAIN, Frames
from athena_pipelines.core.motion import Motion, sum_frames

pytestmark = pytest.mark.feature("EQ-01")


def test_critical_exposure_and_weights() -> None:
    found = dose.critical_exposure(1 / np.array([3, 4, 5, 10, 20]))
    assert found == pytest.approx([4.340, 5.277, 6.386, 14.139, 38.726], rel=1e-3)
    weight = dose.weights([0, 1 / 5], 50, 1.0)
    assert weight[[0, 9, 29, 49], 1] == pytest.approx([0.9247, 0.4570, 0.0955, 0.0199], abs=1e-4)
    assert (weight[:, 0] == 1).all()
    assert np.sqrt((dose.weights([1 / 5], 40, 1.0) ** 2).sum()) == pytest.approx(2.4264, abs=1e-3)


def test_lower_voltages_damage_sooner() -> None:
    assert dose.critical_exposure([0.2], 200)[0] == pytest.approx(0.8 * dose.critical_exposure([0.2], 300)[0])


@pytest.mark.parametrize("frames", [1, 2, 24, 80])
@pytest.mark.parametrize("exposure", [5, 45, 60, 120])
def test_few_sums_stand_for_all_frames(frames: int, exposure: float) -> None:
    frequency = dose.radial_frequencies(0.8)
    weight = dose.normalised(dose.weights(frequency, frames, exposure / frames))
    parts, tables = dose.few_terms(weight)
    assert parts.shape[1] <= dose.MAX_TERMS
    error = np.linalg.norm(parts @ tables - weight, axis=0) / np.linalg.norm(weight, axis=0)
    assert error.max() < 1e-3
    # white noise keeps its power
    assert (weight**2).sum(axis=0) == pytest.approx(np.full(weight.shape[1], frames))


def test_weighted_sum_equals_weighting_every_frame(make_movie: Callable[..., Any]) -> None:
    counts = make_movie(size=256, frames=10, drift=0.0).counts
    still = Motion(np.zeros((10, 2)), np.zeros((10, 2)), None, (), measured=True)
    found = sum_frames(Frames(counts, NO_GAIN), still, 1.0, dose_per_frame_e_per_A2=4.0)
    k = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None, :])
    weight = dose.normalised(dose.weights(k.ravel(), 10, 4.0)).reshape(10, *k.shape)
    exact = np.fft.irfft2((np.fft.rfft2(counts) * weight).sum(axis=0))
    assert found.weighted is not None
    assert np.abs(found.weighted - exact).max() < 5e-3 * exact.std()
    np.testing.assert_allclose(found.plain, counts.sum(axis=0), rtol=1e-6)
    assert found.weighted.mean() == pytest.approx(found.plain.mean(), rel=1e-4)
    assert ducc0.fft.r2c(found.weighted).shape == (256, 129)


def test_drift_of_a_known_path() -> None:
    path = np.stack([np.linspace(0, 30, 31), np.zeros(31)], axis=1)
    drift = describe(path, path, pixel_size_angstrom=2.0, dose_per_frame_e_per_A2=1.0)
    assert drift.total_angstrom == pytest.approx(30)
    assert drift.raw_angstrom == pytest.approx(30)
    assert drift.early_angstrom == pytest.approx(3)
    assert drift.late_angstrom == pytest.approx(27)
    assert drift.mean_angstrom == pytest.approx(1)
    assert drift.direction_deg == pytest.approx(0)
    assert drift.net_angstrom == pytest.approx(30)
    assert drift.straightness == pytest.approx(1)
    assert drift.largest_angstrom == pytest.approx(1)
    assert drift.debiased_angstrom == pytest.approx(30)
    # sinc(1 Å / 4 Å)
    assert drift.blur_kept == pytest.approx(0.9003, abs=1e-4)
    assert describe(path, path[:, ::-1], pixel_size_angstrom=2.0, dose_per_frame_e_per_A2=None).total_angstrom > 0
    assert describe(path[:, ::-1], path, pixel_size_angstrom=2.0, dose_per_frame_e_per_A2=1.0).direction_deg == 90


def test_drift_that_cannot_be_said_is_nan() -> None:
    one = describe(np.zeros((1, 2)), np.zeros((1, 2)), pixel_size_angstrom=1.0, dose_per_frame_e_per_A2=1.0)
    assert np.isnan(one.total_angstrom)
    path = np.zeros((3, 2))
    short = describe(path, path, pixel_size_angstrom=1.0, dose_per_frame_e_per_A2=None)
    assert np.isnan(short.noise_px)
    assert np.isnan(short.early_angstrom)


def test_shift_noise_is_measured_on_top_of_drift() -> None:
    rng = np.random.default_rng(0)
    path = np.stack([np.linspace(0, 10, 200), np.linspace(0, 5, 200)], axis=1)
    noisy = path + rng.normal(0, 0.3, path.shape)
    assert shift_noise(noisy) == pytest.approx(0.3, rel=0.15)
    drift = describe(path, noisy, pixel_size_angstrom=1.0, dose_per_frame_e_per_A2=1.0)
    assert drift.raw_angstrom - drift.total_angstrom > 2 * (drift.debiased_angstrom - drift.total_angstrom)
