"""Motion of the specimen under the beam: a global trajectory and a smooth local field, both known exactly.

Signs: displacement of the specimen relative to frame 0, px of the movie, (x, y) with y up (MRC rows). A feature at
``r`` in frame 0 is at ``r + global(t) + local(r, t)`` in frame t.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPACE_TERMS = ("u", "v", "u²−1/3", "v²−1/3", "uv")
"""Local field in space; u, v run from −1 to 1 over the width and the height, y up. Each has mean 0 over the image,
so that the global trajectory is the mean motion."""
TIME_TERMS = ("t", "t²", "t³")
"""Local field in time; t runs from 0 (first frame) to 1 (last frame)."""


@dataclass(frozen=True)
class Motion:
    """Motion of one movie.

    Attributes
    ----------
    trajectory : (frames, 2) px, (x, y); row 0 is 0.
    local : (2, 5, 3) px: axis, ``SPACE_TERMS``, ``TIME_TERMS``.
    """

    trajectory: NDArray[np.float64]
    local: NDArray[np.float64]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.trajectory)

    @property
    def reach(self) -> float:
        """No point is displaced farther along an axis than this, px."""
        return float(np.abs(self.trajectory).max() + 2.5 * np.abs(self.local).sum(axis=(1, 2)).max())

    def space_coefficients(self, frame: int) -> NDArray[np.float64]:
        """Coefficients of the local field at one frame, (2, 5) px."""
        time = frame / max(self.frames - 1, 1)
        coefficients: NDArray[np.float64] = self.local @ np.array([time, time**2, time**3])
        return coefficients

    def local_at(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
        """Local displacement of points at fractional places ``u``, ``v`` (n,), as (frames, n, 2) px."""
        space = np.stack([u, v, u**2 - 1 / 3, v**2 - 1 / 3, u * v])
        per_frame = np.stack([self.space_coefficients(frame) for frame in range(self.frames)])
        local: NDArray[np.float64] = np.einsum("fas,sn->fna", per_frame, space)
        return local

    def at_patches(self, patches_y: int, patches_x: int) -> NDArray[np.float64]:
        """Global plus local displacement at the centres of a patch grid, (frames, patches_y, patches_x, 2) px."""
        v = (np.arange(patches_y) + 0.5) / patches_y * 2 - 1
        u = (np.arange(patches_x) + 0.5) / patches_x * 2 - 1
        vv, uu = np.meshgrid(v, u, indexing="ij")
        local = self.local_at(uu.ravel(), vv.ravel()).reshape(self.frames, patches_y, patches_x, 2)
        return local + self.trajectory[:, None, None, :]


def draw_motion(rng: np.random.Generator, frames: int, *, drift_px: float, local_px: float, jitter_px: float) -> Motion:
    """Draw a motion: fast settling, slow drift, jitter, and doming.

    Parameters
    ----------
    drift_px : length of the smooth trajectory from the first to the last frame.
    local_px : largest local displacement within the image at the last frame.
    jitter_px : standard deviation of the frame-to-frame jitter of each axis.
    """
    time = np.arange(frames) / max(frames - 1, 1)
    settle = (1 - np.exp(-time / 0.12)) / (1 - math.exp(-1 / 0.12))
    share = rng.uniform(0.4, 0.7)
    directions = [_unit(rng.uniform(0, 2 * math.pi))]
    directions.append(_unit(math.atan2(directions[0][1], directions[0][0]) + rng.normal(0, 0.6)))
    smooth = share * settle[:, None] * directions[0] + (1 - share) * time[:, None] * directions[1]
    length = float(np.linalg.norm(smooth[-1] - smooth[0])) if frames > 1 else 0.0
    if length > 0:
        smooth *= drift_px / length
    trajectory = smooth + rng.normal(0, jitter_px, (frames, 2)) if jitter_px > 0 else smooth
    return Motion(trajectory - trajectory[0], _draw_local(rng, local_px))


def _unit(angle: float) -> NDArray[np.float64]:
    return np.array([math.cos(angle), math.sin(angle)])


def _draw_local(rng: np.random.Generator, local_px: float) -> NDArray[np.float64]:
    """Coefficients whose largest displacement over the image at t = 1 is ``local_px``."""
    # doming bends and shears; most of it comes early, so that t and t² have opposite signs
    space = rng.normal(0, 1, (2, 5)) * np.array([0.6, 0.6, 1.0, 1.0, 0.7])
    profile = np.array([2.2, -1.9, 0.7]) + rng.normal(0, 0.1, 3)
    coefficients = space[:, :, None] * (profile / profile.sum())
    edge = np.linspace(-1, 1, 9)
    vv, uu = np.meshgrid(edge, edge, indexing="ij")
    largest = np.abs(Motion(np.zeros((2, 2)), coefficients).local_at(uu.ravel(), vv.ravel())[-1])
    scale = float(np.linalg.norm(largest, axis=-1).max())
    scaled: NDArray[np.float64] = coefficients * (local_px / scale)
    return scaled
