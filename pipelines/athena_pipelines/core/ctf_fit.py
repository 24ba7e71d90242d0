"""Fit of defocus, astigmatism and phase shift to a spectrum.

Coarse search on the rotational average, then refinement in two dimensions, at last by all rings that follow the model.
The fit correlates the background-free spectrum with −cos 2χ, which is what sin²χ looks like in weak signal and has a
smooth gradient; the score reported is CTFFIND's, the correlation with |sin χ| in the range of the search.
Sources: Rohou & Grigorieff 2015 (search and restraint); the conventions are in ``ctf_model``.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_kernels import correlate_with_gradient, score
from athena_pipelines.core.ctf_model import Defocus, Optics, phase
from athena_pipelines.core.ctf_quality import Quality, assess
from athena_pipelines.core.ctf_rings import fit_rings, profile
from athena_pipelines.core.quasi_newton import minimise
from athena_pipelines.core.spectrum import SIZE, Spectrum, radial_average, ring_counts

Array = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]

DEFOCUS_STEP_ANGSTROM = 50.0
PHASE_STEP_RAD = 0.25
ASTIGMATISM_TOLERANCE_ANGSTROM = 500.0
CANDIDATES = 3
REFINED = 8
SIGNIFICANCE = 8.0
SIGNIFICANCE_WITH_PHASE = 10.0
"""Correlation, in standard errors of noise, below which a fit is chance: the search tries some thousand models."""
OBLIQUE_SHARE = 0.5
"""Part of that which directions nearer to the diagonals than to the axes must give: what a camera's rows, columns and
blocks leave lies along the axes."""
FULL_TURN_RAD = 0.02
"""A phase shift so near to 180° is at the end of its range."""
LARGEST_ASTIGMATISM = 0.8
"""U − V in units of the mean defocus beyond which a fit has followed something else."""
SUSPECT_RISE = 1.08
SUSPECT_DEVIATIONS = 7.0
SUSPECT_PHASE_DEG = 15.0
"""A phase shift that was not asked for is suspected where it makes the correlation by this factor greater, beyond
chance; a wrong amplitude contrast or Cs does not."""
REFUTED_RISE = 1.4
"""Where the correlation grows so much, the fit without a phase shift has followed the wrong rings."""


@dataclass(frozen=True)
class SearchRange:
    """What a fit looks at: resolutions in Å (the low one first), defocus in Å, and whether phase is free.

    Attributes
    ----------
    beyond : whether what was found is refined by finer rings too, as far as they follow the model. They tell defocus
        and astigmatism best, but a search among them would follow chance.
    """

    min_resolution_angstrom: float = 30.0
    max_resolution_angstrom: float = 5.0
    min_defocus_angstrom: float = 3000.0
    max_defocus_angstrom: float = 50000.0
    phase_shift: bool = False
    beyond: bool = True


@dataclass(frozen=True)
class CtfFit:
    """Result of a fit.

    Attributes
    ----------
    defocus : found values.
    score : correlation of spectrum and |CTF| in the fitted range.
    significance : the score in standard errors of pure noise.
    determined : whether there was anything to fit; where False, the values above are chance and not to be shown.
    quality : equiphase average and how far it follows the model.
    phase_suspected : a phase shift was not asked for, and the rings are much better explained with one.
    """

    defocus: Defocus
    score: float
    significance: float
    determined: bool
    quality: Quality
    phase_suspected: bool = False


@dataclass(frozen=True)
class _Pixels:
    """Pixels of one half plane inside the fitted range, flat."""

    signal: Float32
    k2: Float32
    cos2: Float32
    sin2: Float32

    @property
    def arrays(self) -> tuple[Float32, Float32, Float32, Float32]:
        """As the kernels take them."""
        return self.signal, self.k2, self.cos2, self.sin2

    def oblique(self) -> "_Pixels":
        """Those nearer to the diagonals than to the axes."""
        here = np.abs(self.sin2) > np.abs(self.cos2)
        signal = self.signal[here]
        return _Pixels(signal - signal.mean(), self.k2[here], self.cos2[here], self.sin2[here])


def fit_ctf(spectrum: Spectrum, optics: Optics, search: SearchRange) -> CtfFit:
    """Fit a spectrum. Always returns a fit; ``determined`` says whether it means anything."""
    pixels = _select(spectrum, search)
    lam, cs = optics.wavelength_angstrom, optics.spherical_aberration_angstrom
    best_value, best = -np.inf, np.zeros(4)
    starts = _starts(spectrum, optics, search)
    if not pixels.signal.size:  # a blank image: its spectrum is nothing but the background taken off
        return CtfFit(_defocus(starts[0], optics), 0.0, 0.0, False, assess(spectrum, starts[0], optics))
    promise = [correlate_with_gradient(*pixels.arrays, lam, cs, start)[0] for start in starts]
    for start in (starts[i] for i in np.argsort(promise)[: -REFINED - 1 : -1]):
        value, x = _refine(pixels, start, optics=optics, search=search)
        if value > best_value:
            best_value, best = value, x
    rise = 0.0 if search.phase_shift else _rise_with_phase(spectrum, pixels, (best_value, best), optics, search)
    if search.beyond:
        best = _by_finer_rings(spectrum, best, optics, search)
    if search.phase_shift:
        best = _settle(spectrum, best, optics, search)
    found = score(*pixels.arrays, lam, cs, best)
    # on a half plane all pixels are independent, unless the image is smaller than the spectrum asks for
    significance = found * np.sqrt(pixels.signal.size * spectrum.independent)
    quality = assess(spectrum, best, optics)
    defocus = _defocus(best, optics)
    least = SIGNIFICANCE_WITH_PHASE if search.phase_shift else SIGNIFICANCE
    oblique = pixels.oblique()
    clear = score(*oblique.arrays, lam, cs, best) * np.sqrt(oblique.signal.size * spectrum.independent)
    shows = significance > least and clear > OBLIQUE_SHARE * least
    determined = shows and _sensible(defocus, quality, search) and rise < REFUTED_RISE
    return CtfFit(defocus, float(found), float(significance), bool(determined), quality, rise > SUSPECT_RISE)


def fit_on_slope(
    spectrum: Spectrum,
    fit: CtfFit,
    optics: Optics,
    *,
    search: SearchRange,
    mean_angstrom: float,
    spread_angstrom: tuple[float, float],
) -> CtfFit:
    """A fit made right for a specimen on a slope.

    Its defocus is ``mean_angstrom`` in the middle of the image and changes by ``spread_angstrom`` (x, y) from one side
    to the other. The rings of the whole image are those of the middle times sinc(λk²·spread) along each axis: beyond a
    node they are inverted, and without that the fit follows them to a defocus and an astigmatism that are not there.
    """
    pixels = _select(spectrum, search)
    rate = optics.wavelength_angstrom * pixels.k2
    damped = pixels.signal * np.sinc(rate * spread_angstrom[0]) * np.sinc(rate * spread_angstrom[1])
    expected = replace(pixels, signal=np.asarray(damped - damped.mean(), np.float32))
    start = model_of(fit.defocus, optics)
    start[0] = mean_angstrom
    found = [
        _refine(expected, x, optics=optics, search=replace(search, phase_shift=False))
        for x in (start, start * np.array([1.0, 0.0, 0.0, 1.0]))
    ]
    x = max(found, key=lambda pair: pair[0])[1]
    x[0] = mean_angstrom
    value = score(*pixels.arrays, optics.wavelength_angstrom, optics.spherical_aberration_angstrom, x)
    return replace(fit, defocus=_defocus(x, optics), score=float(value), quality=assess(spectrum, x, optics))


def _by_finer_rings(spectrum: Spectrum, x: Array, optics: Optics, search: SearchRange) -> Array:
    """Refined in a range that ends where the rings cease to follow the model; as given if the search's ends later."""
    reached = assess(spectrum, x, optics).resolution_angstrom
    if not reached < search.max_resolution_angstrom:  # NaN where none follow
        return x
    farther = replace(search, max_resolution_angstrom=reached)
    return _refine(_select(spectrum, farther), x, optics=optics, search=farther)[1]


