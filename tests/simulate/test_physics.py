"""Simulated movies are what their truth says: motion, contrast transfer, dose, counting statistics."""

import math
from dataclasses import replace

import numpy as np
import pytest

from athena_pipelines.simulate.camera import HOT, draw_camera
from athena_pipelines.simulate.motion import Motion, draw_motion
from athena_pipelines.simulate.movie import SimulatedMovie
from athena_pipelines.simulate.optics import Ctf, critical_exposure, wavelength_angstrom
from athena_pipelines.simulate.specimen import Ice
from athena_pipelines.simulate.structure import load_molecule
from tests.simulate.measure import Image, model, power_spectrum, ring_score, simulated, whitened

pytestmark = pytest.mark.feature("AC-05")


def shift_between(first: Image, second: Image) -> tuple[float, float]:
    """(x, y) by which the content of ``second`` lies farther right and up (rows count up), from the slope of phases."""
    window = np.hanning(len(first))[:, None] * np.hanning(first.shape[1])
    a, b = (np.fft.fft2((image - image.mean()) * window) for image in (first, second))
    fy, fx = np.meshgrid(np.fft.fftfreq(len(first)), np.fft.fftfreq(first.shape[1]), indexing="ij")
    used = (np.hypot(fx, fy) < 0.15) & (np.hypot(fx, fy) > 0.01)
    guess = np.zeros(2)
    for _ in range(8):
        cross = (a * np.conj(b) * np.exp(-2j * np.pi * (fx * guess[0] + fy * guess[1])))[used]
        weight = np.abs(cross)
        design = 2 * np.pi * np.stack([fx[used], fy[used]], axis=1)
        guess += np.linalg.solve((design * weight[:, None]).T @ design, (design * weight[:, None]).T @ np.angle(cross))
    return float(guess[0]), float(guess[1])


def test_frames_move_as_the_global_truth_says() -> None:
    motion = Motion(np.array([[0.0, 0.0], [2.25, -1.5], [-3.6, 4.3]]), np.zeros((2, 5, 3)))
    frames = list(simulated(model(motion=motion)).expected_frames())
    for frame, truth in zip(frames, motion.trajectory, strict=True):
        # moved back by whole pixels first: what is left is small against the window
        dx, dy = (round(value) for value in truth)
        back = frame[8 + dy : 184 + dy, 8 + dx : 184 + dx]
        rest = shift_between(frames[0][8:184, 8:184], back)
        assert (rest[0] + dx, rest[1] + dy) == pytest.approx(tuple(truth), abs=0.05)


def test_patches_move_as_the_local_truth_says() -> None:
    motion = draw_motion(np.random.default_rng(3), 4, drift_px=2.0, local_px=2.5, jitter_px=0.0)
    frames = list(simulated(model(size=512, motion=motion)).expected_frames())
    truth = motion.at_patches(4, 4)[-1]
    found = np.empty((4, 4, 2))
    for row in range(4):
        for column in range(4):
            patch = np.s_[row * 128 : row * 128 + 128, column * 128 : column * 128 + 128]
            found[row, column] = shift_between(frames[0][patch], frames[-1][patch])
    assert np.sqrt(np.mean((found - truth) ** 2)) < 0.2
    spread = truth - truth.mean(axis=(0, 1))
    assert np.corrcoef(spread.ravel(), (found - found.mean(axis=(0, 1))).ravel())[0, 1] > 0.95


def test_local_motion_has_mean_zero_and_the_size_asked_for() -> None:
    motion = draw_motion(np.random.default_rng(5), 30, drift_px=15.0, local_px=3.0, jitter_px=0.0)
    patches = motion.at_patches(64, 64)
    assert np.abs(patches.mean(axis=(1, 2)) - motion.trajectory).max() < 2e-3
    assert np.linalg.norm(motion.trajectory[-1]) == pytest.approx(15.0)
    local = patches[-1] - motion.trajectory[-1]
    assert np.linalg.norm(local, axis=-1).max() == pytest.approx(3.0, rel=0.05)
    assert not patches[0].any()
    # most of it comes early
    assert np.linalg.norm(motion.trajectory[8]) > 15 / 2


def test_thon_rings_lie_where_the_truth_says() -> None:
    truth = Ctf(13000.0, 11000.0, 25.0)
    made = model(size=768, ctf=truth, ice=Ice(coverage=0.3, thickness_angstrom=900.0))
    power = whitened(power_spectrum(simulated(made).still()))
    pixel = made.pixel_size_angstrom

    def score(mean_change: float = 0.0, angle: float = 25.0, half: float = 1000.0) -> float:
        return ring_score(power, Ctf(12000 + mean_change + half, 12000 + mean_change - half, angle), pixel)

    changes = np.arange(-500, 501, 50)
    best = changes[int(np.argmax([score(change) for change in changes]))]
    assert abs(best) <= 50
    angles = np.arange(-85, 95, 10)
    assert angles[int(np.argmax([score(0, angle) for angle in angles]))] == 25
    halves = np.arange(0, 2001, 250)
    assert halves[int(np.argmax([score(0, 25, half) for half in halves]))] == 1000
    assert score() > 0.4


