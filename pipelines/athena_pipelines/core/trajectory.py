"""The most likely trajectory behind noisy shifts.

A stage drifts smoothly and shakes a little; measured shifts have noise of their own on top, which is known from the
correlation. Each part is a Gaussian process (integrated random walk, white, white); how strong drift and shaking are
is chosen by the likelihood of the data, and what is returned is the expected drift plus shaking. Where shifts are
measured well nothing changes; where they are not, the path does not zigzag with the noise.
Source: Rasmussen & Williams 2006, eq. 2.25 and 5.8.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MIN_FRAMES = 7
DRIFTS = np.geomspace(1e-3, 3.0, 11)
"""Strengths of drift tried: change of velocity a frame, px."""
SHAKES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Strengths of shaking tried, px."""
NOTHING_KNOWN_PX = 1e3


def most_likely(shifts: Array, noise: Array, scale: float) -> Array:
    """Expected true shifts (frames, 2) of measured ones, the first made zero.

    Parameters
    ----------
    noise : standard deviation of each measured shift, (frames,), same unit as the shifts; infinite for a frame that
        shows nothing.
    scale : unbinned px of one unit of the shifts.
    """
    count = len(shifts)
    known = np.isfinite(noise)
    if count < MIN_FRAMES or known.sum() < MIN_FRAMES:
        return np.asarray(shifts - shifts[0])
    measured = (shifts - shifts[known].mean(axis=0)) * scale
    # a frame that shows nothing says nothing of its place
    error = np.diag(np.where(known, noise * scale, NOTHING_KNOWN_PX) ** 2)
    drift = _integrated_walk(count)
    # place and velocity at the start are free
    time = np.linspace(-1, 1, count)[:, None]
    free = 1e4 * (1 + time @ time.T)
    best, expected = -np.inf, measured
    for strength in DRIFTS:
        for shake in SHAKES:
            signal = free + strength**2 * drift + shake**2 * np.eye(count)
            factor = np.linalg.cholesky(signal + error + 1e-9 * np.eye(count))
            whitened = np.linalg.solve(factor, measured)
            likelihood = -0.5 * float((whitened**2).sum()) - 2 * float(np.log(np.diag(factor)).sum())
            if likelihood > best:
                best = likelihood
                expected = signal @ np.linalg.solve(factor.T, whitened)
    return np.asarray((expected - expected[0]) / scale)


def _integrated_walk(count: int) -> Array:
    """Covariance of positions whose velocity is a random walk of unit steps."""
    velocity_to_place = np.tril(np.ones((count, count)))
    path = velocity_to_place @ velocity_to_place
    # early motion changes fastest, and fades as the specimen settles
    strength = 1 + 4 * np.exp(-np.arange(count) / max(0.08 * count, 1.0))
    return np.asarray(path @ np.diag(strength) @ path.T)
