"""Gain references: what counts are multiplied by."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from athena.errors import BadFile
from athena.formats.movies import open_movie
from athena.formats.tiff import TiffMovie


def read_gain(path: str | Path, shape: tuple[int, int], *, of_eer: bool = False) -> npt.NDArray[np.float32]:
    """Multiplicative gain for frames of ``shape``, (height, width) float32, MRC row order; 0 marks a defect pixel.

    A TIFF gain is flipped as a TIFF movie is, so both fit. It is scaled to a mean of 1 over its working pixels,
    so that corrected counts stay electrons.
    Raises BadFile when it cannot be read, has another size, or holds values that are no gain.

    Parameters
    ----------
    of_eer : of an EER movie: a TIFF (``.gain``) has its rows in the movie's order and is not flipped; an MRC is the
        image of an even beam, by which counts are divided; one of half the size serves halves of pixels.
    """
    path = Path(path)
    if path.suffix.lower() in (".dm4", ".dm3"):
        raise BadFile(f"{path.name} is a DigitalMicrograph file.", hint="Convert the gain to MRC or TIFF first.")
    with open_movie(path) as file:
        finer = shape[0] // max(file.shape[0], 1) if of_eer else 1
        if file.frames != 1 or (file.shape[0] * finer, file.shape[1] * finer) != shape or finer not in (1, 2):
            raise BadFile(
                f"Gain {path.name} is {file.frames} × {file.shape[0]} × {file.shape[1]} px, "
                f"the movie's frames are {shape[0]} × {shape[1]}.",
                hint="Give the gain of this camera mode, rotated as the movie is.",
            )
        gain = file.read(0).astype(np.float32)
    if of_eer:
        gain = gain[::-1] if isinstance(file, TiffMovie) else _inverted(gain)
        gain = np.ascontiguousarray(gain.repeat(finer, axis=0).repeat(finer, axis=1))
    gain[~np.isfinite(gain)] = 0.0
    if (gain < 0).any() or not (gain > 0).any():
        raise BadFile(f"Gain {path.name} holds negative values or only zeros.", hint="It is no gain reference.")
    gain /= gain[gain > 0].mean(dtype=np.float64)
    return gain


def _inverted(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Multiplier from the image of an even beam: its mean over it; what it shows nothing of stays 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(image > 0, image.mean(dtype=np.float64) / image, 0)
    return np.asarray(inverse, np.float32)
