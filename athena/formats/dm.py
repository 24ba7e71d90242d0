"""DigitalMicrograph files (``.dm3``, ``.dm4``) of Gatan cameras: the image in them, for gain references.

A file is a tree of tags; its images lie under ``ImageList``, a small coloured preview before the one that is meant.
Rows are stored with the top of the image first. Source: the descriptions of the format by C. Boothroyd and G. Jefferis.
"""

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from athena.errors import BadFile
from athena.formats.movies import check_shape, first_bytes, fitting_memory

DM_SUFFIXES = frozenset({".dm3", ".dm4"})
MAX_TAGS = 200_000
MAX_DEPTH = 40
_SIMPLE = {2: "i2", 3: "i4", 4: "u2", 5: "u4", 6: "f4", 7: "f8", 8: "u1", 9: "u1", 10: "i1", 11: "i8", 12: "u8"}
_STRUCT, _STRING, _ARRAY = 15, 18, 20
_GROUP, _DATA = 20, 21
_IMAGES = {1: "i2", 2: "f4", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8", 14: "u1"}
"""Types of images that hold one real value a pixel; 23 is a colour preview."""


@dataclass
class _Image:
    """What the tags say of one image."""

    data: tuple[int, int] | None = None
    kind: int = 0
    dimensions: list[int] = field(default_factory=list)


def read_dm(path: str | Path) -> npt.NDArray[Any]:
    """The image of a file, (height, width), rows in MRC order (the bottom first).

    Raises BadFile where it is none, is damaged, or holds no single image of one value a pixel.
    """
    path = Path(path)
    first_bytes(path, 16)
    with path.open("rb") as file, fitting_memory(path):
        reader = _Tags(path, file)
        reader.walk()
        image = reader.chosen()
        assert image.data is not None  # chosen() takes no other
        width, height = image.dimensions[:2]
        check_shape(path, frames=1, height=height, width=width)
        dtype = np.dtype(reader.order + _IMAGES[image.kind])
        place, size = image.data
        if size != height * width * dtype.itemsize:
            raise BadFile(f"{path.name}: its image has {size} bytes, not those of its size.", hint="It is damaged.")
        file.seek(place)
        values = np.frombuffer(file.read(size), dtype).reshape(height, width)
    return np.ascontiguousarray(values[::-1].astype(dtype.newbyteorder("=")))


class _Tags:
    """Walk over the tags of a file, bounded by its size."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = path.stat().st_size
        self._count = 0
        (self._version,) = self._take(">i")
        if self._version not in (3, 4):
            raise BadFile(f"{path.name} is no DigitalMicrograph file of version 3 or 4.", hint="Check what it is.")
        self._word = ">Q" if self._version == 4 else ">I"
        self._take(self._word)
        self.order = "<" if self._take(">I")[0] else ">"
        self._images: dict[str, _Image] = {}

    def walk(self) -> None:
        """Read all tags. Raises BadFile where they lead out of the file."""
        self._group((), 0)

    def chosen(self) -> _Image:
        """The largest image that has one real value a pixel. Raises BadFile where there is none."""
        found = [
            image
            for image in self._images.values()
            if image.data and image.kind in _IMAGES and _is_flat(image.dimensions)
        ]
        if not found:
            raise BadFile(f"{self._path.name} holds no single image.", hint="Give a file with one gain reference.")
        return max(found, key=lambda image: math.prod(image.dimensions))

    def _group(self, path: tuple[str, ...], depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self._damaged("its tags lie too deeply in each other")
        self._take(">2B")
        (count,) = self._take(self._word)
        for number in range(count):
            self._count += 1
            if self._count > MAX_TAGS:
                raise self._damaged("it has too many tags")
            kind, length = self._take(">BH")
            name = self._bytes(length).decode("latin-1") or str(number)
            if self._version == 4:
                self._take(">Q")
            if kind == _GROUP:
                self._group((*path, name), depth + 1)
            elif kind == _DATA:
                self._data((*path, name))
            else:
                raise self._damaged(f"it has a tag of type {kind}")

    def _data(self, path: tuple[str, ...]) -> None:
        if self._bytes(4) != b"%%%%":
            raise self._damaged("a tag does not begin as tags do")
        (count,) = self._take(self._word)
        if not 1 <= count <= 1000:
            raise self._damaged(f"a tag is described in {count} words")
        kind = self._take(f">{count}{self._word[1]}")
        size = self._length(kind)
        place = self._file.tell()
        if place + size > self._size:
            raise self._damaged(f"it needs {place + size} bytes of {self._size}")
        if path[0] == "ImageList" and len(path) > 3 and path[2] == "ImageData":
            self._note(path, kind, place, size)
        self._file.seek(place + size)

    def _note(self, path: tuple[str, ...], kind: tuple[int, ...], place: int, size: int) -> None:
        image = self._images.setdefault(path[1], _Image())
        if path[3:] == ("Data",) and kind[0] == _ARRAY:
            image.data = (place, size)
        elif kind[0] in _SIMPLE and (path[3:] == ("DataType",) or path[3] == "Dimensions"):
            value = int(np.frombuffer(self._bytes(size), self.order + _SIMPLE[kind[0]])[0])
            if path[3] == "DataType":
                image.kind = value
            else:
                image.dimensions.append(value)

    def _length(self, kind: tuple[int, ...]) -> int:
        """Bytes of a value of a described type."""
        if kind[0] in _SIMPLE and len(kind) == 1:
            return self._of(kind[0])
        if kind[0] == _STRUCT and len(kind) >= 3:
            return sum(self._of(one) for one in kind[4::2])
        if kind[0] == _STRING and len(kind) == 2:
            return 2 * kind[1]
        if kind[0] == _ARRAY and len(kind) == 3:
            return self._of(kind[1]) * kind[2]
        if kind[0] == _ARRAY and len(kind) > 4 and kind[1] == _STRUCT:
            return sum(self._of(one) for one in kind[5:-1:2]) * kind[-1]
        raise self._damaged(f"a tag has a type that starts with {kind[:2]}")

    def _of(self, kind: int) -> int:
        if kind not in _SIMPLE:
            raise self._damaged(f"a tag has a value of type {kind}")
        return np.dtype(_SIMPLE[kind]).itemsize

    def _take(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self._bytes(struct.calcsize(layout)))

    def _bytes(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise self._damaged("it ends inside a tag")
        return data

    def _damaged(self, reason: str) -> BadFile:
        return BadFile(f"{self._path.name} cannot be read: {reason}.", hint="It is damaged; copy it again.")


def _is_flat(dimensions: list[int]) -> bool:
    return len(dimensions) >= 2 and min(dimensions) > 0 and math.prod(dimensions[2:]) == 1
