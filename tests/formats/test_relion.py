"""Motion as RELION keeps it, from what a run keeps."""

import numpy as np
import pytest

from athena.formats.relion import local_coefficients
from athena_pipelines.core.local_motion import LocalModel, patch_centres
from athena_pipelines.steps.outputs import relion_coefficients


@pytest.mark.feature("EX-02")
@pytest.mark.parametrize("grid", [(5, 5), (3, 4)])
def test_the_local_model_comes_back_from_its_patches(grid: tuple[int, int]) -> None:
    frames = 24
    model = LocalModel(np.random.default_rng(0).normal(0, 2, (2, 18)), frames)
    centres = patch_centres((1000 * grid[0], 1000 * grid[1]), grid)
    shifts = model.shifts(centres, np.arange(frames)).reshape(frames, *grid, 2)
    found = local_coefficients(shifts[..., ::-1])
    scale = np.tile(float(frames) ** np.arange(1, 4), 12)  # in px at the end of the movie
    np.testing.assert_allclose(found * scale, relion_coefficients(model) * scale, atol=1e-9)
