"""When motion counts as measured: never of noise, and always where frames together are certain."""

import numpy as np
import pytest

from athena_pipelines.core.alignment import Alignment, align, low_pass
from athena_pipelines.core.frames import NO_GAIN, Frames
from athena_pipelines.core.motion import FALSE_ALARM, measure_motion
from athena_pipelines.core.small_frames import shrink, transforms_of
from tests.pipelines.conftest import known_movie, rms

pytestmark = pytest.mark.feature("EQ-01")

SEEDS = 20


def _aligned(images: np.ndarray, pixel: float) -> Alignment:
    shape = images.shape[1:]
    radius = min(70 / pixel, min(shape) / 4)
    return align(transforms_of(images.astype(np.float32)), shape, low_pass(shape, pixel), radius=radius)


@pytest.mark.parametrize(("size", "pixel", "frames"), [(256, 1.6, 2), (256, 3.0, 5), (256, 1.6, 16), (384, 2.0, 24)])
def test_noise_never_passes_for_motion(size: int, pixel: float, frames: int) -> None:
    chances = []
    for seed in range(SEEDS):
        noise = np.random.default_rng([seed, frames]).poisson(1.2, (frames, size, size))
        chances.append(_aligned(noise, pixel).chance)
    # what one path in so many seeds would reach at most, and no more
    assert min(chances) > np.log(1 / SEEDS) - 3
    assert min(chances) > np.log(FALSE_ALARM)


def test_two_frames_of_noise_fit_as_often_as_said() -> None:
    # the number that is expected to fit as well is about one for the best that was found
    chances = [
        _aligned(np.random.default_rng([seed, 7]).poisson(1.2, (2, 256, 256)), 1.6).chance for seed in range(SEEDS)
    ]
    assert abs(float(np.median(chances))) < 2


@pytest.mark.parametrize("seed", [0, 1])
def test_frames_too_noisy_one_by_one_are_certain_together(seed: int) -> None:
    movie = known_movie(frames=24, counts=1.2, drift=12.0, contrast=0.03, seed=seed)
    motion = measure_motion(shrink(Frames(movie.counts, NO_GAIN), 1.0), grid=(1, 1))
    assert motion.measured
    assert rms(motion.global_angstrom(1.0), movie.motion) < 0.5


def test_half_of_a_specimen_is_enough() -> None:
    movie = known_movie(frames=24, counts=1.2, drift=12.0, contrast=0.045, seed=3)
    counts = movie.counts.copy()
    # nothing is to be seen of the rest
    covered = slice(0, 264)
    counts[:, covered] = np.random.default_rng(1).poisson(1.2, counts[:, covered].shape)
    motion = measure_motion(shrink(Frames(counts, NO_GAIN), 1.0), grid=(1, 1))
    assert motion.measured
    assert rms(motion.global_angstrom(1.0), movie.motion) < 0.5


def test_a_pattern_of_the_camera_is_no_evidence() -> None:
    for seed in range(5):
        gain = 1 + 0.1 * np.random.default_rng([seed, 1]).standard_normal((384, 384))
        noise = known_movie(size=384, frames=16, contrast=0.0, gain=gain.clip(0.5, 1.5), seed=seed)
        motion = measure_motion(shrink(Frames(noise.counts, NO_GAIN), 1.0), grid=(1, 1))
        assert motion.flags == ("no_motion_signal", "fixed_pattern")
