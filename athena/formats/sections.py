"""Sections of images, movies and volumes of any format Athena reads, one at a time, as they are shown.

Rows come top first: MRC row order is turned over, since row 0 is the bottom of an image there.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from athena.errors import BadFile, Invalid, TooLarge
from athena.formats.eer import EerMovie, frames_per_fraction
from athena.formats.movies import Movie, fitting_memory, open_movie
from athena.formats.mrc import PACKED_4BIT, MrcMovie, read_header

MAX_SECTION_PIXELS = 2**27
"""A section of more pixels is not shown: it would take gigabytes to do so."""
MAX_WHOLE_PIXELS = 2**33
"""A file of more pixels is not put together into one image: reading it would take minutes."""
AXES = ("z", "y", "x")


class Whole(StrEnum):
    """How all sections are put together into one image."""

    MEAN = "mean"
    MAX = "max"


@dataclass(frozen=True)
class Extent:
    """What there is to look at.

    Attributes
    ----------
    axes : along which sections can be taken; the first is that of the file's own images.
    counts : sections along each of them.
    pixel_size_angstrom : 0 where the file does not say.
    """

    axes: tuple[str, ...]
    counts: tuple[int, ...]
    pixel_size_angstrom: float

    def check(self, axis: str, section: int | None) -> int:
        """Section, the middle one where none is named. Raises Invalid where there is none such."""
        if axis not in self.axes:
            raise Invalid(f"There are no sections along {axis}.", hint=f"Along {', '.join(self.axes)} there are.")
        count = self.counts[self.axes.index(axis)]
        chosen = count // 2 if section is None else section
        if not 0 <= chosen < count:
            raise Invalid(f"There is no section {chosen} along {axis}.", hint=f"There are {count}, from 0 on.")
        return chosen


def read_extent(path: Path) -> Extent:
    """What a file holds. Raises BadFile, TooLarge."""
    with _opened(path) as movie:
        height, width = movie.shape
        pixel = movie.pixel_size_angstrom
        if isinstance(movie, MrcMovie) and movie.frames > 1 and read_header(path).mode != PACKED_4BIT:
            return Extent(AXES, (movie.frames, height, width), pixel)
        return Extent(AXES[:1], (movie.frames,), pixel)


def read_section(path: Path, axis: str, section: int) -> npt.NDArray[np.float32]:
    """Section of a file as (height, width) float32, top row first.

    Along ``z`` they are the file's images; along ``y`` and ``x`` of a volume, z points upwards. Of an EER movie they
    are fractions. Raises BadFile, Invalid, TooLarge.
    """
    with _opened(path) as movie, fitting_memory(path):
        if axis != "z":
            return _across(path, axis, section)
        return np.ascontiguousarray(movie.read(section)[::-1], dtype=np.float32)


def read_whole(path: Path, axis: str, whole: Whole) -> npt.NDArray[np.float32]:
    """Mean or maximum of all sections along an axis, as :func:`read_section` gives one.

    The file is read once, an image at a time; pixels that are not finite count as 0. Raises BadFile, TooLarge.
    """
    with _opened(path) as movie, fitting_memory(path):
        height, width = movie.shape
        if movie.frames * height * width > MAX_WHOLE_PIXELS:
            raise TooLarge(
                f"{path.name} has {movie.frames} images of {height} × {width} px: too many to be put together here.",
                hint="Look at single sections, or download it.",
            )
        join: np.ufunc = np.add if whole is Whole.MEAN else np.maximum
        if axis == "z":
            # float64: a thousand frames of a counting camera add up beyond what float32 holds exactly
            joined = _finite(movie.read(0), np.float64)
            for index in range(1, movie.frames):
                joined = join(joined, _finite(movie.read(index), np.float64), out=joined)
            if whole is Whole.MEAN:
                joined /= movie.frames
        else:
            over = 0 if axis == "y" else 1
            reduce = np.mean if whole is Whole.MEAN else np.max
            rows = (reduce(_finite(movie.read(index), np.float32), axis=over) for index in range(movie.frames))
            joined = np.stack(list(rows))
        return np.ascontiguousarray(joined[::-1], dtype=np.float32)


def _finite(image: npt.NDArray[Any], dtype: type[np.floating[Any]]) -> npt.NDArray[Any]:
    return np.nan_to_num(np.asarray(image, dtype), copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _across(path: Path, axis: str, section: int) -> npt.NDArray[np.float32]:
    header = read_header(path)
    shape = (header.sections, header.height, header.width)
    count = header.sections * header.height * header.width
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        if hasattr(mapped, "madvise"):
            # what lies between the rows of a plane is not wanted: without this the kernel reads it ahead
            mapped.madvise(mmap.MADV_RANDOM)
        volume = np.frombuffer(mapped, header.dtype, count=count, offset=header.offset).reshape(shape)
        plane = volume[:, section, :] if axis == "y" else volume[:, :, section]
        copied = np.array(plane[::-1], dtype=np.float32, order="C")
        del volume, plane  # the map closes only once nobody looks into it
    return copied


@contextmanager
def _opened(path: Path) -> Iterator[Movie]:
    with _open(path) as movie:
        height, width = movie.shape
        if height * width > MAX_SECTION_PIXELS:
            raise TooLarge(
                f"{path.name} has images of {height} × {width} px, which is more than is shown here.",
                hint="Download it to open it elsewhere.",
            )
        if isinstance(movie, EerMovie):
            movie.group(frames_per_fraction(movie.raw_frames, None))
        yield movie


def _open(path: Path) -> Movie:
    try:
        return open_movie(path)
    except BadFile as no_movie:
        try:
            return _Picture(path)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            raise no_movie from None  # what is no picture either was meant as a movie


class _Picture:
    """A TIFF that is no camera's: of several colours, which are shown as grey."""

    def __init__(self, path: Path) -> None:
        with Image.open(path, formats=("TIFF",)) as image:
            if image.width * image.height > MAX_SECTION_PIXELS:
                raise ValueError("too large")
            self._grey = np.asarray(image.convert("L"))[::-1]

    frames = 1
    pixel_size_angstrom = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), px."""
        return self._grey.shape[0], self._grey.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Bytes."""
        return self._grey.dtype

    def read(self, index: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """The picture, MRC row order."""
        if out is None:
            return self._grey
        out[...] = self._grey
        return out

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> "_Picture":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
