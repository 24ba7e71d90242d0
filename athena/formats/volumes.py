"""Volumes: images that lie on one another, cut along three axes, averaged over slabs, put together, made smaller.

Arrays are (z, y, x) with y upwards, as MRC has it; what is given to be shown comes top row first (y or z upwards).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from athena.errors import Invalid, TooLarge

Image = npt.NDArray[np.float32]
Check = Callable[[], None]
"""Called between images: it raises to end work that nobody waits for any more."""

AXES = ("z", "y", "x")
MAX_WHOLE_PIXELS = 2**33
"""A volume of more pixels is not put together into one image: reading it would take minutes."""
COPY_VOXELS = 2**25
"""Of the smaller copy that stands for a volume where a cut would read all of it: 128 MB."""
READ_VOXELS = 2**29
"""A copy is made of no more than so many voxels: of a larger volume some sections are left out."""
RANGE_SIGMAS = 12.0
"""What lies further from the mean is drawn as if it lay there: the bytes of a texture are for what there is most of."""


class Whole(StrEnum):
    """How all sections are put together into one image."""

    MEAN = "mean"
    MAX = "max"


class Volume(Protocol):
    """A volume that is open for reading.

    Attributes
    ----------
    name : of its file, as errors say it.
    shape : (z, y, x), px.
    axes : along which sections are offered; the first is that of the file's own images.
    pixel_size_angstrom : 0 where the file does not say.
    """

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, int, int]: ...
    @property
    def axes(self) -> tuple[str, ...]: ...
    @property
    def pixel_size_angstrom(self) -> float: ...

    def section(self, index: int) -> Image:
        """Image ``index`` along z as (y, x). Raises BadFile."""
        ...

    def cut(self, axis: str, start: int, stop: int) -> Image | None:
        """Mean of the sections from ``start`` to ``stop`` (not included) along y or x, as (z, x) or (z, y).

        None where that would read (nearly) all of a large volume: its copy stands for it then.
        """
        ...

    def coarser(self, most: int) -> "Volume":
        """The finest rendition of at most so many voxels that the file has; itself where it has no other."""
        ...


@dataclass(frozen=True)
class Copy:
    """A volume in memory, ``binning`` px averaged in each direction; pixels that are not finite count as 0.

    ``missing`` : share of those, of what was read.
    """

    values: Image
    binning: int
    missing: float = 0.0

    def cut(self, axis: str, start: int, stop: int) -> Image:
        """As :meth:`Volume.cut`, smaller."""
        first, last = start // self.binning, max(-(-stop // self.binning), start // self.binning + 1)
        part = self.values[:, first:last, :] if axis == "y" else self.values[:, :, first:last]
        return np.asarray(part.mean(axis=1 if axis == "y" else 2), dtype=np.float32)


@dataclass(frozen=True)
class Texture:
    """A volume of bytes, small enough for a graphics card.

    Attributes
    ----------
    values : (z, y, x) uint8; 0 stands for ``low`` and 255 for ``high``.
    mean, sigma : of the volume at this size.
    dark : whether what is dense is dark, as in a tomogram: the lower values reach further from the mean.
    missing : share of the voxels that are not finite, and count as 0.
    """

    values: npt.NDArray[np.uint8]
    low: float
    high: float
    mean: float
    sigma: float
    dark: bool
    missing: float


def check_section(volume: Volume, axis: str, section: int | None, *, axes: tuple[str, ...] = ()) -> int:
    """Section, the middle one where none is named. Raises Invalid where there is none such.

    Parameters
    ----------
    axes : that are allowed; empty: those the volume offers.
    """
    allowed = axes or volume.axes
    if axis not in allowed:
        raise Invalid(f"There are no sections along {axis}.", hint=f"Along {', '.join(allowed)} there are.")
    count = volume.shape[AXES.index(axis)]
    chosen = count // 2 if section is None else section
    if not 0 <= chosen < count:
        raise Invalid(f"There is no section {chosen} along {axis}.", hint=f"There are {count}, from 0 on.")
    return chosen


def slab_of(count: int, middle: int, thickness: int) -> tuple[int, int]:
    """First and last (not included) of so many sections about one, as far as there are any."""
    start = middle - (thickness - 1) // 2
    return max(0, start), min(count, start + thickness)


def read_plane(
    volume: Volume, axis: str, middle: int, *, slab: int = 1, copy: Callable[[], Copy], check: Check
) -> tuple[Image, int]:
    """Mean of ``slab`` sections about one, top row first, and how many pixels were averaged in each direction of it."""
    start, stop = slab_of(volume.shape[AXES.index(axis)], middle, slab)
    if axis != "z":
        direct = volume.cut(axis, start, stop)
        if direct is not None:
            return shown(direct), 1
        small = copy()
        return shown(small.cut(axis, start, stop)), small.binning
    total = finite(volume.section(start))
    for index in range(start + 1, stop):
        check()
        total += finite(volume.section(index))
    return shown(total / np.float32(stop - start)), 1


def read_whole(volume: Volume, axis: str, whole: Whole, *, check: Check) -> Image:
    """Mean or maximum of all sections along an axis, top row first; the volume is read once, an image at a time.

    Pixels that are not finite count as 0. Raises BadFile, TooLarge.
    """
    sections, height, width = volume.shape
    if sections * height * width > MAX_WHOLE_PIXELS:
        raise TooLarge(
            f"{volume.name} has {sections} images of {height} × {width} px: too many to be put together here.",
            hint="Look at single sections, or download it.",
        )
    if axis != "z":
        reduce = np.mean if whole is Whole.MEAN else np.max
        over = 0 if axis == "y" else 1
        return shown(np.stack([reduce(image, axis=over) for image in _images(volume, check)]))
    join: np.ufunc = np.add if whole is Whole.MEAN else np.maximum
    # float64: a thousand frames of a counting camera add up beyond what float32 holds exactly
    joined = np.full((height, width), 0 if whole is Whole.MEAN else -np.inf, np.float64)
    for image in _images(volume, check):
        join(joined, image, out=joined)
    return shown(joined / sections if whole is Whole.MEAN else joined)


def make_copy(volume: Volume, *, check: Check, most: int = COPY_VOXELS, read: int = READ_VOXELS) -> Copy:
    """Copy of a volume of at most ``most`` voxels, the means of cubes; made by reading at most ``read`` of its own.

    ``binning`` counts px of the volume itself, also where a coarser rendition of it was read.
    """
    source = volume.coarser(most)
    given = max(1, round(volume.shape[2] / source.shape[2]))
    binning = 1
    while np.prod([-(-edge // binning) for edge in source.shape], dtype=np.int64) > most:
        binning += 1
    sections, height, width = source.shape
    # so many of every `binning` sections, evenly
    kept = max(1, min(binning, binning * read // (sections * height * width)))
    planes = []
    missing = seen = 0
    for first in range(0, sections, binning):
        count = min(binning, sections - first)
        chosen = sorted({first + at * count // min(kept, count) for at in range(min(kept, count))})
        total = np.zeros((height, width), np.float32)
        for index in chosen:
            check()
            section = source.section(index)
            missing += section.size - int(np.count_nonzero(np.isfinite(section)))
            seen += section.size
            total += finite(section)
        planes.append(_blocks(total / np.float32(len(chosen)), binning))
    return Copy(np.stack(planes), binning * given, missing / seen)


def make_texture(copy: Copy, edge: int) -> Texture:
    """Copy of a copy whose edges are at most ``edge`` voxels, in bytes; each direction is averaged as it needs."""
    values = copy.values
    for axis, length in enumerate(values.shape):
        step = -(-length // edge)
        if step > 1:
            starts = np.arange(0, length, step)
            counts = np.diff([*starts, length]).astype(np.float32)
            sums = np.add.reduceat(values, starts, axis=axis, dtype=np.float32)
            counts = counts.reshape([-1 if at == axis else 1 for at in range(3)])
            values = np.asarray(sums / counts, dtype=np.float32)
    mean, sigma = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    reach = RANGE_SIGMAS * sigma
    low, high = max(float(values.min()), mean - reach), min(float(values.max()), mean + reach)
    scale = 255 / (high - low) if high > low else 0.0
    grey = np.clip(np.rint((values - np.float32(low)) * np.float32(scale)), 0, 255).astype(np.uint8)
    dark = bool(np.mean((values - mean) ** 3, dtype=np.float64) < 0)
    return Texture(grey, low, high, mean, sigma, dark=dark, missing=copy.missing)


def finite(image: npt.NDArray[Any]) -> Image:
    """The same as float32, with 0 for what is not finite; not the array that was given."""
    return np.nan_to_num(np.array(image, np.float32), copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def shown(plane: npt.NDArray[Any]) -> Image:
    """Plane as it is displayed: top row first, finite."""
    return finite(np.ascontiguousarray(plane[::-1], dtype=np.float32))


def _images(volume: Volume, check: Check) -> Iterator[Image]:
    for index in range(volume.shape[0]):
        check()
        yield finite(volume.section(index))


def _blocks(image: Image, edge: int) -> Image:
    """Means of squares; at the upper edges of the pixels that are there."""
    if edge == 1:
        return image
    height, width = image.shape
    rows, columns = np.arange(0, height, edge), np.arange(0, width, edge)
    sums = np.add.reduceat(np.add.reduceat(image, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, height]), np.diff([*columns, width])).astype(np.float32)
    return np.asarray(sums / counts, dtype=np.float32)
