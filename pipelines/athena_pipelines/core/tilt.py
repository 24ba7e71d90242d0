"""Tilt of a specimen from the defocus of tiles of its image.

The defocus grows by tan θ for every Å away from the tilt axis. Each tile says with what likelihood it has which
defocus; the plane that all of them together speak for is found, and from how they deviate, how certain it is.
Sources: the geometry is CTFTILT's (Mindell & Grigorieff 2003); the likelihood is ours, by the curves of ``ctf_rings``.
"""

import math
from dataclasses import dataclass

import ducc0
import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_fit import CtfFit, SearchRange, band_of, model_of
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.ctf_rings import Profile, fit_rings, fold, profile, splines
from athena_pipelines.core.spectrum import Spectrum

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]

COARSE_PIXEL_ANGSTROM = 2.5
"""Tiles are of an image whose pixels are summed until they are about as large."""
TILES = 4
"""Along the shorter side; tiles are squares."""
LEAST_TILE_PX = 96
DEFOCUS_STEP_ANGSTROM = 25.0
STEEPEST = math.tan(math.radians(65))
PLANES = 61
"""Slopes tried along x and along y, from -STEEPEST to STEEPEST."""
SHALLOWEST_SHARE = 0.4
"""No tile is looked at below this share of the mean defocus."""
BACKGROUND_TERMS = 8
REFINEMENTS = 4
LEAST_POWER = 0.05
"""Of its median, below which no modelled power is believed."""
LEAST_AMPLITUDE = 0.1
"""Height of the tiles' rings, in those of the whole image, from which their information is told at least."""
CHANCE = 1e-4
"""Probability of a plane as steep where there is no tilt, below which there is one."""


@dataclass(frozen=True)
class Tilt:
    """Plane of the defocus.

    Attributes
    ----------
    slope_x, slope_y : by how many Å the defocus grows for an Å to the right and up; NaN where it was not measured.
    error : standard error of each.
    chance : probability of so steep a plane where the specimen is level.
    mean_angstrom : defocus in the middle of the image.
    """

    slope_x: float = math.nan
    slope_y: float = math.nan
    error: float = math.nan
    chance: float = 1.0
    mean_angstrom: float = math.nan

    @property
    def significant(self) -> bool:
        """Whether the specimen is tilted beyond chance."""
        return self.chance < CHANCE

    @property
    def angle_deg(self) -> float:
        """Between specimen and image plane; NaN where it is chance."""
        return math.degrees(math.atan(self._steepness)) if self.significant else math.nan

    @property
    def angle_error_deg(self) -> float:
        """Standard error of the angle, also where there is no tilt; NaN where it was not measured."""
        return math.degrees(self.error / (1 + self._steepness**2))

    def steeper_than(self, angle_deg: float) -> bool:
        """Whether the angle is surely greater, by two standard errors."""
        return self.significant and self.angle_deg - 2 * self.angle_error_deg > angle_deg

    @property
    def axis_deg(self) -> float:
        """Azimuth of the tilt axis from +x, counter-clockwise with y up, 0 to 180; NaN where the tilt is chance."""
        return math.degrees(math.atan2(self.slope_x, -self.slope_y)) % 180.0 if self.significant else math.nan

    @property
    def axis_error_deg(self) -> float:
        """Standard error of the axis; NaN where the tilt is chance."""
        return math.degrees(self.error / self._steepness) if self.significant else math.nan

    @property
    def _steepness(self) -> float:
        return math.hypot(self.slope_x, self.slope_y)


UNKNOWN = Tilt()


