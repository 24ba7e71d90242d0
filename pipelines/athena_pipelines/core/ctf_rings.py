"""Rings in one dimension: power = noise(k) + specimen(k) · sin²χ, all three fitted at once.

What is taken off a spectrum before a fit follows the first rings a little, and where the specimen is strongest at low
resolution it makes them lean: with a free phase, that is 5–10° at low defocus. Here nothing is taken off. Both curves
are smooth; the noise bends little, the specimen's power more, and where the CTF is zero there is noise alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_kernels import equiphase_average
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.spectrum import Spectrum

Array = npt.NDArray[np.float64]

PER_PIXEL = 2
"""Bins to a pixel of the spectrum."""
NOISE_TERMS = 3
"""Chebyshev polynomials of log k."""
SPECIMEN_TERMS = 6
"""Cubic B-splines over log k, times the course of the spectrum."""
COURSE_DEGREE = 4
STEPS = 20
LEAST_LEVEL = 0.2
"""Of the course: no bin is trusted as if its power were less."""
DEFOCUS_UNIT = 1000.0
"""Å in which a step of the fit is taken, so that it and the phase's are alike."""
NEAR_NONE_RAD = 0.35
NEAR_NONE_DEVIATIONS = 3.0
"""A phase shift so near to 180° is told as none, which makes the same rings, unless it is better by so many errors."""
FARTHEST_RAD = 0.6
"""A phase that runs farther from its start has followed something else."""


@dataclass(frozen=True)
class Profile:
    """Mean power of a spectrum where the phase is the same, by the frequency at which the mean defocus has that phase.

    Attributes
    ----------
    frequency : (n,), Å⁻¹.
    power : (n,), of arbitrary unit.
    counts : (n,) pixels behind each.
    """

    frequency: Array
    power: Array
    counts: Array

    @property
    def place(self) -> Array:
        """log k, brought to 0 to 1."""
        log = np.log(self.frequency)
        return np.asarray((log - log[0]) / (log[-1] - log[0]), np.float64)


def profile(spectrum: Spectrum, x: Array, optics: Optics, band: tuple[float, float]) -> Profile:
    """Profile of a spectrum in a band (Å⁻¹); ``x`` is (mean defocus, A cos 2α / 2, A sin 2α / 2, phase), Å and rad."""
    power = np.where(spectrum.signal != 0, spectrum.amplitude.astype(np.float64) ** 2, 0.0)
    power /= power.mean()
    return fold(power.astype(np.float32), spectrum.step, x, optics, band)


def fold(power: npt.NDArray[np.float32], step: float, x: Array, optics: Optics, band: tuple[float, float]) -> Profile:
    """Profile of the power (n, n) of an image, zero frequency at [n // 2, n // 2], 0 where it is not to be used."""
    bins = power.shape[0] // 2 * PER_PIXEL
    lam, cs = optics.wavelength_angstrom, optics.spherical_aberration_angstrom
    sums, counts = equiphase_average(power, step, lam, cs, np.ascontiguousarray(x), bins, PER_PIXEL)
    frequency = np.arange(bins) * (step / PER_PIXEL)
    used = (counts > 1) & (frequency >= band[0]) & (frequency <= band[1])
    return Profile(frequency[used], sums[used] / counts[used], counts[used])


@dataclass(frozen=True)
class Rings:
    """A fit of a profile: mean defocus (Å) and phase (rad), and the curves at its frequencies."""

    mean_angstrom: float
    phase_rad: float
    noise: Array
    specimen: Array


def fit_rings(seen: Profile, x: Array, optics: Optics, *, free_phase: bool) -> Rings | None:
    """Noise and specimen of a profile, and with ``free_phase`` mean defocus and phase beside them, from those in ``x``.

    Least squares, in which the curves are linear and solved at every step (Golub & Pereyra 1973, variable projection);
    steps by Levenberg and Marquardt. The phase shift stays within 0 to 180°, and is 0 where it is as likely 180. None
    where there are too few frequencies, or nothing like rings near ``x``.
    """
    if seen.frequency.size < 4 * (NOISE_TERMS + SPECIMEN_TERMS):
        return None
    problem = _Problem(seen, optics)
    at = np.array([x[0], x[3]])
    for _ in range(2):
        if free_phase:
            at = problem.descend(at, np.array([True, True]))
            allowed = np.clip(at[1], optics.amplitude_phase, optics.amplitude_phase + np.pi)
            if allowed != at[1]:
                at = problem.descend(np.array([at[0], allowed]), np.array([True, False]))
        problem.weigh_by_model(at)
    noise, specimen = problem.curves(at)
    if abs(at[1] - x[3]) > FARTHEST_RAD or not specimen @ seen.counts > 0:
        return None
    if free_phase and at[1] > optics.amplitude_phase + np.pi - NEAR_NONE_RAD:
        at = problem.prefer(np.array([at[0], optics.amplitude_phase]), at)
        noise, specimen = problem.curves(at)
    return Rings(float(at[0]), float(at[1]), noise, specimen)


