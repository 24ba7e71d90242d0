"""Small 8-bit pictures of a micrograph and its spectrum, in MRC row order; viewers flip."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from athena_pipelines.core.ctf_fit import CtfFit
from athena_pipelines.core.ctf_model import Optics, ctf
from athena_pipelines.core.spectrum import SIZE, Spectrum

Float32 = npt.NDArray[np.float32]
Uint8 = npt.NDArray[np.uint8]

CONTRAST_SIGMA = 3.0
WIDEST_GREY = 4.0
"""Grey range of a spectrum in standard deviations of its rings."""


def thumbnail(image: Float32, size: int) -> Uint8:
    """Micrograph (height, width) averaged into a (size, size) square, centred, mean ± 3 σ as 1 to 255; 0 is outside."""
    scale = size / max(image.shape)
    height, width = (max(round(n * scale), 1) for n in image.shape)
    # most of the way by whole blocks of pixels: Pillow would copy the image first
    blocks = _blocks(image, max(int(scale / 2), 1))
    small = np.asarray(Image.fromarray(blocks).resize((width, height), Image.Resampling.BOX))
    out = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    spread = CONTRAST_SIGMA * float(small.std())
    grey = _grey(small, float(small.mean()) - spread, float(small.mean()) + spread)
    out[top : top + height, left : left + width] = np.maximum(grey, 1)
    return out


def spectrum_picture(spectrum: Spectrum, size: int) -> Uint8:
    """Rings over their background, averaged to (size, size), zero frequency at [size // 2, size // 2]."""
    return _grey(*_window(_averaged(spectrum.signal, size)))


def fit_picture(spectrum: Spectrum, fit: CtfFit, optics: Optics, size: int) -> Uint8:
    """Left half |CTF| as fitted, as far as the fit holds; right half the spectrum beside it."""
    measured, low, high = _window(_averaged(spectrum.signal, size))
    step = spectrum.step * SIZE / size
    ky = (np.arange(size) - size // 2)[:, None] * step
    kx = (np.arange(size) - size // 2)[None, :] * step
    k = np.hypot(ky, kx)
    local = fit.defocus.along(np.arctan2(ky, kx))
    theory = np.abs(ctf(k, local, optics, phase_shift_deg=fit.defocus.phase_shift_deg))
    theory[k > 1 / fit.quality.resolution_angstrom] = 0
    picture = measured.copy()
    picture[:, : size // 2] = (low + (high - low) * 0.85 * theory)[:, : size // 2]
    return _grey(picture, low, high)


def _blocks(image: Float32, edge: int) -> Float32:
    """Means of blocks of edge × edge px; what is left over at the far sides, less than a block, is left out."""
    rows, columns = (n // edge for n in image.shape)
    whole = image[: rows * edge, : columns * edge]
    lines = whole.reshape(rows, edge, -1).sum(axis=1)
    return np.asarray(lines.reshape(rows, columns, edge).sum(axis=2) / np.float32(edge * edge), np.float32)


def _averaged(image: Float32, size: int) -> Float32:
    factor = SIZE // size
    return np.asarray(image.reshape(size, factor, size, factor).mean(axis=(1, 3)), np.float32)


def _window(image: Float32) -> tuple[Float32, float, float]:
    spread = float(image.std())
    return image, -1.5 * spread, (WIDEST_GREY - 1.5) * spread


def _grey(image: Float32, low: float, high: float) -> Uint8:
    if high <= low:
        return np.full(image.shape, 128, np.uint8)
    return np.asarray(np.clip((image - low) / (high - low), 0, 1) * 255 + 0.5).astype(np.uint8)
