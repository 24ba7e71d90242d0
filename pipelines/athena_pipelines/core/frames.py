"""A movie's frames in memory: counts in the smallest type that holds them, repaired, and their small copies.

The float movie is never held: gain is applied wherever a frame is read.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.motion_kernels import mark_outside, repair, sum_stack

Float32 = npt.NDArray[np.float32]

NO_GAIN = np.ones((1, 1), np.float32)
HOT_SIGMA = 6.0
HOT_COUNTS = 6.0
DARK_LINE = 0.5
"""Of the median row or column: darker ones are dead."""
MOST_DARK_LINES = 0.02


@dataclass
class Frames:
    """Frames of one movie.

    Attributes
    ----------
    stack : (frames, height, width), counts; MRC row order.
    gain : (height, width), or (1, 1) for none.
    scale, offset : a stored value v stands for v · scale + offset.
    repaired : (n, 2) pixels that were repaired, (y, x).
    """

    stack: npt.NDArray[Any]
    gain: Float32
    scale: float = 1.0
    offset: float = 0.0
    repaired: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    @property
    def defects(self) -> int:
        """How many pixels were repaired."""
        return len(self.repaired)

    @property
    def count(self) -> int:
        """Number of frames."""
        return int(self.stack.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), px."""
        return int(self.stack.shape[1]), int(self.stack.shape[2])


def unaligned_sum(stack: npt.NDArray[Any]) -> Float32:
    """Sum of all frames, (height, width)."""
    total = np.zeros(stack.shape[1:], np.float32)
    sum_stack(stack, total)
    return total


def find_defects(total: Float32, gain: Float32, known: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
    """Mask of pixels to repair: ``known`` ones, dead in the gain, or hot or cold by 6 σ in the unaligned sum.

    σ is taken twice, the second time without the first's outliers, so that a few very hot pixels do not hide others.
    Cold pixels are looked for only where the mean is far enough from zero to tell.
    """
    bad = np.zeros(total.shape, np.bool_) if known is None else known.copy()
    if gain.shape != (1, 1):
        bad |= gain == 0
    for _ in range(2):
        # every 7th pixel tells mean and spread well enough
        good = total.ravel()[::7][~bad.ravel()[::7]]
        if good.size < 2:
            return bad
        mean, sigma = float(good.mean(dtype=np.float64)), float(good.std(dtype=np.float64))
        # counts are few in a short movie, and Poisson's tail is longer than Gauss's: hence HOT_COUNTS on top
        high = mean + HOT_SIGMA * sigma + HOT_COUNTS
        low = mean - HOT_SIGMA * sigma if mean > HOT_SIGMA * sigma else -np.inf
        before = int(bad.sum())
        mark_outside(total, low, high, bad)
        if int(bad.sum()) == before:
            break
    _mark_lines(total, bad)
    return bad


def _mark_lines(total: Float32, bad: npt.NDArray[np.bool_]) -> None:
    """Mark rows and columns that are dark as a whole, which a short movie's pixels one by one are too few to tell.

    Where many are, it is the beam's edge or a wide shadow, and no defect of the camera.
    """
    for axis, marked in ((1, bad), (0, bad.T)):
        means = total.mean(axis=axis)
        dark = means < DARK_LINE * np.median(means)
        if 0 < dark.sum() <= MOST_DARK_LINES * len(means):
            marked[dark] = True


def repair_frames(frames: Frames, bad: npt.NDArray[np.bool_], *, seed: int) -> None:
    """Repair every frame in place where ``bad`` (height, width), and the gain with it."""
    places = np.argwhere(bad).astype(np.int64)
    frames.repaired = places
    if not len(places):
        return
    neighbours, counts = _good_neighbours(bad, places)
    for index, frame in enumerate(frames.stack):
        repair(frame, places, neighbours, counts, (seed + index) % 2**32)
    if frames.gain.shape != (1, 1):
        around = frames.gain[neighbours[..., 0], neighbours[..., 1]]
        around[np.arange(around.shape[1]) >= counts[:, None]] = 0
        mean = around.sum(axis=1) / np.maximum(counts, 1)
        frames.gain[places[:, 0], places[:, 1]] = np.where(mean > 0, mean, 1)


def _good_neighbours(
    bad: npt.NDArray[np.bool_], places: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Good pixels within ±2 px of each place: (n, 24, 2), and how many, (n,)."""
    reach = np.arange(-2, 3)
    offsets = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2)
    near = places[:, None, :] + offsets[(offsets != 0).any(axis=1)]
    limit = np.array(bad.shape) - 1
    within = ((near >= 0) & (near <= limit)).all(axis=-1)
    near = np.clip(near, 0, limit)
    good = within & ~bad[near[..., 0], near[..., 1]]
    order = np.argsort(~good, axis=1, kind="stable")
    return np.ascontiguousarray(np.take_along_axis(near, order[..., None], axis=1)), good.sum(axis=1).astype(np.int64)
