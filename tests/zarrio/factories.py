"""What the stores' tests write, importable by the processes they start too."""

import numpy as np

from athena.contract.processing import MovieResult
from athena.zarrio import layout


def make_result(index: int, *, frames: int = 6, grid: tuple[int, int] = (5, 5), **metrics: float) -> MovieResult:
    """Results whose every number can be told from its index."""
    rows, columns = grid
    frame, y, x, axis = np.meshgrid(np.arange(frames), np.arange(rows), np.arange(columns), np.arange(2), indexing="ij")
    motion = index + frame * 0.1 + y * 0.01 + x * 0.001 + axis * 100
    curves = np.linspace(0, 1, len(layout.CTF_CURVES) * layout.CURVE_LENGTH).reshape(len(layout.CTF_CURVES), -1)
    return MovieResult(
        run_id="run",
        index=index,
        frames=frames,
        metrics=metrics or {"defocus_um": 1.0 + index, "drift_total_angstrom": 0.5 * index},
        global_motion=(index + np.arange(frames * 2)).astype(float).tolist(),
        patch_motion=motion.ravel().tolist(),
        patch_grid=grid,
        ctf_curves=curves.tolist(),
        software="test",
    )