def measure_tilt(
    image: npt.NDArray[np.floating],
    spectrum: Spectrum,
    fit: CtfFit,
    optics: Optics,
    *,
    search: SearchRange,
    pixel_size_angstrom: float,
) -> Tilt:
    """Plane of the defocus over an image (height, width), rows upwards, whose spectrum was fitted."""
    if not fit.determined:
        return UNKNOWN
    x = model_of(fit.defocus, optics)
    factor = max(1, int(COARSE_PIXEL_ANGSTROM / pixel_size_angstrom))
    coarse, pixel = _coarsen(image, factor), pixel_size_angstrom * factor
    edge = min(coarse.shape) // TILES // 2 * 2
    low, high = band_of(spectrum, search)
    band = (low, min(high, 0.45 / pixel))
    if edge < LEAST_TILE_PX or band[1] < 2 * band[0]:
        return UNKNOWN
    corners = [(i, j) for i in _spread(coarse.shape[0], edge) for j in _spread(coarse.shape[1], edge)]
    profiles = [
        fold(_power(coarse[i : i + edge, j : j + edge]), 1 / (edge * pixel), x, optics, band) for i, j in corners
    ]
    if len({p.frequency.size for p in profiles}) > 1:
        return UNKNOWN
    whole = profile(spectrum, x, optics, band)
    rings = fit_rings(whole, x, optics, free_phase=False)
    if rings is None:
        return UNKNOWN
    power = rings.noise + 0.5 * rings.specimen
    power = np.maximum(power, LEAST_POWER * np.median(power))
    model = np.interp(profiles[0].frequency, whole.frequency, power)
    height = np.interp(profiles[0].frequency, whole.frequency, 0.5 * rings.specimen)
    tiles = _Tiles(profiles, model, height, x, optics)
    centres = (np.array(corners) + 0.5 * edge - 0.5 * np.array(coarse.shape)) * pixel
    return tiles.plane(centres[:, ::-1])


