"""The promised accuracy at full size: a 4096² movie of 40 frames at 0.72 e/px, drifting 15 px and bending 3 px."""

import time

import numpy as np
import pytest

from athena_pipelines.core.ctf import measure_ctf
from athena_pipelines.core.ctf_fit import SearchRange
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.frames import NO_GAIN, Frames
from athena_pipelines.core.motion import Exposure, measure_motion, patch_motion, sum_frames
from athena_pipelines.core.small_frames import shrink
from athena_pipelines.simulate.motion import draw_motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.structure import load_molecule


@pytest.mark.slow
@pytest.mark.feature("EQ-01")
def test_motion_and_defocus_at_full_size() -> None:
    truth = draw_motion(np.random.default_rng(1), 40, drift_px=15, local_px=3, jitter_px=0.1)
    model = MovieModel(
        seed=1,
        shape=(4096, 4096),
        pixel_size_angstrom=0.8,
        counts_per_px=0.72,
        b_factor=80,
        ctf=Ctf(15500, 15000, 30),
        motion=truth,
    )
    stack = np.empty((40, 4096, 4096), np.uint8)
    for frame, counts in zip(stack, SimulatedMovie(model, load_molecule()).frames(), strict=True):
        frame[:] = counts
    frames = Frames(stack, NO_GAIN)
    motion = measure_motion(shrink(frames, 0.8), grid=(5, 5), exposure=Exposure(0.72 / 0.8**2))

    error = motion.global_angstrom(1.0) - truth.trajectory
    error -= error.mean(axis=0)
    assert np.sqrt((error**2).sum(axis=1).mean()) <= 0.16

    assert motion.local is not None
    wrong = patch_motion(motion, (5, 5), 1.0) - truth.at_patches(5, 5)
    wrong -= wrong.mean(axis=0)
    assert np.sqrt((wrong**2).sum(axis=-1).mean()) <= 0.17

    image = sum_frames(frames, motion, 0.8, dose_per_frame_e_per_A2=None).plain
    began = time.process_time()
    found = measure_ctf(image, 0.8, Optics(), SearchRange())
    assert time.process_time() - began <= 0.9
    fit = found.fit
    assert fit.defocus.u_angstrom == pytest.approx(15500, abs=40)
    assert fit.defocus.v_angstrom == pytest.approx(15000, abs=40)
    assert fit.defocus.angle_deg == pytest.approx(30, abs=5)
    assert not found.tilt.significant
