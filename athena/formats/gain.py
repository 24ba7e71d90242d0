"""Gain references: what counts are multiplied by."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from athena.errors import BadFile
from athena.formats.movies import open_movie


def read_gain(path: str | Path, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Multiplicative gain for frames of ``shape``, (height, width) float32, MRC row order; 0 marks a defect pixel.

    A TIFF gain is flipped as a TIFF movie is, so both fit. It is scaled to a mean of 1 over its working pixels,
    so that corrected counts stay electrons.
    Raises BadFile when it cannot be read, has another size, or holds values that are no gain.
    """
    path = Path(path)
    if path.suffix.lower() in (".dm4", ".dm3"):
        raise BadFile(f"{path.name} is a DigitalMicrograph file.", hint="Convert the gain to MRC or TIFF first.")
    with open_movie(path) as file:
        if file.frames != 1 or file.shape != shape:
            raise BadFile(
                f"Gain {path.name} is {file.frames} × {file.shape[0]} × {file.shape[1]} px, "
                f"the movie's frames are {shape[0]} × {shape[1]}.",
                hint="Give the gain of this camera mode, rotated as the movie is.",
            )
        gain = file.read(0).astype(np.float32)
    gain[~np.isfinite(gain)] = 0.0
    if (gain < 0).any() or not (gain > 0).any():
        raise BadFile(f"Gain {path.name} holds negative values or only zeros.", hint="It is no gain reference.")
    gain /= gain[gain > 0].mean(dtype=np.float64)
    return gain
