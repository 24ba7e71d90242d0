"""TIFF movies as cameras write them: one page a frame, strips or tiles, any compression imagecodecs knows."""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from athena.errors import BadFile
from athena.formats.movies import MAX_PIXELS, check_shape, check_unpacked, first_bytes, fitting_memory

MAX_FRAMES = 100_000
_SUPER_RESOLUTION = ((7676, 7420), (7680, 7424), (11520, 8184))
"""Widths and heights of super-resolution frames, or heights and widths."""
_SIZE_TOLERANCE = 2
_DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "float16", "float32", "uint32", "int32"})

Decoded = bytes | bytearray | npt.NDArray[np.uint8]


def _lzw(data: bytes, out: int) -> Decoded:
    if data[:1] != b"\x80":
        # streams begin with a clear code; those of before TIFF 6.0 run the other way round
        return imagecodecs.lzw_decode(data, out=out)
    # numba takes a second to import, and most of the platform reads no such frame
    from athena.formats.lzw import decode

    return decode(data, out)


_DECODERS: dict[int, Callable[..., Decoded]] = {
    5: _lzw,
    8: imagecodecs.zlib_decode,
    32946: imagecodecs.zlib_decode,
    34926: imagecodecs.zstd_decode,
    50000: imagecodecs.zstd_decode,
}
"""Compressions decoded without tifffile's per-strip overhead, which costs seconds where each row is a strip."""


class TiffMovie:
    """A multi-page TIFF; the whole directory chain is checked on opening, frames are decoded one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size
        _check_chain(path, self._size)
        try:
            self._tiff = tifffile.TiffFile(path)
        except Exception as error:
            # tifffile follows tags of many programs, and fails over damaged ones in as many ways
            raise BadFile(f"{path.name} is no readable TIFF: {error}.", hint="Copy it again.") from error
        try:
            self._pages = self._checked_pages()
        except BaseException:
            self._tiff.close()
            raise
        first = self._pages[0]
        self._packed = first.bitspersample == 8 and first.dtype == np.uint8 and _is_packed(*self._stored)
        self._file = path.open("rb")

    def _checked_pages(self) -> list[tifffile.TiffPage]:
        name = self._path.name
        try:
            pages = [page for page in self._tiff.pages if isinstance(page, tifffile.TiffPage)]
            sound = all(isinstance(value, int) and value >= 0 for page in pages for value in _numbers_of(page))
        except Exception as error:
            raise BadFile(f"{name} has a damaged directory: {error}.", hint="Copy it again.") from error
        if not pages:
            raise BadFile(f"{name} holds no frame.", hint="Copy it again.")
        first = pages[0]
        if not sound:
            raise BadFile(f"{name} has a damaged directory: sizes that are no numbers.", hint="Copy it again.")
        check_shape(self._path, frames=len(pages), height=first.imagelength, width=first.imagewidth)
        if first.dtype is None or first.dtype.name not in _DTYPES or first.samplesperpixel != 1:
            raise BadFile(
                f"{name} holds {first.samplesperpixel} × {first.dtype or 'unknown'} a pixel, which is no movie.",
                hint="One integer or float value a pixel is needed.",
            )
        for index, page in enumerate(pages):
            if page.shape != first.shape or page.dtype != first.dtype or page.compression != first.compression:
                raise BadFile(
                    f"{name}: frame {index} is {page.shape} {page.dtype}, the first {first.shape} {first.dtype}.",
                    hint="All frames of a movie have one size; this file holds something else beside.",
                )
            self._check_segments(index, page)
        if sum(sum(page.databytecounts) for page in pages) > self._size:
            raise BadFile(f"{name}: its frames hold more bytes than it has.", hint="Its directory is damaged.")
        unpacked = len(pages) * first.imagelength * first.imagewidth * first.dtype.itemsize
        check_unpacked(self._path, stored=self._size, unpacked=unpacked)
        return pages

    def _check_segments(self, index: int, page: tifffile.TiffPage) -> None:
        name = self._path.name
        if len(page.chunks) != 2 or min(page.chunks) < 1 or page.chunks[0] * page.chunks[1] > MAX_PIXELS:
            raise BadFile(f"{name}: frame {index} is cut into {page.chunks} px.", hint="Its directory is damaged.")
        expected = -(-page.imagelength // page.chunks[0]) * -(-page.imagewidth // page.chunks[1])
        if len(page.dataoffsets) != len(page.databytecounts) or len(page.dataoffsets) < expected:
            raise BadFile(f"{name}: frame {index} lacks strips.", hint="Its directory is damaged; copy it again.")
        end = max(o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))
        if end > self._size:
            raise BadFile(
                f"{name} is truncated: frame {index} needs {end} bytes of {self._size}.",
                hint="It may still be on its way; else copy it again.",
            )
        if (
            page.compression == 1
            and sum(page.databytecounts) < page.imagelength * page.imagewidth * page.bitspersample // 8
        ):
            raise BadFile(f"{name}: frame {index} has less data than its size says.", hint="Copy it again.")

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self._pages)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), px."""
        height, width = self._stored
        return height, width * 2 if self._packed else width

    @property
    def _stored(self) -> tuple[int, int]:
        return self._pages[0].imagelength, self._pages[0].imagewidth

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what ``read`` returns, native byte order."""
        return np.dtype(self._pages[0].dtype)

    @property
    def pixel_size_angstrom(self) -> float:
        """0: cameras do not write it into a TIFF, and the resolution tags that some programs write are of print."""
        return 0.0

    def read(self, index: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """Frame ``index`` as (height, width), rows flipped into MRC order."""
        with fitting_memory(self._path):
            return self._read(index, out)

    def _read(self, index: int, out: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
        page = self._pages[index]
        target = np.empty(self.shape, self.dtype) if out is None else out
        if self._packed:
            from athena.formats.mrc import unpack_4bit

            stored = np.empty(self._stored, np.uint8)
            self._decode(index, page, stored)
            target[...] = unpack_4bit(stored, self.shape[1])
        else:
            self._decode(index, page, target)
        return target

    def _decode(self, index: int, page: tifffile.TiffPage, target: npt.NDArray[Any]) -> None:
        """Decode a frame, (height, width) as stored, rows in MRC order."""
        try:
            if not self._read_strips(page, target):
                target[...] = page.asarray(maxworkers=1)[::-1]
        except MemoryError:
            raise
        except Exception as error:
            # each codec has errors of its own, and tifffile fails over damaged tags in many ways
            raise BadFile(
                f"{self._path.name}: frame {index} cannot be decoded: {error}.",
                hint="The file is damaged; copy it again.",
            ) from error

    def _read_strips(self, page: tifffile.TiffPage, target: npt.NDArray[Any]) -> bool:
        """Decode whole-width strips straight into ``target``; False where the page is of another kind."""
        decode = _DECODERS.get(page.compression)
        dtype = np.dtype(page.dtype).newbyteorder(self._tiff.byteorder)
        if decode is None or page.predictor != 1 or page.fillorder != 1 or page.is_tiled:
            return False
        if page.bitspersample != dtype.itemsize * 8:
            return False
        height, width = self._stored
        rows = page.chunks[0]
        flipped = target[::-1]
        for number, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
            top = number * rows
            if top >= height:
                break
            part = flipped[top : top + rows]
            self._file.seek(offset, os.SEEK_SET)
            decoded = decode(self._file.read(count), out=part.size * dtype.itemsize)
            values = np.frombuffer(decoded, dtype)
            if values.size < part.size:
                raise ValueError(f"strip {number} holds {values.size} of {part.size} pixels")
            part[...] = values[: part.size].reshape(-1, width)
        return True

    @property
    def first_page(self) -> tifffile.TiffPage:
        """Directory of the first frame."""
        return self._pages[0]

    def texts(self) -> list[str]:
        """Texts among the tags of the first frame, such as the camera's XML."""
        found = []
        try:
            for tag in self._pages[0].tags:
                value = tag.value
                if isinstance(value, bytes | str):
                    found.append(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
        except Exception as error:
            raise BadFile(f"{self._path.name} has a damaged tag: {error}.", hint="Copy it again.") from error
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._tiff.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _numbers_of(page: tifffile.TiffPage) -> tuple[Any, ...]:
    """What must be whole numbers; tifffile takes them as they come."""
    return (
        page.imagelength,
        page.imagewidth,
        page.samplesperpixel,
        page.compression,
        page.predictor,
        page.bitspersample,
        *page.chunks,
        *page.dataoffsets,
        *page.databytecounts,
    )


def _is_packed(height: int, width: int) -> bool:
    """Whether bytes hold two pixels each: SerialEM's 4-bit files do not say so, but their size tells, as in IMOD."""
    return any(
        abs(2 * width - across) <= 2 * _SIZE_TOLERANCE and abs(height - down) <= _SIZE_TOLERANCE
        for one in _SUPER_RESOLUTION
        for across, down in (one, one[::-1])
    )


def _check_chain(path: Path, size: int) -> None:
    """Walk the chain of directories to its end: tifffile forgives a broken one, and would show fewer frames."""
    if not _count_directories(path, size):
        raise BadFile(f"{path.name} is truncated: it has no directory yet.", hint="It may still be on its way.")


def count_directories(path: Path) -> int:
    """How many images a TIFF lists. Raises BadFile where the chain of them leaves the file or runs in a circle."""
    return _count_directories(path, path.stat().st_size)


def _count_directories(path: Path, size: int) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in _directories(path, file, size))


