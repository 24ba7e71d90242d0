"""The most likely trajectory behind noisy shifts.

A stage drifts smoothly and shakes a little, and a specimen settles within the first frames; measured shifts have noise
of their own on top, which is known from the correlation. Each part is a Gaussian process (integrated random walk,
white, white). How strong drift and shaking are and how much faster motion changes at first is not known: what is
returned is the expected drift plus shaking, over all strengths tried, each by its evidence. Where shifts are measured
well nothing changes; where they are not, the path does not zigzag with the noise. A frame that is farther from where
all others say it is than noise explains says nothing of its place.
Source: Rasmussen & Williams 2006, eq. 2.25, 5.8 and, for a frame by all others, 5.12.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MIN_FRAMES = 7
DRIFTS = np.geomspace(1e-3, 1.0, 7)
"""Strengths of drift tried: change of velocity a frame, px, once the specimen has settled."""
SHAKES = (0.0, 0.1, 0.2, 0.4)
"""Strengths of shaking tried, px."""
SETTLINGS = (0.0, 20.0, 400.0)
"""Variances of the change of velocity at the start that are tried, over that of a settled specimen, and less 1."""
SETTLING_PART = 0.08
"""Part of a movie after which the former has fallen to 1/e."""
STRAY = 16.0
"""Square of the distance, over its variance an axis, beyond which a frame has gone astray: one in 3000 does by chance,
on either axis or between."""
MOST_STRAYS = 0.2
NOTHING_KNOWN_PX = 1e3


def most_likely(shifts: Array, noise: Array, scale: float) -> tuple[Array, int]:
    """Expected true shifts (frames, 2) of measured ones, the first made zero, and how many frames had gone astray.

    Parameters
    ----------
    noise : standard deviation of each measured shift, (frames,), same unit as the shifts; infinite for a frame that
        shows nothing.
    scale : unbinned px of one unit of the shifts.
    """
    count = len(shifts)
    known = np.isfinite(noise)
    strays = 0
    if count < MIN_FRAMES or known.sum() < MIN_FRAMES:
        return np.asarray(shifts - shifts[0]), strays
    measured = (shifts - shifts[known].mean(axis=0)) * scale
    drifts = _drifts(count)
    while True:
        # a frame that shows nothing says nothing of its place
        found = _expected(measured, np.where(known, noise * scale, NOTHING_KNOWN_PX), drifts)
        astray = np.where(known, found.astray, 0.0)
        worst = int(astray.argmax())
        if astray[worst] <= STRAY or strays >= MOST_STRAYS * count or known.sum() <= MIN_FRAMES:
            return np.asarray((found.places - found.places[0]) / scale), strays
        known[worst] = False
        strays += 1


@dataclass(frozen=True)
class _Expected:
    """Places (frames, 2), px; and how far each measured one is from where the others say, squared, over the variance
    of an axis, (frames,)."""

    places: Array
    astray: Array


def _expected(measured: Array, noise: Array, drifts: list[Array]) -> _Expected:
    """Expected places under all priors, and what the most probable of these says of single frames."""
    count = len(measured)
    error = np.diag(noise**2 + 1e-9)
    time = np.linspace(-1, 1, count)[:, None]
    # place and velocity at the start are free
    free = 1e4 * (1 + time @ time.T)
    best, likeliest, evidences, places = -np.inf, error, [], []
    for drift, strength, shake in product(drifts, DRIFTS, SHAKES):
        signal = free + strength**2 * drift + shake**2 * np.eye(count)
        factor = np.linalg.cholesky(signal + error)
        whitened = np.linalg.solve(factor, measured)
        evidence = -0.5 * float((whitened**2).sum()) - 2 * float(np.log(np.diag(factor)).sum())
        evidences.append(evidence)
        places.append(signal @ np.linalg.solve(factor.T, whitened))
        if evidence > best:
            best, likeliest = evidence, signal
    share = np.exp(np.array(evidences) - best)
    inverse = np.linalg.inv(likeliest + error)
    astray = ((inverse @ measured) ** 2).sum(axis=1) / np.diag(inverse)
    return _Expected(np.tensordot(share / share.sum(), np.array(places), axes=1), astray)


def _drifts(count: int) -> list[Array]:
    """Covariances (count, count) of positions whose velocity is a random walk of unit steps, and larger ones early."""
    velocity_to_place = np.tril(np.ones((count, count)))
    path = velocity_to_place @ velocity_to_place
    early = np.exp(-np.arange(count) / max(SETTLING_PART * count, 1.0))
    return [(path * (1 + settling * early)) @ path.T for settling in SETTLINGS]
