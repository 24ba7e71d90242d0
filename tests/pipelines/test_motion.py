"""Motion correction recovers known motion, and says so when there is none to find."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from athena_pipelines.core.alignment import align, low_pass
from athena_pipelines.core.frames import NO_GAIN, Frames, find_defects, repair_frames, unaligned_sum
from athena_pipelines.core.local_motion import group_frames, patch_centres, patch_slices
from athena_pipelines.core.motion import Motion, measure_motion, patch_motion, sum_frames, without_outliers
from athena_pipelines.core.motion_kernels import gather
from athena_pipelines.core.small_frames import shrink, transforms_of
from athena_pipelines.core.trajectory import most_likely

pytestmark = pytest.mark.feature("EQ-01")

Make = Callable[..., Any]
Rms = Callable[..., float]


def _measure(counts: Any, gain: Any = NO_GAIN, grid: tuple[int, int] = (5, 5)) -> tuple[Frames, Motion]:
    frames = Frames(counts, gain)
    return frames, measure_motion(shrink(frames, 1.0), grid=grid)


@pytest.mark.parametrize(
    ("frames", "counts", "drift"), [(24, 1.2, 12.0), (24, 1.2, 0.0), (5, 6.0, 6.0), (2, 15.0, 4.0)]
)
def test_global_motion_is_recovered(
    make_movie: Make, trajectory_rms: Rms, frames: int, counts: float, drift: float
) -> None:
    movie = make_movie(frames=frames, counts=counts, drift=drift)
    _, motion = _measure(movie.counts)
    assert motion.measured
    assert trajectory_rms(motion.global_angstrom(1.0), movie.motion) < 0.25


def test_an_unknown_gain_does_not_pull_shifts_to_zero(make_movie: Make, trajectory_rms: Rms) -> None:
    gain = 1 + 0.1 * np.random.default_rng(5).standard_normal((512, 512))
    movie = make_movie(frames=24, drift=12.0, gain=gain)
    _, motion = _measure(movie.counts)
    assert trajectory_rms(motion.global_angstrom(1.0), movie.motion) < 0.3


def test_a_spoiled_movie_is_aligned_nearly_as_well_as_a_clean_one_and_flagged(
    make_movie: Make, trajectory_rms: Rms
) -> None:
    rng = np.random.default_rng(5)
    clean = make_movie(size=768, frames=16, drift=12.0)
    _, motion = _measure(clean.counts)
    best = trajectory_rms(motion.global_angstrom(1.0), clean.motion)
    assert not {"fixed_pattern", "blank_frames"} & set(motion.flags)
    counts = make_movie(
        size=768, frames=16, drift=12.0, gain=1 + 0.1 * rng.standard_normal((768, 768)).clip(-4, 4)
    ).counts.copy()
    y, x = rng.integers(0, 768, (2, 200))
    counts[:, y, x] = rng.integers(20, 200, (16, 200))
    counts[:, :, [300, 511, 512]] = 0
    counts[7] = 0
    frames = Frames(counts, NO_GAIN)
    bad = find_defects(unaligned_sum(counts), NO_GAIN)
    assert bad[y, x].all()
    assert bad[:, [300, 511, 512]].all()
    assert bad.sum() < 200 + 3 * 768 + 20
    repair_frames(frames, bad, seed=1)
    motion = measure_motion(shrink(frames, 1.0), grid=(5, 5))
    assert {"fixed_pattern", "blank_frames"} <= set(motion.flags)
    assert trajectory_rms(motion.global_angstrom(1.0), clean.motion) < 2 * best


def test_large_images_are_aligned_by_their_inner_frequencies_first() -> None:
    rng = np.random.default_rng(2)
    transform = np.fft.rfft2(rng.standard_normal((512, 512)))
    qy, qx = np.fft.fftfreq(512)[:, None], np.fft.rfftfreq(512)[None, :]
    transform *= np.exp(-30 * (qy * qy + qx * qx))
    truth = np.array([[0, 0], [3.3, -7.2], [-11.6, 4.5], [0.4, 0.7]])
    images = [np.fft.irfft2(transform * np.exp(-2j * np.pi * (qy * y + qx * x))) for y, x in truth]
    noisy = (np.array(images) / np.std(images[0]) + 2 * rng.standard_normal((4, 512, 512))).astype(np.float32)
    found = align(transforms_of(noisy), (512, 512), low_pass((512, 512), 4.0), radius=20, smooth=False)
    assert found.converged
    np.testing.assert_allclose(found.shifts, -truth, atol=0.15)


def test_identical_frames_do_not_move() -> None:
    image = np.random.default_rng(0).poisson(5, (256, 256)).astype(np.uint8)
    _, motion = _measure(np.repeat(image[None], 8, axis=0), grid=(1, 1))
    assert np.abs(motion.global_shifts).max() < 0.05


def test_frames_without_signal_are_said_to_be_so(make_movie: Make) -> None:
    movie = make_movie(frames=16, contrast=0.0)
    _, motion = _measure(movie.counts)
    assert not motion.measured
    assert motion.flags == ("no_motion_signal",)
    assert not motion.global_shifts.any()
    gain = 1 + 0.1 * np.random.default_rng(5).standard_normal((512, 512))
    _, motion = _measure(make_movie(frames=16, contrast=0.0, gain=gain).counts)
    assert motion.flags == ("no_motion_signal", "fixed_pattern")


def test_a_single_frame_is_no_movie_but_has_a_sum(make_movie: Make) -> None:
    movie = make_movie(frames=1)
    frames, motion = _measure(movie.counts)
    assert motion.flags == ("single_frame",)
    sums = sum_frames(frames, motion, 1.0, dose_per_frame_e_per_A2=None)
    np.testing.assert_array_equal(sums.plain, movie.counts[0])


def test_local_motion_is_recovered(make_movie: Make) -> None:
    movie = make_movie(size=768, frames=10, counts=6.0, contrast=0.2, drift=6.0, local=3.0)
    _, motion = _measure(movie.counts)
    assert motion.local is not None
    assert "local_motion_rejected" not in motion.flags
    places = patch_centres((768, 768), (5, 5))
    shifts = motion.at(places) - motion.global_shifts[:, None]
    y, x = ((places + 0.5) * 767).astype(int).T
    truth = -movie.local[:, y, x].T
    error = (shifts[-1] - shifts[-1].mean(axis=0)) - (truth - truth.mean(axis=0))
    assert np.sqrt((error**2).mean()) < 0.5
    assert np.sqrt((error**2).mean()) < 0.4 * (truth - truth.mean(axis=0)).std()


def test_no_local_model_where_there_is_no_local_motion(make_movie: Make) -> None:
    movie = make_movie(frames=16, drift=3.0, contrast=0.06)
    _, motion = _measure(movie.counts)
    assert motion.local is None
    assert "local_motion_rejected" in motion.flags
    np.testing.assert_allclose(patch_motion(motion, (5, 5), 1.0)[:, 2, 3], motion.global_angstrom(1.0))


def test_aligned_sum_is_sharp(make_movie: Make) -> None:
    movie = make_movie(frames=20, drift=10.0)
    still = make_movie(frames=20, drift=0.0)
    frames, motion = _measure(movie.counts, grid=(1, 1))
    aligned = sum_frames(frames, motion, 1.0, dose_per_frame_e_per_A2=None).plain
    inner = (slice(32, -32), slice(32, -32))
    reference = still.counts.sum(axis=0)[inner].astype(float)

    def likeness(image: Any) -> float:
        return float(np.corrcoef(image[inner].ravel(), reference.ravel())[0, 1])

    assert likeness(aligned) > 3 * likeness(movie.counts.sum(axis=0).astype(float))


def test_gathering_whole_pixel_shifts_is_exact() -> None:
    rng = np.random.default_rng(0)
    stack = rng.poisson(20, (2, 100, 150)).astype(np.uint16)
    gain = rng.uniform(0.9, 1.1, (100, 150)).astype(np.float32)
    field = np.zeros((2, 4, 3, 2), np.float32)
    field[1] = (-3, 5)
    sums = np.zeros((2, 100, 150), np.float32)
    gather(stack, gain, field, np.array([[1, 0], [1, 2]], np.float32), (32, 64), sums)
    moved = np.roll(stack[1] * gain, (-3, 5), (0, 1))
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(sums[0][inner], (stack[0] * gain + moved)[inner], rtol=1e-5)
    np.testing.assert_allclose(sums[1][inner], 2 * moved[inner], rtol=1e-5)


def test_defects_are_found_and_replaced_by_neighbours() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(2, (10, 200, 200)).astype(np.uint8)
    gain = np.ones((200, 200), np.float32)
    counts[:, 50, 60] = 40
    counts[:, 80:83, 100:140] = 0
    gain[80:83, 100:140] = 0
    frames = Frames(counts, gain)
    bad = find_defects(unaligned_sum(counts) * gain, gain)
    assert bad[50, 60]
    assert bad[80:83, 100:140].all()
    assert bad.sum() == 121
    repair_frames(frames, bad, seed=1)
    assert frames.defects == 121
    region = counts[:, 80:83, 100:140]
    assert region.mean() == pytest.approx(2, abs=0.2)
    assert region.var() == pytest.approx(2, abs=0.4)
    assert counts[:, 50, 60].mean() < 5
    assert (gain[80:83, 100:140] > 0).all()


def test_most_likely_trajectory_is_nearer_the_truth_than_what_was_measured() -> None:
    rng = np.random.default_rng(3)
    time = np.linspace(0, 1, 40)
    truth = np.stack([4 * (1 - np.exp(-5 * time)), 2 * time], axis=1)
    for sigma in (0.02, 0.3):
        measured = truth + rng.normal(0, sigma, truth.shape)
        found, strays = most_likely(measured, np.full(40, sigma), 1.0)
        assert not strays
        error = (found - found.mean(axis=0)) - (truth - truth.mean(axis=0))
        assert error.std() < (0.65 if sigma == 0.3 else 1.1) * sigma


@pytest.mark.parametrize("spoiled", [4, 12, 22, 23])
def test_a_frame_gone_astray_does_not_bend_the_path_wherever_it_is(spoiled: int) -> None:
    rng = np.random.default_rng(13)
    time = np.linspace(0, 1, 24)
    truth = np.stack([0.5 * (1 - np.exp(-8 * time)) + time, -0.4 * time], axis=1)
    noise = np.linspace(0.05, 0.4, 24)
    measured = truth + rng.normal(0, 1, truth.shape) * noise[:, None]
    clean, strays = most_likely(measured, noise, 1.0)
    assert not strays
    measured[spoiled] += (2.5, -2.0)
    found, strays = most_likely(measured, noise, 1.0)
    assert strays == 1
    assert np.hypot(*(found - clean).T).max() < 1.5 * noise[spoiled] + 0.1


def test_an_outlying_frame_is_put_onto_the_path() -> None:
    shifts = np.stack([np.linspace(0, 2, 20), np.linspace(0, -1, 20)], axis=1)
    shifts += np.random.default_rng(0).normal(0, 0.01, shifts.shape)
    spoiled = shifts.copy()
    spoiled[9] += 5
    mended, count = without_outliers(spoiled, limit=0.5)
    assert count == 1
    np.testing.assert_allclose(mended, shifts - shifts[0], atol=0.1)


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 40, 41, 120])
@pytest.mark.parametrize("electrons", [1.0, 3e4, 1e6])
def test_groups_hold_every_frame_once(frames: int, electrons: float) -> None:
    groups = group_frames(frames, electrons)
    assert [i for g in groups for i in range(g.start, g.stop)] == list(range(frames))
    assert len(groups) <= 12


def test_patches_cover_the_image() -> None:
    covered = np.zeros((300, 401), int)
    for rows, columns in patch_slices((300, 401), (5, 4)):
        covered[rows, columns] += 1
    assert covered.min() >= 1
    assert np.abs(patch_centres((300, 401), (5, 4))).max() < 0.5
