"""EER movies of Falcon 4 cameras: electron events of hundreds of raw frames, rendered in fractions.

Rows come in the order of the file, as RELION reads them: row 0 is the first decoded line and counts as the bottom.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from athena.errors import BadFile, Invalid
from athena.formats.movies import check_shape, first_bytes, fitting_memory

COMPRESSIONS = {65000: (8, 2, 2), 65001: (7, 2, 2)}
"""Bits of a run and of the place within a pixel, x and y; 65002 says its own."""
DESCRIBED = 65002
FRACTION_DOSE_E_PER_A2 = 1.0
"""Exposure that a fraction has where nothing else is asked for."""
FRACTIONS = 40
"""How many fractions there are where the dose is not known."""
MAX_IN_FRACTION = 255
"""Raw frames whose counts fit into a byte for certain: an electron a pixel and frame at the most."""
MAX_FRAMES = 100_000
_HEADER = struct.Struct("<2sHHHQ")
_ENTRY = struct.Struct("<HHQ8s")
_WIDTH, _HEIGHT, _COMPRESSION, _OFFSETS, _SIZES, _METADATA = 256, 257, 259, 273, 279, 65001
_BITS = (65007, 65008, 65009)
_FORMATS = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}


@dataclass(frozen=True)
class _Frame:
    """Where the code of a raw frame lies: (offset, bytes) of its strips; and its bits."""

    strips: tuple[tuple[int, int], ...]
    bits: tuple[int, int, int]
    version: int


def is_eer(path: Path) -> bool:
    """Whether a file is a BigTIFF that holds electron events."""
    if first_bytes(path, 4) != b"II+\0":
        return False
    with path.open("rb", buffering=0) as file:
        reader = _Directories(path, file)
        for number, (_, tags) in enumerate(reader.walk()):
            if _number(tags, _COMPRESSION) in (*COMPRESSIONS, DESCRIBED):
                return True
            if number:  # an image of the sum may come first
                return False
    return False


def frames_per_fraction(
    raw_frames: int, dose_per_raw_frame_e_per_A2: float | None, *, fraction_e_per_A2: float | None = None
) -> int:
    """Raw frames in a fraction of a dose (None: FRACTION_DOSE_E_PER_A2); FRACTIONS in all where theirs is not known."""
    if dose_per_raw_frame_e_per_A2:
        wanted = round((fraction_e_per_A2 or FRACTION_DOSE_E_PER_A2) / dose_per_raw_frame_e_per_A2)
    else:
        wanted = raw_frames // FRACTIONS
    return int(np.clip(wanted, 1, min(raw_frames, MAX_IN_FRACTION)))


class EerMovie:
    """An EER file; as a movie it has its raw frames, or fractions once :meth:`group` was called.

    A raw frame whose code is damaged counts as empty, as in RELION; ``damaged`` tells how many were.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # large pieces only: through a buffer each would be copied twice
        self._file = path.open("rb", buffering=0)
        self._scratch = np.empty(0, np.uint64)
        self.damaged = 0
        self._group, self._upsampling = 1, 1
        try:
            self._raw, self._shape, self.metadata = _Directories(path, self._file).frames()
        except BaseException:
            self._file.close()
            raise

    @property
    def raw_frames(self) -> int:
        """Frames that the camera took."""
        return len(self._raw)

    @property
    def frames(self) -> int:
        """Number of fractions; raw frames that are left over are dropped."""
        return len(self._raw) // self._group

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), px, as rendered."""
        return self._shape[0] * self._upsampling, self._shape[1] * self._upsampling

    @property
    def dtype(self) -> np.dtype[Any]:
        """Counts in bytes."""
        return np.dtype(np.uint8)

    @property
    def pixel_size_angstrom(self) -> float:
        """0: the file tells the size of the sensor's pixels, not of the specimen's."""
        return 0.0

    @property
    def dose_e_per_px(self) -> float | None:
        """Exposure of the whole movie on a sensor pixel, as the file says; None where it does not."""
        try:
            value = float(self.metadata["totalDose"])
        except (KeyError, ValueError):
            return None
        return value if np.isfinite(value) and value > 0 else None

    def group(self, frames: int, *, upsampling: int = 1) -> None:
        """Render so many raw frames together, on the sensor's pixels or on their halves (``upsampling`` 2).

        Raises Invalid where that cannot be done.
        """
        if not 1 <= frames <= min(self.raw_frames, MAX_IN_FRACTION):
            raise Invalid(
                f"{self._path.name} has {self.raw_frames} raw frames: {frames} of them make no fraction.",
                hint=f"Give 1 to {min(self.raw_frames, MAX_IN_FRACTION)}.",
            )
        if upsampling not in (1, 2):
            raise Invalid(f"EER is rendered with upsampling 1 or 2, not {upsampling}.")
        self._group, self._upsampling = frames, upsampling

    def read(self, index: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """Counts of a fraction, (height, width) uint8, rows in the order of the file."""
        with fitting_memory(self._path):
            return self._read(index, out)

    def _read(self, index: int, out: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
        from athena.formats.eer_kernels import add_events

        direct = out is not None and out.dtype == np.uint8 and out.flags.c_contiguous
        counts: npt.NDArray[np.uint8] = out if direct and out is not None else np.empty(self.shape, np.uint8)
        counts[...] = 0
        flat = counts.reshape(-1)
        height, width = self._shape
        for frame in self._raw[index * self._group : (index + 1) * self._group]:
            words, bits = self._code(frame)
            # early files of the one version have a place after the longest run too
            for always in (False, True) if frame.version == 65000 else (False,):
                if add_events(words, bits, width, height, *frame.bits, always, 1, flat) == width * height:
                    break
                add_events(words, bits, width, height, *frame.bits, always, -1, flat)
            else:
                self.damaged += 1
        if out is None or direct:
            return counts
        out[...] = counts
        return out

    def _code(self, frame: _Frame) -> tuple[npt.NDArray[np.uint64], int]:
        """Code of a raw frame as words, until the next one is read, and its length in bits."""
        size = sum(count for _, count in frame.strips)
        if len(self._scratch) < size // 8 + 2:
            self._scratch = np.empty(size // 8 * 5 // 4 + 2, np.uint64)
        words = self._scratch[: size // 8 + 2]
        words[size // 8 :] = 0
        place = words.view(np.uint8).data
        at = 0
        for offset, count in frame.strips:
            self._file.seek(offset)
            if self._file.readinto(place[at : at + count]) != count:
                raise BadFile(f"{self._path.name} ends inside a frame.", hint="It changed while being read.")
            at += count
        return words, size * 8

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


Tags = dict[int, tuple[int, int, bytes]]
"""Type, number of values and the eight bytes of each tag."""


class _Directories:
    """The chain of directories of a BigTIFF, bounded by the file's size."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        self._size = path.stat().st_size

    def walk(self) -> Iterator[tuple[int, Tags]]:
        """(offset, tags) of each. Raises BadFile where the chain leaves the file or runs in a circle."""
        head = self._bytes(0, _HEADER.size)
        _, _, _, _, offset = _HEADER.unpack(head)
        seen: set[int] = set()
        read = 0
        while offset:
            if offset in seen or len(seen) > MAX_FRAMES:
                raise BadFile(f"{self._path.name}: its directory chain runs in a circle.", hint="Copy it again.")
            seen.add(offset)
            (entries,) = struct.unpack("<Q", self._bytes(offset, 8))
            if entries > 1000:
                raise BadFile(f"{self._path.name} has a directory of {entries} entries.", hint="It is damaged.")
            read += entries * _ENTRY.size + 16
            if read > self._size:
                raise BadFile(f"{self._path.name}: its directories lie over each other.", hint="It is damaged.")
            body = self._bytes(offset + 8, entries * _ENTRY.size + 8)
            tags = {tag: (kind, count, value) for tag, kind, count, value in _ENTRY.iter_unpack(body[:-8])}
            yield offset, tags
            (offset,) = struct.unpack("<Q", body[-8:])

    def frames(self) -> tuple[list[_Frame], tuple[int, int], dict[str, str]]:
        """Raw frames, (height, width), and what the camera says of the acquisition."""
        found: list[_Frame] = []
        shape: tuple[int, int] | None = None
        metadata: dict[str, str] = {}
        for _, tags in self.walk():
            version = _number(tags, _COMPRESSION)
            if _METADATA in tags and not metadata:
                metadata = _described(self._values(tags, _METADATA))
            if version not in (*COMPRESSIONS, DESCRIBED):
                continue  # an image of the sum
            here = _number(tags, _HEIGHT), _number(tags, _WIDTH)
            if shape is not None and here != shape:
                raise BadFile(f"{self._path.name}: frames are {shape} and {here} px.", hint="It is damaged.")
            shape = here
            bits = COMPRESSIONS.get(version) or tuple(_number(tags, tag) for tag in _BITS)
            if not (4 <= bits[0] <= 16 and 1 <= bits[1] <= 4 and 1 <= bits[2] <= 4):
                raise BadFile(f"{self._path.name} is coded with {bits} bits, which is no EER.", hint="It is damaged.")
            offsets, sizes = (self._numbers(tags, tag) for tag in (_OFFSETS, _SIZES))
            if len(offsets) != len(sizes) or any(o + n > self._size for o, n in zip(offsets, sizes, strict=True)):
                raise BadFile(
                    f"{self._path.name} is truncated: frame {len(found)} lies past its end.",
                    hint="It may still be on its way; else copy it again.",
                )
            found.append(_Frame(tuple(zip(offsets, sizes, strict=True)), (bits[0], bits[1], bits[2]), version))
        if shape is None:
            raise BadFile(f"{self._path.name} holds no frame.", hint="It may still be on its way; else copy it again.")
        check_shape(self._path, frames=len(found), height=shape[0], width=shape[1])
        self._check_code(found, shape[0] * shape[1])
        return found, shape, metadata

    def _check_code(self, frames: list[_Frame], pixels: int) -> None:
        """Raise BadFile where frames hold more code than the file, or none enough for the pixels it says."""
        lengths = [sum(count for _, count in frame.strips) for frame in frames]
        if sum(lengths) > self._size:
            raise BadFile(f"{self._path.name}: its frames hold more bytes than it has.", hint="It is damaged.")
        # a code of n bits passes over 2ⁿ − 1 pixels
        reach = (n * 8 // frame.bits[0] * (2 ** frame.bits[0]) for n, frame in zip(lengths, frames, strict=True))
        if max(reach) < pixels:
            raise BadFile(f"{self._path.name}: no frame holds enough for {pixels} pixels.", hint="It is damaged.")

    def _values(self, tags: Tags, tag: int) -> bytes:
        kind, count, value = tags[tag]
        if kind not in _FORMATS:
            raise BadFile(f"{self._path.name}: tag {tag} is of type {kind}.", hint="It is damaged.")
        size = count * struct.calcsize(_FORMATS[kind])
        return value[:size] if size <= len(value) else self._bytes(struct.unpack("<Q", value)[0], size)

    def _numbers(self, tags: Tags, tag: int) -> tuple[int, ...]:
        if tag not in tags:
            raise BadFile(f"{self._path.name}: a frame has no tag {tag}.", hint="It is damaged; copy it again.")
        kind, count, _ = tags[tag]
        return struct.unpack(f"<{count}{_FORMATS.get(kind, 'B')}", self._values(tags, tag))

    def _bytes(self, offset: int, count: int) -> bytes:
        if offset + count > self._size:
            raise BadFile(
                f"{self._path.name} is truncated: it needs {offset + count} bytes of {self._size}.",
                hint="It may still be on its way; else copy it again.",
            )
        self._file.seek(offset)
        return self._file.read(count)


def _number(tags: Tags, tag: int) -> int:
    """Single value of a tag; 0 where it is absent."""
    if tag not in tags:
        return 0
    kind, _, value = tags[tag]
    return int(struct.unpack_from(f"<{_FORMATS.get(kind, 'B')}", value)[0])


def _described(text: bytes) -> dict[str, str]:
    """Items of the camera's XML by name; empty where it is none, since nothing depends on it alone."""
    try:
        root = ElementTree.fromstring(text.rstrip(b"\0"))
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        return {}
    return {item.get("name", ""): item.text or "" for item in root.iter("item")}
