"""Where a place in the specimen is seen in a tilted image, and how high it lies."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.slope import Slope


@dataclass(frozen=True)
class View:
    """Geometry of one image of a tilt series.

    Places in the specimen are x, y, z Å from the middle of the slab, right-handed: z stands on the slab, and with the
    slab level and the axis at 0°, x is right and y up in the image. The slab is turned about x as it lies in the
    holder, then about y, which is the tilt axis, by the stage and as it lies:

        (u, v, w) = Ry(tilt + y tilt) · Rx(x tilt) · (x, y, z),    Ry(a): u = x cos a + z sin a, w = z cos a − x sin a;

    u, v is turned by ``axis_deg`` counter-clockwise, magnified and shifted: Å to the right and up from the middle of
    the image. w is the height along the beam. The turns come in the order of IMOD's tiltalign and of RELION 5
    (Rz · Ry · Rx), each as a rotation of the specimen.

    Attributes
    ----------
    tilt_deg : of the stage.
    x_tilt_deg, y_tilt_deg : how the slab lies in the holder.
    axis_deg : from +y to the tilt axis, counter-clockwise with y up.
    shift_angstrom : (x, y) from the image's middle to where the specimen's middle is seen.
    """

    tilt_deg: float
    x_tilt_deg: float = 0.0
    y_tilt_deg: float = 0.0
    axis_deg: float = 0.0
    shift_angstrom: tuple[float, float] = (0.0, 0.0)
    magnification: float = 1.0

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """Rotation from the specimen to (right, up, height), (3, 3)."""
        x, y, axis = (math.radians(a) for a in (self.x_tilt_deg, self.tilt_deg + self.y_tilt_deg, self.axis_deg))
        about_x = np.array([[1, 0, 0], [0, math.cos(x), -math.sin(x)], [0, math.sin(x), math.cos(x)]])
        about_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
        about_z = np.array([[math.cos(axis), -math.sin(axis), 0], [math.sin(axis), math.cos(axis), 0], [0, 0, 1]])
        turned: NDArray[np.float64] = about_z @ about_y @ about_x
        return turned

    def project(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Right and up in the image, and height, of places in the specimen; both (n, 3) Å."""
        seen: NDArray[np.float64] = places @ self.matrix.T
        seen[:, :2] = self.magnification * seen[:, :2] + np.array(self.shift_angstrom)
        return seen

    @property
    def longer(self) -> float:
        """How many times as long as straight through the slab the way along the beam is."""
        return 1 / abs(float(self.matrix[2, 2]))

    @property
    def rise(self) -> Slope:
        """By how many Å the slab rises for an Å to the right and up in the image."""
        across_x, across_y, along = (float(part) for part in self.matrix[:, 2])
        return Slope(-across_x / along / self.magnification, -across_y / along / self.magnification)
