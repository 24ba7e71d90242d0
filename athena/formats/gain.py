"""Gain references: what counts are multiplied by, whichever way round they were stored.

A reference lies in its file turned or mirrored against the movies in one of eight ways, and holds either the factor or
the image of an even beam, by which counts are divided. ``read_reference`` reads it as it lies; ``Reference.gain`` turns
it. Which way fits is measured by ``athena_pipelines.core.gain_fit``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from athena.contract.processing import GainOrientation, GainSense
from athena.errors import BadFile
from athena.formats.defects import drawn, parse_fei
from athena.formats.dm import DM_SUFFIXES, read_dm
from athena.formats.movies import MAX_EDGE, fitting_memory, open_movie

Float32 = npt.NDArray[np.float32]

ORIENTATIONS = tuple(one for one in GainOrientation if one is not GainOrientation.AUTO)
"""The eight ways, by their numbers."""


@dataclass(frozen=True)
class Reference:
    """A gain reference as its file holds it.

    Attributes
    ----------
    path : of the file.
    image : (height, width) float32, MRC row order; 0 where a pixel has no value.
    usual_sense : what such files hold where nothing else is known.
    """

    path: Path
    image: Float32
    usual_sense: GainSense

    def fitting(self, shape: tuple[int, int]) -> tuple[GainOrientation, ...]:
        """Orientations whose size is that of frames of ``shape``, its half or its double.

        Raises BadFile where there is none.
        """
        found = tuple(one for one in ORIENTATIONS if _factor(oriented(self.image, one).shape, shape) is not None)
        if not found:
            raise BadFile(
                f"Gain {self.path.name} is {self.image.shape[0]} × {self.image.shape[1]} px, "
                f"the movie's frames are {shape[0]} × {shape[1]}.",
                hint="Give the gain of this camera mode.",
            )
        return found

    def gain(self, shape: tuple[int, int], orientation: GainOrientation, sense: GainSense) -> Float32:
        """Multiplicative gain for frames of ``shape``, (height, width) float32, MRC row order; 0 marks a defect pixel.

        It has a mean of 1 over its working pixels, so that corrected counts stay electrons. One of half the size serves
        halves of pixels, one of twice the size pixels of two by two. Raises BadFile where it does not fit.
        """
        image = oriented(self.image, orientation)
        factor = _factor(image.shape, shape)
        if factor is None:
            raise BadFile(
                f"Gain {self.path.name}, orientation {orientation.value}, is {image.shape[0]} × {image.shape[1]} px, "
                f"the movie's frames are {shape[0]} × {shape[1]}.",
                hint="Give another orientation, or leave it to be measured.",
            )
        if factor < 1:
            image = _binned(image, sense)
        if sense is GainSense.DIVIDE:
            image = _inverse(image)
        gain = np.array(image, np.float32, order="C")
        if factor > 1:
            gain = gain.repeat(2, axis=0).repeat(2, axis=1)
        gain /= gain[gain > 0].mean(dtype=np.float64)
        return gain


def read_reference(path: str | Path, *, of_eer: bool = False) -> Reference:
    """Read a gain reference as it lies in its file.

    Raises BadFile when it cannot be read or holds what is no gain.

    Parameters
    ----------
    of_eer : of an EER movie: a TIFF (``.gain``) has its rows in the movie's order and is not flipped, as any other TIFF
        is; an MRC is usually the image of an even beam.
    """
    # imported late: its library takes a third of a second to load, which movies of other containers go without
    from athena.formats.tiff import TiffMovie

    path = Path(path)
    if path.suffix.lower() in DM_SUFFIXES:
        return _checked(path, read_dm(path).astype(np.float32), GainSense.MULTIPLY)
    with open_movie(path) as file, fitting_memory(path):
        if file.frames != 1:
            raise BadFile(f"Gain {path.name} is a stack of {file.frames} images.", hint="Give a single image.")
        image = file.read(0).astype(np.float32)
        if isinstance(file, TiffMovie):
            # Thermo Fisher's gains list the camera's defects; as a TIFF's, rows are counted from the top
            for text in file.texts():
                if "<defects" in text[:200]:
                    image[drawn(path, parse_fei(path, text.strip(" \0\r\n")), file.shape)[::-1]] = 0
    sense = GainSense.MULTIPLY
    if of_eer:
        if isinstance(file, TiffMovie):
            image = image[::-1]
        else:
            sense = GainSense.DIVIDE
    return _checked(path, image, sense)


def _checked(path: Path, image: Float32, sense: GainSense) -> Reference:
    image = np.ascontiguousarray(image)
    image[~np.isfinite(image)] = 0.0
    if (image < 0).any() or not (image > 0).any():
        raise BadFile(f"Gain {path.name} holds negative values or only zeros.", hint="It is no gain reference.")
    return Reference(path, image, sense)


def read_gain(path: str | Path, shape: tuple[int, int], *, of_eer: bool = False) -> Float32:
    """Gain of a reference that lies as the movies do and is of the usual sense; see :meth:`Reference.gain`."""
    reference = read_reference(path, of_eer=of_eer)
    return reference.gain(shape, GainOrientation.AS_IS, reference.usual_sense)


def oriented(image: npt.NDArray[np.float32], orientation: GainOrientation) -> npt.NDArray[np.float32]:
    """An image (row 0 at the bottom) turned or mirrored; a view. Turns are counter-clockwise, seen with y up."""
    turns, flipped = turns_and_flip(orientation)
    # seen with row 0 at the bottom, numpy turns clockwise
    turned = np.rot90(image, -turns)
    return turned[::-1] if flipped else turned


def turns_and_flip(orientation: GainOrientation) -> tuple[int, bool]:
    """Quarter turns, and whether it is turned upside down thereafter."""
    number = ORIENTATIONS.index(orientation)
    return number % 4, number >= 4


def _factor(reference: tuple[int, ...], shape: tuple[int, int]) -> float | None:
    """How many pixels of a frame one of the reference is, along an edge: 1, 2 or ½; None where it does not fit."""
    for factor in (1.0, 2.0, 0.5):
        if all(0 < edge < MAX_EDGE and edge * factor == wanted for edge, wanted in zip(reference, shape, strict=True)):
            return factor
    return None


def _binned(image: Float32, sense: GainSense) -> Float32:
    """Pixels of two by two. Counts add up, so of factors it is their inverses that are averaged; a defect stays one."""
    height, width = image.shape
    parts = image.reshape(height // 2, 2, width // 2, 2)
    broken = (parts <= 0).any(axis=(1, 3))
    if sense is GainSense.DIVIDE:
        mean = parts.mean(axis=(1, 3))
    else:
        with np.errstate(divide="ignore"):
            mean = 1 / (1 / parts).mean(axis=(1, 3))
    return np.asarray(np.where(broken, 0, mean), np.float32)


def _inverse(image: Float32) -> Float32:
    """Factor from the image of an even beam; what it shows nothing of stays 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(image > 0, 1 / image, 0), np.float32)
