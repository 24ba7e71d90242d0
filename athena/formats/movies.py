"""Movies of any container Athena reads, behind one small interface.

Frames come in MRC row order (row 0 is the bottom of the image): TIFF stores the top row first, so its rows are
flipped on reading, as RELION, IMOD and MotionCor do; shifts and coordinates then agree with theirs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from athena.errors import BadFile, TooLarge

MAX_EDGE = 65536
"""Frames with a longer edge do not exist; a header that says so lies."""

MAX_PIXELS = 2**30
"""Nor do frames of more pixels."""
BOMB_BYTES, BOMB_RATIO = 2**30, 400
"""A file that unpacks to more than so many bytes, and to so many times its own, is none of a camera's: even a movie
without a single electron stays below the one or the other."""

MRC_SUFFIXES = frozenset({".mrc", ".mrcs", ".st"})
TIFF_SUFFIXES = frozenset({".tif", ".tiff", ".gain"})


class Movie(Protocol):
    """A movie file, open for reading.

    Attributes
    ----------
    frames : number of frames.
    shape : (height, width), px.
    dtype : of what ``read`` returns.
    pixel_size_angstrom : as the file says; 0 where it does not.
    """

    @property
    def frames(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def pixel_size_angstrom(self) -> float: ...

    def read(self, index: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """Frame ``index`` as (height, width), MRC row order; into ``out`` where given. Raises BadFile."""
        ...

    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_movie(path: str | Path) -> Movie:
    """Open a TIFF, MRC or EER movie; the container is known by its first bytes, never by its name.

    Raises BadFile when it is absent, empty, foreign, truncated or says of itself what its size belies.
    """
    # imported late, and each alone: codec libraries take as long to load as a movie's motion takes to be measured
    path = Path(path)
    if not _is_tiff(path):
        from athena.formats.mrc import MrcMovie

        return MrcMovie(path)
    from athena.formats.eer import EerMovie, is_eer

    if is_eer(path):
        return EerMovie(path)
    from athena.formats.tiff import TiffMovie

    return TiffMovie(path)


def is_whole(path: str | Path) -> bool:
    """Whether the container parses to its end (TIFF: directory chain and last strip; MRC: size fits the header).

    False for a file that is still being written, absent, or no movie at all; reading the reason is ``open_movie``'s.
    """
    try:
        open_movie(path).close()
    except BadFile:
        return False
    return True


def first_bytes(path: Path, count: int) -> bytes:
    """First bytes of a file. Raises BadFile, naming it, when it cannot be read or is empty."""
    try:
        with path.open("rb") as file:
            head = file.read(count)
    except OSError as error:
        raise BadFile(
            f"{path.name} cannot be read: {error.strerror or error}.", hint="Check that it exists and its rights."
        ) from error
    if not head:
        raise BadFile(f"{path.name} is empty.", hint="Copy it again from the microscope.")
    return head


def check_shape(path: Path, *, frames: int, height: int, width: int) -> None:
    """Raise BadFile when a header's dimensions cannot be those of a movie."""
    if frames < 1 or not (0 < height <= MAX_EDGE and 0 < width <= MAX_EDGE) or height * width > MAX_PIXELS:
        raise BadFile(
            f"{path.name} says it holds {frames} frames of {height} × {width} px, which cannot be.",
            hint="Its header is damaged; copy it again.",
        )


def check_unpacked(path: Path, *, stored: int, unpacked: int) -> None:
    """Raise BadFile when a file says that it unpacks to what no camera packs so tightly."""
    if unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * stored:
        raise BadFile(
            f"{path.name} says that its {stored} bytes unpack to {unpacked}, which no movie does.",
            hint="Its header is damaged, or it was made to do harm.",
        )


@contextmanager
def fitting_memory(path: Path) -> Iterator[None]:
    """Turn running out of memory over a file into TooLarge, which names it."""
    try:
        yield
    except MemoryError as error:
        raise TooLarge(
            f"{path.name} needs more memory than this process may have.",
            hint="Give workers more memory, or check whether the file's header is damaged.",
        ) from error


def _is_tiff(path: Path) -> bool:
    return first_bytes(path, 4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
