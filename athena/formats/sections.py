"""Sections of images, movies and volumes of any format Athena reads, one at a time, as they are shown.

Rows come top first: MRC row order is turned over, since row 0 is the bottom of an image there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
AXES = ("z", "y", "x")


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


def _across(path: Path, axis: str, section: int) -> npt.NDArray[np.float32]:
    header = read_header(path)
    shape = (header.sections, header.height, header.width)
    volume = np.memmap(path, header.dtype, mode="r", offset=header.offset, shape=shape)
    plane = volume[:, section, :] if axis == "y" else volume[:, :, section]
    return np.ascontiguousarray(plane[::-1], dtype=np.float32)


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
