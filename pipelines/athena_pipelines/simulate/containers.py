"""Movie files as cameras write them: LZW TIFF, MRC stacks, and EER with the electrons dealt out to raw frames."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import mrcfile
import numpy as np
import tifffile
from numpy.typing import NDArray

from athena_pipelines.simulate.eer import write_eer

Container = Literal["tiff", "mrc", "eer"]
Frames = Iterator[NDArray[np.uint8]]

SUFFIXES: dict[Container, str] = {"tiff": "_fractions.tiff", "mrc": "_fractions.mrc", "eer": "_EER.eer"}
"""What EPU puts behind the name of an exposure."""
RAW_FRAMES = 25
"""Raw frames of an EER movie that stand for one frame of the simulation."""
_STRIDE, _INVERSE = 7, 18
"""Steps from one electron of a pixel to its next raw frame, and its inverse modulo RAW_FRAMES."""


def write_movie(
    path: Path, frames: Frames, stop: threading.Event, container: Container, *, dose_e_per_px: float, seed: int
) -> bool:
    """Write frames (row 0 at the bottom), growing in place as a camera does.

    Returns False when ``stop`` was set before the last frame; the file is then taken away again.

    Parameters
    ----------
    dose_e_per_px : of the whole movie; an EER file says it.
    """
    watched = _until(frames, stop)
    with _whole_or_gone(path, stop):
        match container:
            case "tiff":
                _write_tiff(path, watched)
            case "mrc":
                _write_mrc(path, watched)
            case "eer":
                rng = np.random.default_rng([seed, 3])
                camera = {"totalDose": f"{dose_e_per_px:.6f}", "cameraName": "Simulated Falcon"}
                write_eer(path, _deal(watched, rng), metadata=camera, seed=seed)
    return path.exists()


@contextmanager
def _whole_or_gone(path: Path, stop: threading.Event) -> Iterator[None]:
    complete = False
    try:
        yield
        complete = not stop.is_set()
    finally:
        # also when interrupted: what is there would pass for a movie of fewer frames
        if not complete:
            path.unlink(missing_ok=True)


def _until(frames: Frames, stop: threading.Event) -> Frames:
    for frame in frames:
        if stop.is_set():
            return
        yield frame


def _write_tiff(path: Path, frames: Frames) -> None:
    """Write with the top row first, as TIFF has it."""
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            rows = max(1, 2**18 // frame.shape[1])
            writer.write(
                frame[::-1],
                compression="lzw",
                rowsperstrip=rows,
                photometric="minisblack",
                contiguous=False,
                metadata=None,
            )


def _write_mrc(path: Path, frames: Frames) -> None:
    """Write as unsigned 16-bit integers: MRC has no unsigned bytes."""
    stack = np.stack([frame.astype(np.uint16) for frame in frames])
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(stack)
        mrc.set_image_stack()


def _deal(frames: Frames, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """Raw frames: the electrons of each pixel and frame in raw frames of their own, one after another."""
    for frame in frames:
        # electron k of a pixel goes to raw frame (turn + k · stride) mod RAW_FRAMES
        turn = rng.integers(0, RAW_FRAMES, frame.shape, dtype=np.int8)
        for raw in range(RAW_FRAMES):
            table = np.array([(raw - number) * _INVERSE % RAW_FRAMES for number in range(RAW_FRAMES)], np.uint8)
            yield frame > table[turn]