def _directories(path: Path, file: BinaryIO, size: int) -> Iterator[int]:
    """Offsets of the directories. Raises BadFile where the chain leaves the file or runs in a circle."""
    head = first_bytes(path, 16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    count_format, entry_bytes, offset_format = ("Q", 20, "Q") if big else ("H", 12, "I")
    count_bytes, offset_bytes = struct.calcsize(count_format), struct.calcsize(offset_format)
    place = 8 if big else 4
    if len(head) < place + offset_bytes:
        raise BadFile(f"{path.name} is truncated inside its header.", hint="It may still be on its way.")
    (offset,) = struct.unpack_from(order + offset_format, head, place)
    seen: set[int] = set()
    while offset:
        if offset in seen or len(seen) > MAX_FRAMES:
            raise BadFile(f"{path.name}: its directory chain runs in a circle.", hint="It is damaged; copy it again.")
        seen.add(offset)
        end = size
        if offset + count_bytes <= size:
            file.seek(offset)
            (entries,) = struct.unpack(order + count_format, file.read(count_bytes))
            end = offset + count_bytes + entries * entry_bytes
        if end + offset_bytes > size:
            raise BadFile(
                f"{path.name} is truncated: directory {len(seen) - 1} lies at {offset}, past its {size} bytes.",
                hint="It may still be on its way; else copy it again.",
            )
        yield offset
        file.seek(end)
        (offset,) = struct.unpack(order + offset_format, file.read(offset_bytes))