def test_protein_is_dark_under_focus() -> None:
    made = model(size=256, ice=Ice(coverage=0.35, thickness_angstrom=10.0), ctf=Ctf(20000, 20000, 0))
    movie = simulated(made)
    image = movie.still()
    over = simulated(replace(made, ctf=Ctf(-20000, -20000, 0, amplitude_contrast=0.0))).still()
    assert (image < image.mean() - 2 * image.std()).sum() > 1.5 * (image > image.mean() + 2 * image.std()).sum()
    assert np.corrcoef(image.ravel(), over.ravel())[0, 1] < -0.5


def test_contrast_is_of_the_size_that_real_micrographs_have() -> None:
    image = simulated(model(size=384, ice=Ice())).still()
    # filtered to about 10 Å, proteins in ice stand out from the mean by some per cent
    spectrum = np.fft.rfft2(image)
    radius = np.hypot(np.fft.rfftfreq(384, 1.5)[None, :], np.fft.fftfreq(384, 1.5)[:, None])
    smooth = np.fft.irfft2(spectrum * (radius < 0.1), s=image.shape)
    assert 0.01 < smooth.std() / smooth.mean() < 0.1


def test_counts_are_poisson_and_independent() -> None:
    made = model(size=256, ice=None, counts_per_px=0.8)
    frames = np.stack(list(simulated(made).frames())).astype(np.float64)
    assert frames.dtype == np.float64
    count = frames.size
    assert frames.mean() == pytest.approx(0.8, abs=4 * math.sqrt(0.8 / count))
    assert frames.var() == pytest.approx(0.8, abs=5 * math.sqrt(2 * 0.8**2 / count))
    expected = [math.exp(-0.8) * 0.8**k / math.factorial(k) for k in range(7)]
    found = np.bincount(frames.astype(int).ravel(), minlength=7)[:7] / count
    assert found == pytest.approx(expected, abs=5 / math.sqrt(count))
    limit = 5 / math.sqrt(count)
    for other in (np.roll(frames, 1, axis=0), np.roll(frames, 1, axis=1), np.roll(frames, 1, axis=2)):
        assert abs(np.corrcoef(frames.ravel(), other.ravel())[0, 1]) < limit


def test_dose_is_counts_over_pixel_area() -> None:
    made = model(ice=None, counts_per_px=0.9)
    frames = list(simulated(made).frames())
    total = sum(float(frame.mean()) for frame in frames) / made.pixel_size_angstrom**2
    assert total == pytest.approx(made.dose_per_frame * len(frames), rel=0.01)


def test_the_specimen_fades_as_it_is_exposed() -> None:
    made = model(counts_per_px=20.0, damage=True, ice=Ice(coverage=0.3))
    first, _, last = simulated(made).expected_frames()
    radius = np.hypot(np.fft.fftfreq(192, 1.5)[:, None], np.fft.fftfreq(192, 1.5)[None, :])
    band = (radius > 0.08) & (radius < 0.09)
    ratio = math.sqrt(np.sum(np.abs(np.fft.fft2(last)[band]) ** 2) / np.sum(np.abs(np.fft.fft2(first)[band]) ** 2))
    expected = math.exp(-made.dose_per_frame * 2 / (2 * float(critical_exposure(np.float32([0.085]))[0])))
    assert ratio == pytest.approx(expected, rel=0.05)


def test_gain_corrects_all_but_hot_pixels() -> None:
    camera = draw_camera(np.random.default_rng(2), (192, 192), spread=0.05, hot_fraction=1e-3)
    made = model(ice=None, motion=Motion(np.zeros((60, 2)), np.zeros((2, 5, 3))))
    raw = np.zeros(made.shape)
    for frame in SimulatedMovie(made, load_molecule(), response=camera.response).frames():
        raw += frame
    hot = camera.response == HOT
    assert 10 < hot.sum() < 80
    assert raw[hot].min() > 10 * raw[~hot].mean()
    corrected = raw * camera.gain
    assert corrected[~hot].mean() == pytest.approx(60, rel=0.01)
    assert raw[~hot].var() > 1.2 * 60
    assert corrected[~hot].var() == pytest.approx(60, rel=0.05)


def test_optics_agree_with_independent_numbers() -> None:
    assert wavelength_angstrom(300) == pytest.approx(0.019687, rel=1e-4)
    assert wavelength_angstrom(200) == pytest.approx(0.025079, rel=1e-4)
    ctf = Ctf(15000, 15000, 0, 300, 2.7, 0.1)
    frequency = np.float32([0.05, 0.1, 0.2])
    assert ctf.evaluate(frequency, np.float32([0.0])) == pytest.approx([-0.6625, -0.0796, 0.8456], abs=2e-3)
    zeros = np.float32([1 / 17.455, 1 / 12.235, 1 / 9.957, 1 / 8.606])
    assert np.abs(ctf.evaluate(np.float32([0.0]), zeros)).max() < 2e-3
    # U along x, so that the ring is tighter there
    astigmatic = Ctf(20000, 10000, 0)
    along_x = astigmatic.evaluate(np.float32([0.04]), np.float32([0.0]))
    assert along_x == pytest.approx(Ctf(20000, 20000, 0).evaluate(np.float32([0.04]), np.float32([0.0])), abs=1e-5)
    assert critical_exposure(np.float32([0.1]))[0] == pytest.approx(14.14, abs=0.02)
    assert critical_exposure(np.float32([0.1]), 200)[0] == pytest.approx(0.8 * 14.14, abs=0.02)