def _settle(spectrum: Spectrum, x: Array, optics: Optics, search: SearchRange) -> Array:
    """Phase and mean defocus by the course of the rings, which leans less; what was given where that says nothing.

    A phase shift of 180° makes the same rings as none, and none is what is told.
    """
    rings = fit_rings(profile(spectrum, x, optics, band_of(spectrum, search)), x, optics, free_phase=True)
    if rings is None or not search.min_defocus_angstrom <= rings.mean_angstrom <= search.max_defocus_angstrom:
        full = x[3] > optics.amplitude_phase + np.pi - FULL_TURN_RAD
        return np.array([*x[:3], optics.amplitude_phase]) if full else x
    return np.array([rings.mean_angstrom, *x[1:3], rings.phase_rad])


def _rise_with_phase(
    spectrum: Spectrum, pixels: _Pixels, found: tuple[float, Array], optics: Optics, search: SearchRange
) -> float:
    """By what factor a free phase shift makes the correlation greater; 0 where that is chance or the shift is small."""
    value, x = found
    free = replace(search, phase_shift=True)
    start = _starts(spectrum, optics, free)[0]
    start[1:3] = x[1:3]
    with_phase, there = _refine(pixels, start, optics=optics, search=free)
    shift = float(np.rad2deg(there[3] - optics.amplitude_phase))
    error = 1 / np.sqrt(pixels.signal.size * spectrum.independent)
    better = np.sqrt(max(with_phase**2 - max(value, 0.0) ** 2, 0.0))
    certain = with_phase > SIGNIFICANCE_WITH_PHASE * error and better > SUSPECT_DEVIATIONS * error
    if not certain or not SUSPECT_PHASE_DEG < shift < 180 - SUSPECT_PHASE_DEG:
        return 0.0
    return float(with_phase / max(value, error))


