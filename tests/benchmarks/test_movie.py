"""What the parts of processing one movie cost, as ratios within one run; each also runs once as a test."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from athena_pipelines.core.ctf_fit import SearchRange, fit_ctf
from athena_pipelines.core.ctf_model import Defocus, Optics, ctf_image
from athena_pipelines.core.frames import NO_GAIN, Frames
from athena_pipelines.core.motion import Motion, measure_motion, sum_frames
from athena_pipelines.core.small_frames import shrink
from athena_pipelines.core.spectrum import measure

pytestmark = [pytest.mark.feature("EQ-01"), pytest.mark.benchmark(max_time=0.5, min_rounds=2)]

Benchmark = Callable[..., Any]


@pytest.fixture(scope="module")
def frames() -> Frames:
    return Frames(np.random.default_rng(0).poisson(1.0, (12, 1024, 1024)).astype(np.uint8), NO_GAIN)


def test_alignment(benchmark: Benchmark, frames: Frames) -> None:
    motion = benchmark(lambda: measure_motion(shrink(frames, 1.0), grid=(5, 5)))
    assert not motion.measured


def test_summing_with_dose_weights(benchmark: Benchmark, frames: Frames) -> None:
    shifts = np.random.default_rng(1).normal(0, 3, (12, 2))
    motion = Motion(shifts, shifts, None, (), measured=True)
    sums = benchmark(lambda: sum_frames(frames, motion, 1.0, dose_per_frame_e_per_A2=1.0))
    assert sums.plain.mean() == pytest.approx(12, rel=0.01)


def test_ctf(benchmark: Benchmark) -> None:
    specimen = np.fft.rfft2(np.random.default_rng(0).standard_normal((1024, 1024)))
    image = np.fft.irfft2(specimen * ctf_image((1024, 1024), 1.0, Defocus(15500, 15000, 30), Optics()))
    fit = benchmark(lambda: fit_ctf(measure(image.astype(np.float32), 1.0), Optics(), SearchRange()))
    assert fit.defocus.mean_angstrom == pytest.approx(15250, abs=50)
