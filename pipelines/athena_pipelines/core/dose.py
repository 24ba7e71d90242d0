"""Exposure weighting. Source: Grant & Grigorieff 2015, eq. 3–5 and 9."""

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.motion_kernels import add_filtered

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

RADIAL_BINS = 2048
MAX_TERMS = 8
TOLERANCE = 9e-4


def critical_exposure(frequency: npt.ArrayLike, voltage_kv: float = 300.0) -> Array:
    """N_c(k) = a·k^b + c in e/Å² for k in Å⁻¹; a voltage below 300 kV damages sooner (RELION's factors)."""
    k = np.maximum(np.asarray(frequency, np.float64), 1e-6)
    factor = float(np.interp(voltage_kv, [100, 200, 300], [0.64, 0.8, 1.0]))
    return np.asarray((0.24499 * k**-1.6649 + 2.8141) * factor)


def weights(
    frequency: npt.ArrayLike,
    frames: int,
    dose_per_frame_e_per_A2: float,
    *,
    pre_exposure_e_per_A2: float = 0.0,
    voltage_kv: float = 300.0,
) -> Array:
    """Amplitude weight exp(−N / 2N_c) of each frame (rows) at each frequency (columns), 1 at frequency 0.

    N is the exposure at the end of the frame.
    """
    k = np.asarray(frequency, np.float64)
    exposure = pre_exposure_e_per_A2 + dose_per_frame_e_per_A2 * np.arange(1, frames + 1)
    found = np.exp(-exposure[:, None] / (2 * critical_exposure(k, voltage_kv)[None, :]))
    found[:, k == 0] = 1
    return found


def normalised(weight: Array) -> Array:
    """Weights over √(Σ w² / frames): the weighted sum has the noise power and the mean of the plain sum."""
    return np.asarray(weight / np.sqrt((weight**2).mean(axis=0, keepdims=True)))


def few_terms(weight: Array) -> tuple[Array, Array]:
    """Weights as a sum of a few products b_r(frame) · a_r(k): (frames, r) and (r, bins); b_0 is 1 for all frames.

    The matrix of smooth exponentials has tiny rank, so a handful of sums in real space and one transform of each
    replace a transform of every frame; the first of them is the plain sum. The rank is the smallest whose worst error
    of a column, relative to its norm, is below TOLERANCE (or MAX_TERMS).
    """
    plain = np.ones((len(weight), 1))
    rest = weight - plain * weight.mean(axis=0)
    # the singular vectors by way of the small matrix over frames
    u = np.linalg.eigh(rest @ rest.T)[1][:, ::-1]
    norm = np.linalg.norm(weight, axis=0)
    for rank in range(min(MAX_TERMS, len(weight))):
        left = rest - u[:, :rank] @ (u[:, :rank].T @ rest)
        if (np.linalg.norm(left, axis=0) <= TOLERANCE * norm).all():
            break
    return np.hstack([plain, u[:, :rank]]), np.vstack([weight.mean(axis=0), u[:, :rank].T @ rest])


def combine(sums: Float32, tables: Array, pixel_size_angstrom: float, frequency_step: float) -> Float32:
    """Image from real-space sums (r, height, width), each filtered by its radial table (r, bins)."""
    height, width = sums.shape[1:]
    total = np.zeros((height, width // 2 + 1), np.complex64)
    steps = 1 / (height * pixel_size_angstrom), 1 / (width * pixel_size_angstrom)
    for part, table in zip(sums, tables, strict=True):
        transform = ducc0.fft.r2c(part, axes=(0, 1), nthreads=1)
        add_filtered(transform, table.astype(np.float32), *steps, frequency_step, total)
    image = ducc0.fft.c2r(total, axes=(0, 1), lastsize=width, forward=False, nthreads=1, inorm=2)
    return np.asarray(image, np.float32)


def radial_frequencies(pixel_size_angstrom: float) -> Array:
    """RADIAL_BINS frequencies from 0 to beyond the corner of the transform, Å⁻¹."""
    return np.linspace(0, 0.5 * np.sqrt(2) / pixel_size_angstrom * 1.01, RADIAL_BINS)