class _Tiles:
    """What tiles say of their defocus.

    Parameters
    ----------
    profiles : of each, at the same frequencies.
    model : mean power, without rings, at the frequencies.
    height : of the rings, likewise.
    x : model of the whole image.
    """

    def __init__(self, profiles: list[Profile], model: Array, height: Array, x: Array, optics: Optics) -> None:
        self._k2 = profiles[0].frequency ** 2
        self._x, self._optics = x, optics
        self._weight = np.sqrt(profiles[0].counts) / model
        self._height = height * self._weight
        # what is smooth may differ from tile to tile and says nothing of the defocus
        smooth = splines(profiles[0].place, BACKGROUND_TERMS) * (model * self._weight)[:, None]
        self._smooth, _ = np.linalg.qr(smooth)
        measured = np.array([p.power for p in profiles])
        # one unit for all: that of the whole image is another
        measured *= float(model.sum() / measured.mean(axis=0).sum())
        self._measured = self._rough(measured * self._weight)

    def plane(self, places: Array) -> Tilt:
        """The plane that the tiles at places (n, 2), (x, y) from the middle in Å, speak for."""
        mean = float(self._x[0])
        grid = np.arange(SHALLOWEST_SHARE, 2 - SHALLOWEST_SHARE, DEFOCUS_STEP_ANGSTROM / mean) * mean
        rings = self._rings(grid)[0]
        overlap = np.maximum(self._measured @ rings.T, 0)
        likelihood = overlap**2 / np.maximum((rings**2).sum(axis=1), 1e-30) / 2
        at = self._search(grid, likelihood, places)
        at, information, left = self._refine(at, places)
        level = self._refine(np.array([mean, 0.0, 0.0]), places, free=slice(0, 1))[0]
        gain = self._likelihood(at, places) - self._likelihood(level, places)
        freedom = len(places) - 3
        excess = max(1.0, float(left / freedom))
        error = math.sqrt(excess * float(np.trace(np.linalg.inv(information)[1:, 1:])) / 2)
        chance = (1 + 2 * max(gain, 0.0) / excess / freedom) ** (-freedom / 2)
        return Tilt(float(at[1]), float(at[2]), error, chance, float(at[0]))

    def _search(self, grid: Array, likelihood: Array, places: Array) -> Array:
        """Mean defocus and slopes of the most likely plane, on a grid."""
        slopes = np.linspace(-STEEPEST, STEEPEST, PLANES)
        rise = slopes[:, None, None] * places[:, 0] + slopes[None, :, None] * places[:, 1]
        best, at = -math.inf, np.zeros(3)
        for middle in float(self._x[0]) + np.arange(-200.0, 201.0, 50.0):
            index = np.rint((middle + rise - grid[0]) / DEFOCUS_STEP_ANGSTROM).astype(np.int64)
            inside = ((index >= 0) & (index < grid.size)).all(axis=2)
            values = likelihood[np.arange(len(places)), np.clip(index, 0, grid.size - 1)].sum(axis=2)
            values[~inside] = -math.inf
            i, j = np.unravel_index(int(values.argmax()), values.shape)
            if values[i, j] > best:
                best, at = float(values[i, j]), np.array([middle, slopes[i], slopes[j]])
        return at

    def _refine(self, at: Array, places: Array, *, free: slice = slice(0, 3)) -> tuple[Array, Array, float]:
        """Plane nearby by scoring, its information (3, 3), and the tiles' squared deviations in all."""
        design = np.column_stack([np.ones(len(places)), places])[:, free]
        for _ in range(REFINEMENTS):
            score, weight = self._pulls(at, places)
            information = design.T @ (design * weight[:, None])
            at = at.copy()
            at[free] += np.linalg.solve(information, design.T @ score)
        return at, information, float((score**2 / weight).sum())

    def _pulls(self, at: Array, places: Array) -> tuple[Array, Array]:
        """Derivative of each tile's likelihood by its defocus, and its expected curvature."""
        rings, change = self._rings(at[0] + places @ at[1:])
        square = (rings**2).sum(axis=1)
        # rings are as high in all tiles as they are on average
        amplitude = max(float((self._measured * rings).sum() / square.sum()), LEAST_AMPLITUDE)
        left = self._measured - amplitude * rings
        return amplitude * (left * change).sum(axis=1), amplitude**2 * (change**2).sum(axis=1)

    def _likelihood(self, at: Array, places: Array) -> float:
        rings, _ = self._rings(at[0] + places @ at[1:])
        return float((self._measured * rings).sum() ** 2 / (rings**2).sum() / 2)

    def _rings(self, defoci: Array) -> tuple[Array, Array]:
        """Rings at defoci (n,), and how they change for an Å more, (n, frequencies), in standard errors."""
        lam, cs = self._optics.wavelength_angstrom, self._optics.spherical_aberration_angstrom
        rate = np.pi * lam * self._k2
        chi = rate * (defoci[:, None] - 0.5 * lam * lam * cs * self._k2) + self._x[3]
        return self._rough(-self._height * np.cos(2 * chi)), self._rough(2 * self._height * rate * np.sin(2 * chi))

    def _rough(self, rows: Array) -> Array:
        """Rows without their smooth part."""
        return np.asarray(rows - (rows @ self._smooth) @ self._smooth.T, np.float64)


def _coarsen(image: npt.NDArray[np.floating], factor: int) -> Image:
    """Sums over squares of ``factor`` pixels; what does not fill one is cut off."""
    height, width = (n // factor * factor for n in image.shape)
    rows = image[0:height:factor, :width].astype(np.float32)
    for i in range(1, factor):
        rows += image[i:height:factor, :width]
    out = rows[:, 0::factor].copy()
    for i in range(1, factor):
        out += rows[:, i::factor]
    return out


def _spread(length: int, edge: int) -> list[int]:
    """Where tiles begin that cover a length evenly."""
    return [int(start) for start in np.linspace(0, length - edge, max(1, math.ceil(length / edge - 0.1)))]


def _power(tile: Image) -> Image:
    """Power (n, n) of a tile, zero frequency in the middle; 0 on the axes, and on the left, which says the same."""
    edge = tile.shape[0]
    transform = ducc0.fft.r2c(tile - tile.mean(), axes=(0, 1), nthreads=1)
    half = np.fft.fftshift(transform.real**2 + transform.imag**2, axes=0)[:, : edge // 2]
    power = np.zeros((edge, edge), np.float32)
    power[:, edge // 2 :] = half
    centre = edge // 2
    power[centre - 1 : centre + 2] = 0
    power[:, centre : centre + 2] = 0
    return power
