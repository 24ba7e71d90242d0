"""Transfer of a counting camera: how well it says where an electron was, and how many it misses.

Each electron that is detected is one count, in the pixel where the camera believes it to have been: a random distance
from where it was. A Poisson image stays a Poisson image then. Its signal falls as MTF(q), its noise stays white, and

    DQE(q) = DQE(0) · MTF(q)²,

which is the case of stochastic spread without any that follows the counting: Rabbani, Shaw & Van Metter 1987,
J. Opt. Soc. Am. A 4:895. Electrons lost to coincidence are in DQE(0); that they dim bright places more is left out.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIXEL_AT_NYQUIST = 2 / math.pi
"""MTF at Nyquist of a square pixel that knows no more than that the electron was in it: sinc(1/2)."""


@dataclass(frozen=True)
class Sensor:
    """Transfer of a counting camera. Frequencies q in cycles a pixel, Nyquist is 0.5.

    Below ``PIXEL_AT_NYQUIST`` the MTF is that of the square pixel, sinc(qx) · sinc(qy), times a Gaussian: electrons are
    placed with a normal error. Above, the camera places them more finely than its pixels, and only the Gaussian is
    left. 1 is a camera that takes the image at points.

    Attributes
    ----------
    mtf_nyquist : along an axis.
    dqe_zero : share of the electrons that are counted.
    """

    mtf_nyquist: float = 1.0
    dqe_zero: float = 1.0

    def mtf(self, qx: NDArray[np.float32], qy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Signal left at frequencies that are broadcast together, 0 to 1."""
        if self.mtf_nyquist <= PIXEL_AT_NYQUIST:
            along_x, along_y = np.sinc(qx), np.sinc(qy)
            scatter = math.log(self.mtf_nyquist / PIXEL_AT_NYQUIST)
        else:
            along_x, along_y = np.ones_like(qx), np.ones_like(qy)
            scatter = math.log(self.mtf_nyquist)
        along_x *= np.exp(scatter * (2 * qx) ** 2)
        along_y *= np.exp(scatter * (2 * qy) ** 2)
        transfer: NDArray[np.float32] = (along_x * along_y).astype(np.float32)
        return transfer

    def curves(self, points: int = 11) -> tuple[tuple[float, float, float], ...]:
        """(q, MTF, DQE) along an axis, from 0 to Nyquist."""
        q = np.linspace(0, 0.5, points, dtype=np.float32)
        mtf = self.mtf(q, np.zeros(1, dtype=np.float32)).astype(float)
        return tuple(
            (round(float(frequency), 4), round(value, 5), round(self.dqe_zero * value**2, 5))
            for frequency, value in zip(q, mtf, strict=True)
        )
