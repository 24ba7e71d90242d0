"""Images of a specimen that is not level: the contrast transfer changes with the place."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import jv

from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.optics import Ctf, wavelength_angstrom
from athena_pipelines.simulate.specimen import backward

FINEST_ANGSTROM = 2.5
"""Finer detail is imaged as if the defocus changed so much less that its phase changes as that of this detail does."""


@dataclass(frozen=True)
class Slope:
    """Change of the defocus over the image, Å for an Å to the right (``x``) and up (``y``)."""

    x: float = 0.0
    y: float = 0.0

    @property
    def level(self) -> bool:
        """Whether there is no change."""
        return self.x == 0 and self.y == 0

    def reach(self, canvas: Canvas) -> float:
        """Largest change from the middle of the image to a corner of the whole, Å."""
        return float(abs(self.x) * np.abs(canvas.x).max() + abs(self.y) * np.abs(canvas.y).max())


LEVEL = Slope()


def image_on_slope(
    spectrum: NDArray[np.complex64],
    ctf: Ctf,
    slope: Slope,
    *,
    fx: NDArray[np.float32],
    fy: NDArray[np.float32],
    canvas: Canvas,
) -> NDArray[np.float32]:
    """The whole canvas, (h, w) float32, of a specimen whose defocus changes linearly; ``ctf`` holds in the middle.

    With u from −1 to 1 along the slope and z(k) = π λ k² · reach, CTF = −sin(χ + z u). Its expansion in Chebyshev
    polynomials T of u (Jacobi and Anger; Abramowitz & Stegun 9.1.44–45) parts place from frequency:

        sin(χ + z u) = sin χ [J₀(z) + 2 Σ (−1)ⁿ J₂ₙ(z) T₂ₙ(u)] + 2 cos χ Σ (−1)ⁿ J₂ₙ₊₁(z) T₂ₙ₊₁(u),

    so that the image is a sum of few whole images, each weighted by a polynomial of the place.

    Parameters
    ----------
    spectrum : (h, w // 2 + 1) of the specimen, without contrast transfer.
    fx, fy : its frequencies, Å⁻¹.
    """
    reach = slope.reach(canvas)
    u = canvas.y[:, None] * np.float32(slope.y / reach) + canvas.x[None, :] * np.float32(slope.x / reach)
    width = canvas.shape[1]
    scale = math.pi * wavelength_angstrom(ctf.voltage_kv) * reach
    most = scale * min(1 / FINEST_ANGSTROM**2, float(fx.max() ** 2 + np.abs(fy).max() ** 2))
    z = np.minimum(np.float32(scale) * (fx * fx + fy * fy), np.float32(most))
    table = np.linspace(0, most, 4096)
    index = (z * np.float32(4095 / most) + np.float32(0.5)).astype(np.int16)
    even = spectrum * ctf.evaluate(fx, fy)
    odd = spectrum * ctf.quarter_turn().evaluate(fx, fy)
    image = backward(even * jv(0, table).astype(np.float32)[index], width)
    before, now = np.ones_like(u), u
    # the terms fall faster than any power once their order is above z
    for order in range(1, math.ceil(most + 2.5 * most ** (1 / 3)) + 5):
        sign = -2.0 if order % 4 in (2, 3) else 2.0
        part = (odd if order % 2 else even) * (sign * jv(order, table)).astype(np.float32)[index]
        image += backward(part, width) * now
        before, now = now, 2 * u * now - before
    return image
