"""Reading a movie into memory, as small as its counts allow."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from athena.formats.gain import read_gain
from athena.formats.movies import Movie, open_movie
from athena_pipelines.core.frames import NO_GAIN, Frames, find_defects, repair_frames, unaligned_sum

QUANTA_PER_SIGMA = 64
"""Float frames are held in steps of this part of their noise: 16 bits then hold ± 500 σ at no loss to speak of."""


def load_movie(path: str, gain: str | None) -> tuple[Frames, float]:
    """Frames of a movie, repaired, with gain; and their mean (e/px a frame if the movie holds counts).

    Raises BadFile when the movie or the gain cannot be used.
    """
    with open_movie(path) as movie:
        reference = read_gain(gain, movie.shape) if gain else NO_GAIN
        frames = _read(movie, reference)
    total = unaligned_sum(frames.stack, frames.gain)
    bad = find_defects(total, frames.gain)
    # the name seeds the random repair, so that a movie processed twice gives the same picture
    repair_frames(frames, bad, seed=zlib.crc32(Path(path).name.encode()))
    good = total.size - len(frames.repaired)
    whole = float(total.sum(dtype=np.float64)) - float(total[bad].sum(dtype=np.float64))
    return frames, whole / max(good, 1) * frames.scale / frames.count + frames.offset


def _read(movie: Movie, gain: npt.NDArray[np.float32]) -> Frames:
    first = movie.read(0)
    dtype, scale, offset = _storage(first)
    stack: npt.NDArray[Any] = np.empty((movie.frames, *movie.shape), dtype)
    for index in range(movie.frames):
        if movie.dtype == dtype:
            if index == 0:
                stack[index] = first
            else:
                movie.read(index, stack[index])
            continue
        frame = first if index == 0 else movie.read(index)
        if scale == 1 and not _fits(frame, dtype):
            # a later frame is brighter than the first: widen what is there
            dtype = np.dtype(np.uint16) if _fits(frame, np.dtype(np.uint16)) else np.dtype(np.float32)
            stack = stack.astype(dtype)
        stack[index] = frame if scale == 1 else np.clip(np.rint((frame - offset) / scale), 0, 65535)
    return Frames(stack, gain, scale=scale, offset=offset)


def _fits(frame: npt.NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether a frame's values survive in ``dtype`` unchanged."""
    if dtype == np.float32:
        return True
    if np.issubdtype(frame.dtype, np.floating) and not (np.isfinite(frame).all() and (frame == np.rint(frame)).all()):
        return False
    return bool(frame.min() >= 0 and frame.max() <= np.iinfo(dtype).max)


def _storage(first: npt.NDArray[Any]) -> tuple[np.dtype[Any], float, float]:
    """Type to hold a movie in, judged by its first frame; and scale and offset where values must be quantised."""
    for dtype in (np.dtype(np.uint8), np.dtype(np.uint16)):
        if _fits(first, dtype):
            return dtype, 1.0, 0.0
    spread = float(np.nanstd(first, dtype=np.float64)) if np.isfinite(first).any() else 0.0
    if not np.isfinite(first).all() or spread == 0:
        return np.dtype(np.float32), 1.0, 0.0
    scale = spread / QUANTA_PER_SIGMA
    # room for values as far below the first frame's lowest as it reaches above its mean
    offset = float(first.min()) - 32 * spread if first.min() < 0 else 0.0
    return np.dtype(np.uint16), scale, offset
