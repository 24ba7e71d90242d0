"""The area that is simulated: an image with a margin around it, of which motion brings parts into view."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len


@dataclass(frozen=True)
class Canvas:
    """An image within a larger one.

    Attributes
    ----------
    shape : (h, w) px of the whole.
    inner : (h, w) px of the image, which begins ``margin`` px from the left and from below.
    """

    shape: tuple[int, int]
    inner: tuple[int, int]
    margin: int
    pixel_size_angstrom: float

    @property
    def x(self) -> NDArray[np.float32]:
        """Columns of the whole, Å to the right of the image's middle, (w,)."""
        return self._from_middle(1)

    @property
    def y(self) -> NDArray[np.float32]:
        """Rows of the whole, Å above the image's middle, (h,)."""
        return self._from_middle(0)

    def cut(self, whole: NDArray[np.float32]) -> NDArray[np.float32]:
        """The image of the whole."""
        height, width = self.inner
        return whole[self.margin : self.margin + height, self.margin : self.margin + width]

    def _from_middle(self, axis: int) -> NDArray[np.float32]:
        places = np.arange(self.shape[axis], dtype=np.float32) - (self.margin + (self.inner[axis] - 1) / 2)
        return (places * np.float32(self.pixel_size_angstrom)).astype(np.float32)


def canvas_around(shape: tuple[int, int], reach: float, *, pixel_size_angstrom: float) -> Canvas:
    """Canvas around an image of (h, w) px with room for displacements of ``reach`` px, of a size quick to transform."""
    margin = math.ceil(reach) + 3
    height, width = (next_fast_len(size + 2 * margin, real=True) for size in shape)
    return Canvas((height, width), shape, margin, pixel_size_angstrom)
