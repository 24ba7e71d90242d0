"""MRC2014 files: movies and images, modes 0, 1, 2, 6, 12 and 101 (4 bits a pixel)."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import mrcfile
import numpy as np
import numpy.typing as npt
from mrcfile.constants import MAP_ID
from mrcfile.dtypes import HEADER_DTYPE

from athena.errors import BadFile
from athena.formats.movies import MAX_EDGE, check_shape, first_bytes, fitting_memory

HEADER_BYTES = 1024
PACKED_4BIT = 101
_IMOD_STAMP = 1146047817
_IMOD_SIGNED, _IMOD_PACKED = 1, 16
"""Of IMOD's flags: bytes are signed; they hold two values each, in rows of half the width."""
_DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2", PACKED_4BIT: "u1"}


@dataclass(frozen=True)
class MrcHeader:
    """What of an MRC header is needed to read it.

    Attributes
    ----------
    mode : MRC mode.
    sections, height, width : stack shape, px.
    offset : first byte of the data.
    order : byte order, "<" or ">".
    unsigned : whether the bytes of mode 0 are, as IMOD may say; else they are signed, as MRC2014 has it.
    pixel_size_angstrom : 0 where the header does not say.
    """

    mode: int
    sections: int
    height: int
    width: int
    offset: int
    order: str
    pixel_size_angstrom: float
    unsigned: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one stored value (of the unpacked value for mode 101)."""
        if self.mode == 0 and self.unsigned:
            return np.dtype("u1")
        return np.dtype(self.order + _DTYPES[self.mode])

    @property
    def section_bytes(self) -> int:
        """Bytes of one section."""
        if self.mode == PACKED_4BIT:
            return self.height * ((self.width + 1) // 2)
        return self.height * self.width * self.dtype.itemsize


def read_header(path: Path) -> MrcHeader:
    """Header of an MRC file, checked against the file's size. Raises BadFile."""
    head = first_bytes(path, HEADER_BYTES)
    if len(head) < HEADER_BYTES:
        raise BadFile(
            f"{path.name} is neither TIFF nor MRC: it ends after {len(head)} bytes.",
            hint="Give a movie in TIFF or MRC format, or copy it again.",
        )
    for order in "<>":
        words = np.frombuffer(head, dtype=order + "i4")
        mode = int(words[3])
        # mode 0 reads alike in both byte orders; the width does not
        if mode in (*_DTYPES, 3, 4, 16) and 0 <= words[0] <= MAX_EDGE:
            break
    else:
        raise BadFile(f"{path.name} is neither TIFF nor MRC.", hint="Give a movie in TIFF or MRC format.")
    if mode not in _DTYPES:
        raise BadFile(
            f"{path.name} holds MRC mode {mode}, which is no movie.", hint="Modes 0, 1, 2, 6, 12 and 101 are."
        )
    width, height, sections = (int(v) for v in words[:3])
    check_shape(path, frames=sections, height=height, width=width)
    imod = int(words[39]) if int(words[38]) == _IMOD_STAMP else _IMOD_SIGNED
    samples = int(words[7])
    if mode == 0 and imod & _IMOD_PACKED and not imod & _IMOD_SIGNED:
        mode, width, samples = PACKED_4BIT, width * 2, samples * 2 if samples == width else samples
    extended = int(words[23])
    if extended < 0:
        raise BadFile(f"{path.name} has an extended header of {extended} bytes.", hint="Its header is damaged.")
    floats = np.frombuffer(head, dtype=order + "f4")
    cell = float(floats[10])
    pixel = cell / samples if samples > 0 and np.isfinite(cell) and cell > 0 else 0.0
    unsigned = not imod & _IMOD_SIGNED
    header = MrcHeader(mode, sections, height, width, HEADER_BYTES + extended, order, pixel, unsigned)
    _check_size(path, header)
    return header


def _check_size(path: Path, header: MrcHeader) -> None:
    size = path.stat().st_size
    expected = header.offset + header.sections * header.section_bytes
    if size < expected:
        raise BadFile(
            f"{path.name} is truncated: {size} bytes of {expected}.",
            hint="It may still be on its way; else copy it again.",
        )
    # a writer that appends sections sets their number last; padding after the data is smaller than a section
    if size >= expected + header.section_bytes:
        raise BadFile(
            f"{path.name} holds more than the {header.sections} sections its header says.",
            hint="It may still be being written; else its header is wrong.",
        )