def _sensible(defocus: Defocus, quality: Quality, search: SearchRange) -> bool:
    """Whether rings follow the model, and the best one is not just the end of the search or absurdly astigmatic."""
    margin = 0.01 * search.min_defocus_angstrom
    inside = search.min_defocus_angstrom + margin < defocus.mean_angstrom < search.max_defocus_angstrom - margin
    regular = defocus.u_angstrom - defocus.v_angstrom < LARGEST_ASTIGMATISM * defocus.mean_angstrom
    return inside and regular and np.isfinite(quality.resolution_half_angstrom)


def _select(spectrum: Spectrum, search: SearchRange) -> _Pixels:
    centre = SIZE // 2
    ky = (np.arange(SIZE) - centre)[:, None] * spectrum.step
    kx = np.arange(1, centre)[None, :] * spectrum.step
    k2 = kx * kx + ky * ky
    low, high = band_of(spectrum, search)
    inside = (k2 >= low * low) & (k2 <= high * high)
    inside &= spectrum.signal[:, centre + 1 :] != 0
    signal = spectrum.signal[:, centre + 1 :][inside].astype(np.float64)
    signal -= signal.mean() if signal.size else 0.0
    kept = k2[inside]
    cos2 = ((kx * kx - ky * ky) / k2)[inside]
    sin2 = (2 * kx * ky / k2)[inside]
    return _Pixels(*(np.ascontiguousarray(a, np.float32) for a in (signal, kept, cos2, sin2)))


def band_of(spectrum: Spectrum, search: SearchRange) -> tuple[float, float]:
    """Fitted frequencies, Å⁻¹; where pixels are too large for the wanted resolution, up to 0.95 Nyquist."""
    high = min(1 / search.max_resolution_angstrom, 0.95 * spectrum.nyquist)
    return min(1 / search.min_resolution_angstrom, high / 2), high


