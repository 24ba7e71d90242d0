"""Volumes in files of any format Athena reads: images, movies and volumes, one section at a time.

Rows are in MRC order: row 0 is the bottom of an image.
"""

import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from athena.errors import BadFile, Invalid, TooLarge
from athena.formats.eer import EerMovie, frames_per_fraction
from athena.formats.movies import Movie, fitting_memory, open_movie
from athena.formats.mrc import PACKED_4BIT, MrcHeader, MrcMovie, read_header
from athena.formats.volumes import AXES, Volume

if TYPE_CHECKING:
    from athena.formats.tiff_stacks import TiffStack

MAX_SECTION_PIXELS = 2**27
"""A section of more pixels is not shown: it would take gigabytes to do so."""
DIRECT_BYTES = 2**27
"""A volume of at most so many bytes is read as it is also where a cut needs a value of each of its rows."""


class FileVolume:
    """A file's images; of an EER movie its fractions. MRC volumes are cut along y and x as well."""

    def __init__(self, path: Path, movie: Movie) -> None:
        self._path = path
        self._movie = movie
        cuttable = isinstance(movie, MrcMovie) and movie.frames > 1
        header = read_header(path) if cuttable else None
        self._header: MrcHeader | None = header if header is not None and header.mode != PACKED_4BIT else None
        self._told = _told(path, movie)

    @property
    def name(self) -> str:
        """Name of the file."""
        return self._path.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x), px."""
        return self._movie.frames, *self._movie.shape

    @property
    def axes(self) -> tuple[str, ...]:
        """Along which sections are offered."""
        return AXES if self._header is not None else AXES[:1]

    @property
    def pixel_size_angstrom(self) -> float:
        """As the file says; 0 where it does not."""
        return self._told.pixel_size_angstrom if self._told is not None else self._movie.pixel_size_angstrom

    def check_solid(self) -> None:
        """Raise Invalid where its images are not those of one volume, TooLarge where they are a large movie."""
        told = self._told
        if told is None:
            return
        if told.mixed:
            turns = ((told.sections, "sections"), (told.moments, "moments"), (told.channels, "channels"))
            raise Invalid(
                f"{self.name} holds {' × '.join(f'{count} {what}' for count, what in turns if count > 1)}, "
                "which is more than one volume.",
                hint="Save one of them as a file of its own; here it is looked at image by image.",
            )
        if told.is_large_movie:
            raise TooLarge(
                f"{self.name} is a movie rather than a volume: {told.images} frames of "
                f"{told.height} × {told.width} px, too many pixels for three dimensions.",
                hint="Look at it frame by frame, or at the mean of its frames. Should it be a volume, save it as MRC, "
                "or as TIFF by ImageJ with its slices.",
            )

    def section(self, index: int) -> npt.NDArray[np.float32]:
        """Image as (y, x). Raises BadFile, TooLarge."""
        with fitting_memory(self._path):
            return np.asarray(self._movie.read(index), dtype=np.float32)

    def cut(self, axis: str, start: int, stop: int) -> npt.NDArray[np.float32] | None:
        """Mean of sections across y or x, read row by row; None where that is no quicker than reading all of it."""
        header = self._header
        if header is None or (axis == "x" and header.sections * header.section_bytes > DIRECT_BYTES):
            return None
        shape = (header.sections, header.height, header.width)
        with (
            fitting_memory(self._path),
            self._path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        ):
            if hasattr(mapped, "madvise"):
                # what lies between the rows of a plane is not wanted: without this the kernel reads it ahead
                mapped.madvise(mmap.MADV_RANDOM)
            count = header.sections * header.height * header.width
            volume = np.frombuffer(mapped, header.dtype, count=count, offset=header.offset).reshape(shape)
            part = volume[:, start:stop, :] if axis == "y" else volume[:, :, start:stop]
            over = 1 if axis == "y" else 2
            plane = np.array(part.mean(axis=over, dtype=np.float32))
            del volume, part  # the map closes only once nobody looks into it
        return plane

    def coarser(self, most: int) -> Volume:
        """These files hold one rendition."""
        return self


class StackVolume:
    """Images of several files on one another, in their order; each is opened when it is read.

    Parameters
    ----------
    name : of all of them, as errors say it.
    files : opens them one by one.
    """

    def __init__(self, name: str, files: Sequence[Callable[[], AbstractContextManager[Path]]]) -> None:
        self._files = files
        self._name = name
        with self._image(0) as first:
            self._shape, self._pixel = first.shape, first.pixel_size_angstrom

    @contextmanager
    def _image(self, index: int) -> Iterator["FileVolume"]:
        with self._files[index]() as path, open_volume(path) as image:
            if image.shape[0] != 1:
                raise Invalid(
                    f"{path.name} holds {image.shape[0]} images: only files of one image each make a stack.",
                    hint="Open it by itself.",
                )
            yield image

    @property
    def name(self) -> str:
        """Of all of them."""
        return self._name

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x), px."""
        return len(self._files), *self._shape[1:]

    @property
    def axes(self) -> tuple[str, ...]:
        """Along which sections are offered."""
        return AXES

    @property
    def pixel_size_angstrom(self) -> float:
        """Of the first image; 0 where it does not say."""
        return self._pixel

    def section(self, index: int) -> npt.NDArray[np.float32]:
        """Image as (y, x). Raises BadFile, and Invalid where its size is another than that of the first."""
        with self._image(index) as image:
            if image.shape != self._shape:
                (_, height, width), (_, tall, wide) = image.shape, self._shape
                raise Invalid(
                    f"{image.name} has {height} × {width} px and the first of the stack {tall} × {wide} px.",
                    hint="Put images of one size into a folder of their own.",
                )
            return image.section(0)

    def cut(self, axis: str, start: int, stop: int) -> None:
        """Each cut needs all files: the copy stands for it."""
        return

    def coarser(self, most: int) -> Self:
        """There is one rendition."""
        return self


def _told(path: Path, movie: Movie) -> "TiffStack | None":
    """What a TIFF says of its images; None of other containers."""
    if isinstance(movie, MrcMovie | EerMovie | _Picture):
        return None
    # imported late: most volumes are no TIFF, and its codecs take long to load
    from athena.formats.tiff import TiffMovie
    from athena.formats.tiff_stacks import describe_stack

    if not isinstance(movie, TiffMovie):
        return None
    try:
        return describe_stack(movie.first_page, movie.frames)
    except Exception as error:
        # tifffile reads tags as they are asked for, and fails over damaged ones in many ways
        raise BadFile(f"{path.name} has a damaged tag: {error}.", hint="Copy it again.") from error


@contextmanager
def open_volume(path: Path) -> Iterator[FileVolume]:
    """Open a file that holds images. Raises BadFile, TooLarge."""
    with _open(path) as movie:
        height, width = movie.shape
        if height * width > MAX_SECTION_PIXELS:
            raise TooLarge(
                f"{path.name} has images of {height} × {width} px, which is more than is shown here.",
                hint="Download it to open it elsewhere.",
            )
        if isinstance(movie, EerMovie):
            movie.group(frames_per_fraction(movie.raw_frames, None))
        yield FileVolume(path, movie)


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
