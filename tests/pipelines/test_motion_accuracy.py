"""Accuracy of motion on small simulated movies: several seeds and pixel sizes, so that none is favoured."""

import numpy as np
import pytest

from athena_pipelines.core.frames import NO_GAIN, Frames
from athena_pipelines.core.local_motion import patch_centres
from athena_pipelines.core.motion import Exposure, measure_motion
from athena_pipelines.core.small_frames import binning_for, inner_shape, shrink
from athena_pipelines.simulate.motion import draw_motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.structure import load_molecule

pytestmark = pytest.mark.feature("EQ-01")

FRAMES, COUNTS, SIZE = 24, 1.19, 2048


def _errors(seed: int, pixel: float, defocus: float, local: float) -> tuple[float, float]:
    """RMS an axis of the global trajectory and of the whole field, px, after one constant offset each."""
    truth = draw_motion(np.random.default_rng(seed), FRAMES, drift_px=15, local_px=local, jitter_px=0.1)
    ctf = Ctf(defocus, defocus - 300, 30)
    model = MovieModel(seed, (SIZE, SIZE), pixel, COUNTS, ctf, truth, b_factor=80)
    frames = Frames(np.stack(list(SimulatedMovie(model, load_molecule()).frames())), NO_GAIN)
    motion = measure_motion(shrink(frames, pixel), grid=(5, 5), exposure=Exposure(COUNTS / pixel**2))
    trajectory = motion.global_angstrom(1.0) - truth.trajectory
    places = patch_centres((1000, 1000), (5, 5))
    true_local = truth.local_at(2 * places[:, 1], 2 * places[:, 0])
    field = motion.specimen_angstrom(places, 1.0) - true_local - truth.trajectory[:, None]
    return float(np.std(trajectory - trajectory.mean(axis=0))), float(np.std(field - field.mean(axis=(0, 1))))


@pytest.mark.parametrize(("pixel", "most_global", "most_field"), [(0.8, 0.12, 0.185), (1.05, 0.08, 0.12)])
def test_motion_of_small_movies_is_accurate(pixel: float, most_global: float, most_field: float) -> None:
    errors = np.array([_errors(seed, pixel, defocus, 3.0) for seed, defocus in ((1, 15500), (2, 9000))])
    shift, field = np.sqrt((errors**2).mean(axis=0))
    assert shift <= most_global
    assert field <= most_field


def test_weak_local_motion_makes_nothing_worse() -> None:
    shift, field = _errors(3, 0.8, 15500, 0.3)
    assert field <= shift + 0.05


def test_blocks_blur_nothing_that_is_used() -> None:
    for edge in (2048, 4096, 8192):
        for pixel in (0.33, 0.5, 0.65, 0.8, 1.05, 1.6, 3.0):
            binning = binning_for((edge, edge), pixel)
            small = edge // binning
            rows, _ = inner_shape((small, small), pixel * binning)
            assert binning == 1 or pixel * binning <= 0.71 * pixel * edge / rows
