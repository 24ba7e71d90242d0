"""Phase ramps: what a shift does to a transform."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Complex64 = npt.NDArray[np.complex64]
Ramps = tuple[Complex64, Complex64]


def ramps(shift: Array, shape: tuple[int, int]) -> tuple[Complex64, Complex64]:
    """Phase ramps exp(−2πi q·s) along y and along the half axis x."""
    y, x = (_phasors(turns * s) for turns, s in zip(turns(shape), shift, strict=True))
    return y, x


@lru_cache(maxsize=8)
def turns(shape: tuple[int, int]) -> tuple[Array, Array]:
    """−2π q along y and along the half axis x."""
    y, x = (np.asarray(-2 * np.pi * q, np.float64) for q in (np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])))
    return y, x


def _phasors(angles: Array) -> Complex64:
    out = np.empty(len(angles), np.complex64)
    out.real, out.imag = np.cos(angles), np.sin(angles)
    return out
