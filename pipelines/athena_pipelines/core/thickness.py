"""Thickness of the ice from the node of the CTF, where the rings of a thick specimen vanish and come back inverted.

Slices of a specimen of thickness t have defoci spread over t, so that the rings −cos 2χ of its spectrum are multiplied
by sin u / u with u = πλtk²: 0 first at k² = 1 / (λt). Source: CTFFIND5 (Elferich et al. 2024), eq. 1 of its model.
A tilt spreads the defocus over the field, which looks the same in the spectrum of the whole: it must be known.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_fit import CtfFit, SearchRange, fit_ctf
from athena_pipelines.core.ctf_model import Optics, phase
from athena_pipelines.core.ice_ring import radius
from athena_pipelines.core.spectrum import SIZE, Spectrum
from athena_pipelines.core.tilt import Tilt

Array = npt.NDArray[np.float64]

THICKNESSES_ANGSTROM = np.arange(400.0, 4001.0, 10.0)
B_FACTORS = np.arange(0.0, 401.0, 20.0)
COARSEST_ANGSTROM = 15.0
"""Coarser rings follow the shape of the specimen more than an envelope."""
MIN_RING_PIXELS = 3.0
"""Rings closer than this have no measurable height."""
INVERTED_DEVIATIONS = 5.0
"""How far below 0 the rings beyond the node must be in all, in standard errors, for a thickness to be told."""
PIXEL_CORRELATION = 1.35
"""Standard errors of sums over neighbouring pixels of a spectrum, in those of independent ones; measured on noise."""
LATE_NODE_ANGSTROM = 8.0
THICK_SCORE = 0.1
"""Where a fit this good ends before LATE_NODE_ANGSTROM, another is tried that does not look beyond."""
SPREAD_SHARE = 0.35
"""Of the spread of defocus over the field, in thicknesses: beyond it the node may be a tilt's as much as the ice's."""


@dataclass(frozen=True)
class Thickness:
    """What the node says.

    Attributes
    ----------
    angstrom : thickness along the beam; NaN where there is no node.
    fit : of the rings up to the node, where there is one: those beyond pull a fit away. The one given elsewhere.
    search : range of that fit.
    """

    angstrom: float
    fit: CtfFit
    search: SearchRange

    def unless_tilted(self, tilt: Tilt, field_angstrom: tuple[float, float]) -> float:
        """Thickness, NaN where a tilt of the field (height, width) may have made the node, or is not known."""
        height, width = field_angstrom
        spread = math.hypot(tilt.slope_x * width, tilt.slope_y * height) + tilt.error * max(field_angstrom)
        return self.angstrom if spread < SPREAD_SHARE * self.angstrom else math.nan


def measure_thickness(spectrum: Spectrum, fit: CtfFit, optics: Optics, search: SearchRange) -> Thickness:
    """Thickness from the node in a spectrum that was fitted in the range of ``search``."""
    nothing = Thickness(math.nan, fit, search)
    found = node_thickness(spectrum, fit, optics) if fit.determined else math.nan
    if math.isnan(found) and fit.score > THICK_SCORE and fit.quality.resolution_angstrom > LATE_NODE_ANGSTROM:
        # a node far inside the fitted range: the rings beyond may have led the fit astray
        fit = fit_ctf(spectrum, optics, _up_to(search, LATE_NODE_ANGSTROM))
        found = node_thickness(spectrum, fit, optics) if fit.determined else math.nan
    if math.isnan(found):
        return nothing
    narrow = _up_to(search, math.sqrt(optics.wavelength_angstrom * found))
    fit = fit_ctf(spectrum, optics, narrow)
    found = node_thickness(spectrum, fit, optics) if fit.determined else math.nan
    # with a phase shift that nobody mentioned, far rings can look inverted too
    if math.isnan(found) or fit.phase_suspected:
        return nothing
    return Thickness(found, fit, narrow)


def _up_to(search: SearchRange, angstrom: float) -> SearchRange:
    """The same range, but not beyond a resolution: the rings there are inverted."""
    return replace(search, max_resolution_angstrom=max(search.max_resolution_angstrom, angstrom), beyond=False)


def node_thickness(spectrum: Spectrum, fit: CtfFit, optics: Optics) -> float:
    """Thickness that the heights of the rings speak for, Å; NaN unless they come back inverted beyond a node."""
    k, height, error = _ring_heights(spectrum, fit, optics)
    if k.size < 8:
        return math.nan
    lam = optics.wavelength_angstrom
    weight = 1 / error**2
    # an envelope falls, by a B factor; how far is not known
    fades = np.exp(-0.5 * B_FACTORS[:, None] * k**2)
    best, thickness = 0.0, math.nan
    for candidate in THICKNESSES_ANGSTROM:
        model = fades * np.sinc(lam * candidate * k**2)
        overlap = model @ (weight * height)
        # what is explained by the best amplitude, which is never negative
        explained = np.where(overlap > 0, overlap**2 / (model**2 @ weight), 0.0)
        if explained.max() > best:
            best, thickness = float(explained.max()), float(candidate)
    node = 1 / (lam * thickness) if math.isfinite(thickness) else math.inf
    beyond = (k**2 > node) & (k**2 < 2 * node)
    if np.count_nonzero(beyond) < 3:
        return math.nan
    # weighed as the model expects them there
    expected = np.sinc(lam * thickness * k[beyond] ** 2) * weight[beyond]
    inverted = (expected @ height[beyond]) / math.sqrt(float((expected**2 / weight[beyond]).sum()))
    return thickness if inverted > INVERTED_DEVIATIONS else math.nan


def _ring_heights(spectrum: Spectrum, fit: CtfFit, optics: Optics) -> tuple[Array, Array, Array]:
    """Frequency, height and its standard error of −cos 2χ in each ring one pixel wide that shows the CTF's rings."""
    centre = SIZE // 2
    half = np.s_[:, centre + 1 :]
    signal = spectrum.signal[half].astype(np.float64)
    kx, ky = np.arange(1, centre)[None] * spectrum.step, (np.arange(SIZE) - centre)[:, None] * spectrum.step
    defocus = fit.defocus.along(np.arctan2(ky, kx))
    chi = phase(np.hypot(kx, ky), defocus, optics, phase_shift_deg=fit.defocus.phase_shift_deg)
    model = -np.cos(2 * chi)
    ring = np.rint(radius(SIZE)[half]).astype(np.int64)
    used = (signal != 0) & (ring < centre - 1)
    ring, signal, model = ring[used], signal[used], model[used]
    square = np.bincount(ring, model**2, centre)
    frequency = np.arange(centre, dtype=np.float64) * spectrum.step
    mean_chi = phase(frequency, fit.defocus.mean_angstrom, optics)
    apart = np.pi / np.maximum(np.abs(np.gradient(mean_chi)), 1e-9)
    crowded = np.flatnonzero((apart < MIN_RING_PIXELS) & (frequency > 1 / COARSEST_ANGSTROM))
    last = int(crowded[0]) if crowded.size else centre - 1
    kept = (frequency > 1 / COARSEST_ANGSTROM) & (np.arange(centre) < last) & (square > 0)
    noise = float(signal[ring > centre // 2].std()) * PIXEL_CORRELATION
    height = np.bincount(ring, signal * model, centre)[kept] / square[kept]
    return frequency[kept], np.asarray(height, np.float64), np.asarray(noise / np.sqrt(square[kept]), np.float64)