class MrcMovie:
    """An MRC stack; frames are read one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._header = read_header(path)
        self._file = path.open("rb")

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self._header.sections

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), px."""
        return self._header.height, self._header.width

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what ``read`` returns, native byte order."""
        return self._header.dtype.newbyteorder("=")

    @property
    def pixel_size_angstrom(self) -> float:
        """As the header says; 0 where it does not."""
        return self._header.pixel_size_angstrom

    def read(self, index: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """Frame ``index`` as (height, width), MRC row order."""
        with fitting_memory(self._path):
            return self._read(index, out)

    def _read(self, index: int, out: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
        header = self._header
        self._file.seek(header.offset + index * header.section_bytes, os.SEEK_SET)
        raw = self._file.read(header.section_bytes)
        if len(raw) < header.section_bytes:
            raise BadFile(f"{self._path.name} ends inside frame {index}.", hint="It changed while being read.")
        values: npt.NDArray[Any]
        if header.mode == PACKED_4BIT:
            values = unpack_4bit(np.frombuffer(raw, np.uint8).reshape(header.height, -1), header.width)
        else:
            values = np.frombuffer(raw, header.dtype).reshape(self.shape)
        if out is None:
            return values.astype(self.dtype, copy=not values.flags.writeable)
        out[...] = values
        return out

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def unpack_4bit(packed: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.uint8]:
    """4-bit values, low nibble first (SerialEM): (height, ceil(width / 2)) → (height, width)."""
    values = np.empty((packed.shape[0], packed.shape[1] * 2), np.uint8)
    values[:, 0::2] = packed & 15
    values[:, 1::2] = packed >> 4
    return values[:, :width]


def read_mrc(path: str | Path) -> tuple[npt.NDArray[Any], float]:
    """Image (height, width) or stack (sections, height, width), MRC row order, and its pixel size in Å (0: unknown)."""
    path = Path(path)
    with MrcMovie(path) as movie, fitting_memory(path):
        data = np.empty((movie.frames, *movie.shape), movie.dtype)
        for index in range(movie.frames):
            movie.read(index, data[index])
    return (data[0] if len(data) == 1 else data), read_header(path).pixel_size_angstrom


def write_mrc(path: str | Path, image: npt.NDArray[Any], *, pixel_size_angstrom: float) -> None:
    """Write an image (height, width) or an image stack (frames, height, width), MRC row order.

    The mode follows the dtype as mrcfile maps it (uint8 is widened to mode 6, which MRC lacks).
    """
    with warnings.catch_warnings():
        # mrcfile warns of infinities and NaN; a caller who stores them means them
        warnings.simplefilter("ignore", RuntimeWarning)
        with mrcfile.new(str(path), overwrite=True) as mrc:
            mrc.set_data(np.ascontiguousarray(image))
            if image.ndim == 3:
                mrc.set_image_stack()
            mrc.voxel_size = pixel_size_angstrom


@dataclass(frozen=True)
class Statistics:
    """Grey values of an image as an MRC header tells them; lowest above highest: not determined."""

    lowest: float
    highest: float
    mean: float
    sigma: float


def mrc_header(shape: tuple[int, int], *, mode: int, pixel_size_angstrom: float, statistics: Statistics) -> bytes:
    """Header of an MRC file of one image (height, width), the same for the same image.

    mrcfile writes files only, and the present moment into each.
    """
    height, width = shape
    header = np.zeros((), dtype=HEADER_DTYPE)
    header["nx"], header["ny"], header["nz"] = header["mx"], header["my"], header["mz"] = width, height, 1
    header["mode"] = mode
    header["cella"] = (width * pixel_size_angstrom, height * pixel_size_angstrom, pixel_size_angstrom)
    header["cellb"] = (90.0, 90.0, 90.0)
    header["mapc"], header["mapr"], header["maps"] = 1, 2, 3
    header["map"], header["machst"] = MAP_ID, (0x44, 0x44, 0, 0)
    header["nversion"] = 20141
    header["dmin"], header["dmax"] = statistics.lowest, statistics.highest
    header["dmean"], header["rms"] = statistics.mean, statistics.sigma
    return header.tobytes()
