"""The stack of a tilt series, which grows by an image a tilt."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from athena.formats.mrc import Statistics, mrc_header

_MODE, _HEADER_BYTES = 6, 1024
"""Unsigned 16-bit integers."""


class Stack:
    """An MRC file of images (h, w) uint16.

    Parameters
    ----------
    path : begun with its first image.
    """

    def __init__(self, path: Path, shape: tuple[int, int], *, pixel_size_angstrom: float) -> None:
        self.path = path
        self._shape = shape
        self._pixel = pixel_size_angstrom

    def put(self, index: int, image: NDArray[np.uint16]) -> None:
        """Write the ``index``-th image, row 0 at the bottom; those after it are gone then."""
        size = image.nbytes
        with self.path.open("r+b" if index else "wb") as file:
            file.truncate(_HEADER_BYTES + index * size)
            file.seek(0, 2)
            file.write(np.ascontiguousarray(image, dtype="<u2").tobytes())
            # the header says how many images are whole
            file.seek(0)
            file.write(self._header(index + 1))

    def read(self, index: int) -> NDArray[np.uint16]:
        """The ``index``-th image."""
        height, width = self._shape
        offset = _HEADER_BYTES + index * height * width * 2
        image = np.fromfile(self.path, dtype="<u2", count=height * width, offset=offset)
        return image.reshape(height, width).astype(np.uint16)

    def _header(self, images: int) -> bytes:
        unknown = Statistics(lowest=0.0, highest=-1.0, mean=-2.0, sigma=-1.0)
        header = bytearray(mrc_header(self._shape, mode=_MODE, pixel_size_angstrom=self._pixel, statistics=unknown))
        # nz; the cell is that of one image, as in any stack
        header[8:12] = images.to_bytes(4, "little")
        return bytes(header)