class _Problem:
    """Least squares of a profile; a point is (mean defocus in Å, phase in rad)."""

    def __init__(self, seen: Profile, optics: Optics) -> None:
        place = seen.place
        self._seen, self._optics = seen, optics
        self._course = _course(seen)
        self._noises = np.polynomial.chebyshev.chebvander(2 * place - 1, NOISE_TERMS - 1)
        self._specimens = splines(place, SPECIMEN_TERMS) * self._course[:, None]
        self._rate = np.pi * optics.wavelength_angstrom * seen.frequency**2
        # power deviates by its mean over the root of the pixels behind it
        self._weight = np.sqrt(seen.counts) / self._course

    def curves(self, at: Array) -> tuple[Array, Array]:
        """Noise and specimen that fit best at a point."""
        coefficients = self._solve(at)[2]
        return self._noises @ coefficients[:NOISE_TERMS], self._specimens @ coefficients[NOISE_TERMS:]

    def weigh_by_model(self, at: Array) -> None:
        """Weigh by the power that is modelled at a point, in place of the course."""
        left = self._solve(at)[3] / self._weight
        self._weight = np.sqrt(self._seen.counts) / np.maximum(self._seen.power - left, LEAST_LEVEL * self._course)

    def prefer(self, near: Array, at: Array) -> Array:
        """The best point with the phase of ``near``, unless ``at`` is better by more than chance."""
        near = self.descend(near, np.array([True, False]))
        squares = [float((left**2).sum()) for left in (self._solve(near)[3], self._solve(at)[3])]
        freedom = self._seen.frequency.size - NOISE_TERMS - SPECIMEN_TERMS - 2
        better = freedom * (squares[0] / squares[1] - 1)
        return at if better > NEAR_NONE_DEVIATIONS**2 else near

    def descend(self, at: Array, free: npt.NDArray[np.bool_]) -> Array:
        """Least squares near a point, along the coordinates that are free."""
        units = np.array([DEFOCUS_UNIT, 1.0])[free]
        chi, basis, coefficients, left = self._solve(at)
        damping = 1e-3
        for _ in range(STEPS):
            specimen = self._specimens @ coefficients[NOISE_TERMS:]
            along_phase = specimen * np.sin(2 * chi) * self._weight
            slopes = np.stack([along_phase * self._rate, along_phase], axis=1)[:, free] * units
            slopes -= basis @ (basis.T @ slopes)
            squares, pull = slopes.T @ slopes, slopes.T @ left
            before = float(left @ left)
            while True:
                damped = squares + damping * np.diag(np.diag(squares)) + 1e-12 * np.eye(units.size)
                moved = at.copy()
                moved[free] += np.linalg.solve(damped, pull) * units
                chi, basis, coefficients, left = self._solve(moved)
                gain = before - float(left @ left)
                if gain > 0:
                    break
                damping *= 10
                if damping > 1e4:
                    return at
            at = moved
            damping = max(damping / 10, 1e-6)
            if gain < 1e-6 * before:
                break
        return at

    def _solve(self, at: Array) -> tuple[Array, Array, Array, Array]:
        """χ at a point, a basis of what the curves can be, their coefficients, and what they leave (weighted)."""
        lam, cs = self._optics.wavelength_angstrom, self._optics.spherical_aberration_angstrom
        chi = self._rate * (at[0] - 0.5 * lam * lam * cs * self._seen.frequency**2) + at[1]
        terms = np.hstack([self._noises, self._specimens * (np.sin(chi) ** 2)[:, None]]) * self._weight[:, None]
        basis, upper = np.linalg.qr(terms)
        measured = self._seen.power * self._weight
        part = basis.T @ measured
        coefficients = np.linalg.lstsq(upper, part, rcond=1e-9)[0]
        return chi, basis, coefficients, measured - basis @ part


def _course(seen: Profile) -> Array:
    """Smooth course of a profile: a polynomial of its logarithm."""
    curve = np.polynomial.Polynomial.fit(
        seen.place, np.log(np.maximum(seen.power, 1e-12 * seen.power.max())), COURSE_DEGREE, w=seen.counts**0.25
    )
    return np.asarray(np.exp(curve(seen.place)), np.float64)


def splines(place: Array, count: int) -> Array:
    """Cubic B-splines with even knots from 0 to 1, (n, count). Source: de Boor 1978, the recursion."""
    pieces = count - 3
    knots = np.arange(-3, pieces + 4) / pieces
    x = np.clip(place, 0, 1 - 1e-12)[:, None]
    out = ((x >= knots[:-1]) & (x < knots[1:])).astype(np.float64)
    for degree in range(1, 4):
        rising = (x - knots[: -degree - 1]) / (knots[degree:-1] - knots[: -degree - 1])
        falling = (knots[degree + 1 :] - x) / (knots[degree + 1 :] - knots[1:-degree])
        out = rising * out[:, :-1] + falling * out[:, 1:]
    return out