def _starts(spectrum: Spectrum, optics: Optics, search: SearchRange) -> list[Array]:
    """Starting points: the best maxima of the radial search, without and with astigmatism in four directions."""
    low, high = band_of(spectrum, search)
    frequency = np.arange(SIZE // 2) * spectrum.step
    inside = (frequency >= low) & (frequency <= high)
    defoci = np.arange(search.min_defocus_angstrom, search.max_defocus_angstrom + 1, DEFOCUS_STEP_ANGSTROM)
    extra = np.arange(0, np.pi, PHASE_STEP_RAD) if search.phase_shift else np.zeros(1)
    phases = optics.amplitude_phase + extra
    profile = radial_average(spectrum.signal)
    weight = ring_counts()[inside] / ring_counts()[inside].sum()
    measured = profile[inside] - weight @ profile[inside]
    found = np.empty((defoci.size, phases.size))
    for column, constant in enumerate(phases):
        chi = phase(frequency[inside], defoci[:, None], optics) + (constant - optics.amplitude_phase)
        model = -np.cos(2 * chi)
        model -= (model @ weight)[:, None]
        found[:, column] = model @ (weight * measured) / np.sqrt((model**2) @ weight)
    along = found.max(axis=1)
    padded = np.concatenate([[-np.inf], along, [-np.inf]])
    peaks = np.flatnonzero((along >= padded[:-2]) & (along >= padded[2:]))
    peaks = peaks[np.argsort(-along[peaks])][:CANDIDATES]
    starts = []
    for peak in peaks:
        constant = phases[found[peak].argmax()]
        for c, s in ((0, 0), (300, 0), (0, 300), (-300, 0), (0, -300), (1000, 0), (0, 1000), (-1000, 0), (0, -1000)):
            starts.append(np.array([defoci[peak], c, s, constant]))
    return starts


def _refine(pixels: _Pixels, start: Array, *, optics: Optics, search: SearchRange) -> tuple[float, Array]:
    """Best penalised correlation near a start, and where: BFGS in units of about one ring."""
    scale = np.array([1000.0, 300.0, 300.0, 1.0])
    free = slice(0, 4 if search.phase_shift else 3)
    count = pixels.signal.size
    lam, cs = optics.wavelength_angstrom, optics.spherical_aberration_angstrom
    lowest = np.array([search.min_defocus_angstrom, -np.inf, -np.inf, optics.amplitude_phase])
    highest = np.array([search.max_defocus_angstrom, np.inf, np.inf, optics.amplitude_phase + np.pi])

    def negative(reduced: Array) -> tuple[float, Array]:
        x = start.copy()
        x[free] = reduced * scale[free]
        value, gradient = correlate_with_gradient(*pixels.arrays, lam, cs, x)
        # CTFFIND's restraint: (U − V)² / (2 tol² N), with U − V = 2 |(c, s)|
        restraint = 2 / (ASTIGMATISM_TOLERANCE_ANGSTROM**2 * count)
        value -= restraint * (x[1] ** 2 + x[2] ** 2)
        gradient[1:3] -= 2 * restraint * x[1:3]
        outside = np.clip(x, lowest, highest) - x
        value -= float((outside / scale) @ (outside / scale))
        gradient += 2 * outside / scale**2
        return -value, -(gradient[free] * scale[free])

    value, reduced = minimise(negative, start[free] / scale[free])
    x = start.copy()
    x[free] = reduced * scale[free]
    return -value, np.clip(x, lowest, highest)


def model_of(defocus: Defocus, optics: Optics) -> Array:
    """Values as the kernels take them: (mean defocus, A cos 2α / 2, A sin 2α / 2, constant phase), Å and rad."""
    half, turn = 0.5 * (defocus.u_angstrom - defocus.v_angstrom), 2 * np.deg2rad(defocus.angle_deg)
    constant = optics.amplitude_phase + np.deg2rad(defocus.phase_shift_deg)
    return np.array([defocus.mean_angstrom, half * np.cos(turn), half * np.sin(turn), constant])


def _defocus(x: Array, optics: Optics) -> Defocus:
    half = float(np.hypot(x[1], x[2]))
    angle = float(np.rad2deg(0.5 * np.arctan2(x[2], x[1]))) % 180.0
    shift = float(np.rad2deg(x[3] - optics.amplitude_phase))
    return Defocus(float(x[0]) + half, float(x[0]) - half, angle, shift)
