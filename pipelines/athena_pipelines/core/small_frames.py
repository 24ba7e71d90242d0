"""Frames made small for alignment: summed in blocks, and of their transforms the inner frequencies."""

from dataclasses import dataclass

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.frames import Frames
from athena_pipelines.core.motion_kernels import block_sum, centre_and_taper

Float32 = npt.NDArray[np.float32]
Complex64 = npt.NDArray[np.complex64]

FINEST_ANGSTROM, COARSEST_ANGSTROM = 1.6, 3.2
"""Pixels between which images for alignment are chosen: finer ones hold nothing more in all but the first frames."""
ALIGN_EDGE = 1320
"""Edge that images for alignment get where possible: small movies need the finest signal, large ones the speed."""
BLOCK_PART = 0.7
"""Blocks of pixels that are summed are at most this part of the pixels chosen: larger ones would blur the finest that
is used."""
MIN_EDGE = 256
TAPER = 40
"""Part of an image along which it fades towards each edge. What is tapered off is lost, and lost twice at the edge of
the camera, where local motion is largest; lines kx = 0 and ky = 0, to which edges leak, are left out anyway."""
SUMS = 5
"""Sums of all frames that follow an alignment, as a rule."""


@dataclass(frozen=True)
class SmallFrames:
    """Transforms of small frames.

    Attributes
    ----------
    transforms : (frames, rows, columns // 2 + 1) complex64, of gain-corrected frames, mean-free, edges tapered.
    shape : (rows, columns) of the small frames, both even.
    pixel_size_angstrom : of the small frames.
    scale : unbinned px of one of theirs.
    means : of an unbinned pixel in each frame, (frames,).
    """

    transforms: Complex64
    shape: tuple[int, int]
    pixel_size_angstrom: float
    scale: float
    means: npt.NDArray[np.float64]


def shrink(frames: Frames, pixel_size_angstrom: float) -> SmallFrames:
    """Transforms of block-summed frames, cropped about the centre to a size that transforms fast.

    One frame after the other: neither the small frames nor their full transforms are ever held together.
    """
    height, width = frames.shape
    binning = binning_for(frames.shape, pixel_size_angstrom)
    rows, columns = (_fast_at_most(n // binning // 2) * 2 for n in (height, width))
    origin = ((height - rows * binning) // 2, (width - columns * binning) // 2)
    block_pixel = pixel_size_angstrom * binning
    shape = inner_shape((rows, columns), block_pixel)
    factor = shape[0] / rows
    transforms = _roomy((frames.count, shape[0], shape[1] // 2 + 1), least=SUMS * height * width // 2)
    image = np.empty((rows, columns), np.float32)
    into = Cropped((rows, columns), shape)
    means = np.empty(frames.count)
    for index, (frame, transform) in enumerate(zip(frames.stack, transforms, strict=True)):
        block_sum(frame, frames.gain, origin, binning, image)
        means[index] = into.transform(image, transform) / binning**2
    return SmallFrames(transforms, shape, block_pixel / factor, binning / factor, means)


def _fast_at_most(length: int) -> int:
    """Largest length that transforms fast, up to ``length``."""
    return next(n for n in range(length, 0, -1) if ducc0.fft.good_size(n) == n)


def _roomy(shape: tuple[int, int, int], *, least: int) -> Complex64:
    """Array in a block of memory of at least so many values, of which it touches what it needs.

    The sums of the frames then find room where the transforms were, instead of beside them.
    """
    size = shape[0] * shape[1] * shape[2]
    return np.empty(max(size, least), np.complex64)[:size].reshape(shape)


def binning_for(shape: tuple[int, int], pixel_size_angstrom: float) -> int:
    """Largest block edge that blurs nothing that is used, nor makes images too small."""
    wanted = BLOCK_PART * _wanted_pixel(shape, pixel_size_angstrom) / pixel_size_angstrom
    return max(1, min(int(wanted), min(shape) // MIN_EDGE))


def _wanted_pixel(shape: tuple[int, int], pixel_size_angstrom: float) -> float:
    """Pixel that brings edges to about ALIGN_EDGE, Å."""
    wanted = pixel_size_angstrom * np.sqrt(shape[0] * shape[1]) / ALIGN_EDGE
    return float(np.clip(wanted, FINEST_ANGSTROM, COARSEST_ANGSTROM))


def inner_shape(shape: tuple[int, int], pixel_size_angstrom: float) -> tuple[int, int]:
    """Size that brings edges to about ALIGN_EDGE, by one factor for both, and transforms fast."""
    rows, columns = shape
    least = max(pixel_size_angstrom / _wanted_pixel(shape, pixel_size_angstrom), MIN_EDGE / min(shape))
    if least >= 1:
        return shape
    # a multiple of four, so that its inner half can be taken again
    kept = min(ducc0.fft.good_size(int(np.ceil(rows * least / 4))) * 4, rows)
    return kept, round(columns * kept / rows / 2) * 2


class Cropped:
    """Transforms of images of one size, mean-free and tapered, cropped to those of a smaller size.

    Values are those that transforms of images averaged down to the smaller size would have.
    """

    def __init__(self, shape: tuple[int, int], kept: tuple[int, int]) -> None:
        self._kept = kept
        self._taper_y = _taper(shape[0]) * np.float32(kept[0] * kept[1] / (shape[0] * shape[1]))
        self._taper_x = _taper(shape[1])
        if kept != shape:
            self._along_x = np.empty((shape[0], shape[1] // 2 + 1), np.complex64)
            self._whole = np.empty((shape[0], kept[1] // 2 + 1), np.complex64)

    def transform(self, image: Float32, out: Complex64) -> float:
        """Write the transform of an image, which is tapered in place, into ``out``; returns the image's mean."""
        mean = float(centre_and_taper(image, self._taper_y, self._taper_x))
        if self._kept == image.shape:
            ducc0.fft.r2c(image, axes=(0, 1), nthreads=1, out=out)
            return mean
        ducc0.fft.r2c(image, axes=(1,), nthreads=1, out=self._along_x)
        # only the columns that are kept are transformed the other way
        ducc0.fft.c2c(self._along_x[:, : self._whole.shape[1]], axes=(0,), nthreads=1, out=self._whole)
        half = self._kept[0] // 2
        out[:half] = self._whole[:half]
        out[half:] = self._whole[len(image) - half :]
        return mean


def transforms_of(images: Float32) -> Complex64:
    """Half-plane transforms of images (n, rows, columns), which become mean-free and tapered towards their edges."""
    shape = (images.shape[1], images.shape[2])
    out = np.empty((len(images), shape[0], shape[1] // 2 + 1), np.complex64)
    into = Cropped(shape, shape)
    for image, transform in zip(images, out, strict=True):
        into.transform(image, transform)
    return out


def _taper(length: int) -> Float32:
    edge = max(length // TAPER, 1)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    return np.concatenate([ramp, np.ones(length - 2 * edge), ramp[::-1]]).astype(np.float32)
