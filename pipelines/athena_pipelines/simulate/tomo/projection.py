"""Images of a slab from the side: every molecule and every bit of ice at the defocus of its own height."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.optics import Ctf, critical_exposure, wavelength_angstrom
from athena_pipelines.simulate.sensor import Sensor
from athena_pipelines.simulate.specimen import (
    backward,
    forward,
    frequencies,
    ice_strength,
    ice_transfer,
    molecule_transfer,
    phase_of_strength,
)
from athena_pipelines.simulate.structure import Molecule
from athena_pipelines.simulate.tomo.geometry import View
from athena_pipelines.simulate.tomo.sample import Sample

GOLD_MEAN_FREE_PATH = 300.0
"""Gold after which 1/e of the electrons are left, Å: elastic scattering beyond the aperture at 300 kV, rounded."""
FINEST_ANGSTROM = 4.0
"""Detail for which sheets lie close enough to one another (finer where pixels are larger than half of it)."""
_PHASE_STEP = 0.8
"""Phase by which the transfer of two sheets differs at that detail, rad."""
_MOST_SHEETS = 64


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What the microscope and the camera make of the specimen's phase.

    Attributes
    ----------
    ctf : of the specimen's middle.
    hand : the defocus at a height w is that of ``ctf`` + hand · w.
    prior_dose : what the molecules have seen before, e/Å²; None for an undamaged specimen.
    b_factor : envelope exp(−B k² / 4), Å².
    """

    ctf: Ctf
    hand: int = -1
    prior_dose: float | None = None
    b_factor: float = 0.0
    sensor: Sensor | None = None


def image_spectra(
    rng: np.random.Generator,
    molecule: Molecule,
    sample: Sample,
    view: View,
    transfer: Transfer,
    canvas: Canvas,
    *,
    ice: bool = True,
) -> tuple[NDArray[np.complex64] | None, NDArray[np.complex64]]:
    """Transforms of what does not fade (None: 1 everywhere) and of the contrast that does, as ``MovingImage`` has them.

    The slab is cut into sheets across the beam; each has the transfer of its own height. A molecule is shared out
    between the two sheets around its middle, so that it is of no thickness itself. The ice is drawn anew for each
    image: between two exposures of some e/Å² its waters have moved.

    Parameters
    ----------
    ice : whether the ice is there to be seen, and not only as what the molecules displace.
    """
    pixel, voltage = canvas.pixel_size_angstrom, transfer.ctf.voltage_kv
    fx, fy = frequencies(canvas.shape, pixel)
    seen = view.project(sample.molecules)
    where = np.column_stack([seen[:, 0] / pixel, seen[:, 1] / pixel])
    where += canvas.margin + (np.array(canvas.inner[::-1]) - 1) / 2
    heights = _Heights(sample, view, canvas, seen[:, 2], wavelength_angstrom(voltage))
    turns = (view.matrix @ sample.turns.as_matrix()).astype(np.float32)
    shown = _touches(where, molecule.diameter_angstrom / 2 / pixel + 2, canvas.shape)
    noise, sheet_of_noise = heights.ice(rng, sample, pixel) if ice else (None, None)

    envelope = np.exp(np.float32(-0.25 * transfer.b_factor) * (fx**2 + fy**2))
    if transfer.sensor is not None:
        envelope *= transfer.sensor.mtf(fx * np.float32(pixel), fy * np.float32(pixel))
    envelope *= 2 * phase_of_strength(pixel_size_angstrom=pixel, voltage_kv=voltage)
    of_ice = envelope * ice_transfer(fx, fy)
    of_molecules = envelope * molecule_transfer(molecule, fx, fy, pixel_size_angstrom=pixel)
    if transfer.prior_dose:
        radius = np.sqrt(fx * fx + fy * fy)
        of_molecules *= np.exp(-0.5 * np.float32(transfer.prior_dose) / critical_exposure(radius, voltage))

    contrast = np.zeros((canvas.shape[0], canvas.shape[1] // 2 + 1), dtype=np.complex64)
    wave, step = _waves(transfer, heights, fx, fy)
    atoms = np.zeros(canvas.shape, dtype=np.float32)
    for sheet in range(heights.count):
        shares = heights.shares(sheet)
        atoms[:] = 0
        for number in np.flatnonzero(shown & (shares > 0)):
            _spread_turned(
                molecule.positions,
                molecule.strength,
                turns[number, :2] / np.float32(pixel) * np.float32(view.magnification),
                where[number],
                np.float32(shares[number]),
                atoms,
            )
        _add(contrast, forward(atoms), of_molecules, wave)
        if noise is not None and sheet_of_noise is not None:
            _pick(noise, sheet_of_noise, sheet, atoms)
            _add(contrast, forward(atoms), of_ice, wave)
        wave *= step
    contrast[0, 0] = 0
    return _behind_gold(contrast, sample, view, canvas, transfer.sensor)


class _Heights:
    """Sheets across the beam, ``spacing`` apart, the first at ``lowest``, Å."""

    def __init__(
        self, sample: Sample, view: View, canvas: Canvas, molecules: NDArray[np.float64], wavelength: float
    ) -> None:
        shift_x, shift_y = view.shift_angstrom
        rise = view.rise
        self._middle = (canvas.y[:, None] - np.float32(shift_y)) * np.float32(rise.y)
        self._middle = self._middle + (canvas.x[None, :] - np.float32(shift_x)) * np.float32(rise.x)
        self._through = sample.thickness_angstrom * view.longer
        lowest = float(self._middle.min()) - self._through / 2
        highest = float(self._middle.max()) + self._through / 2
        finest = max(FINEST_ANGSTROM, 2 * canvas.pixel_size_angstrom)
        wanted = _PHASE_STEP * finest**2 / (math.pi * wavelength)
        self.count = min(_MOST_SHEETS, 2 + math.floor((highest - lowest) / wanted))
        self.spacing = (highest - lowest) / (self.count - 1)
        self.lowest = lowest
        # molecules beside the image may lie beyond all sheets
        self._molecules = np.clip((molecules - lowest) / self.spacing, 0, self.count - 1)

    def shares(self, sheet: int) -> NDArray[np.float64]:
        """How much of each molecule is in a sheet, (n,)."""
        shares: NDArray[np.float64] = np.maximum(0.0, 1 - np.abs(self._molecules - sheet))
        return shares

    def ice(
        self, rng: np.random.Generator, sample: Sample, pixel: float
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """White noise of the strength of the waters behind each pixel, and the sheet that each pixel's is in.

        A sheet that is drawn at random for each pixel, from those that its waters are in, gives on average the power
        of waters in all of them.
        """
        shape = self._middle.shape
        height = self._middle + (rng.random(shape, dtype=np.float32) - np.float32(0.5)) * np.float32(self._through)
        sheet = (height - np.float32(self.lowest)) / np.float32(self.spacing)
        sheet += rng.random(shape, dtype=np.float32)
        noise = rng.standard_normal(shape, dtype=np.float32)
        noise *= ice_strength(self._through, pixel_size_angstrom=pixel)
        return noise, np.clip(sheet, 0, self.count - 1).astype(np.uint8)


def _waves(
    transfer: Transfer, heights: _Heights, fx: NDArray[np.float32], fy: NDArray[np.float32]
) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """exp(iχ) of the first sheet, and what it is multiplied by from each sheet to the next."""
    ctf, first = transfer.ctf, transfer.hand * heights.lowest
    moved = replace(
        ctf, defocus_u_angstrom=ctf.defocus_u_angstrom + first, defocus_v_angstrom=ctf.defocus_v_angstrom + first
    )
    # CTF = −sin χ, and that of a quarter turn more is −cos χ
    wave = (-moved.quarter_turn().evaluate(fx, fy) - 1j * moved.evaluate(fx, fy)).astype(np.complex64)
    phase = np.float32(math.pi * wavelength_angstrom(ctf.voltage_kv) * transfer.hand * heights.spacing)
    return wave, np.exp(1j * (phase * (fx * fx + fy * fy))).astype(np.complex64)


def _touches(where: NDArray[np.float64], radius: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which discs of a radius (px) around places (x, y) reach into an image."""
    height, width = shape
    inside: NDArray[np.bool_] = (
        (where[:, 0] > -radius)
        & (where[:, 0] < width + radius)
        & (where[:, 1] > -radius)
        & (where[:, 1] < height + radius)
    )
    return inside


def _behind_gold(
    contrast: NDArray[np.complex64], sample: Sample, view: View, canvas: Canvas, sensor: Sensor | None
) -> tuple[NDArray[np.complex64] | None, NDArray[np.complex64]]:
    """The image less what the beads stop. Beads have neither fringes nor granules: they are shadows."""
    if len(sample.beads) == 0:
        return None, contrast
    pixel = canvas.pixel_size_angstrom
    gold = np.zeros(canvas.shape, dtype=np.float32)
    seen = view.project(sample.beads)
    for (x, y, _), diameter in zip(seen, sample.bead_diameters, strict=True):
        _add_ball(gold, canvas, x, y, diameter * view.magnification / 2)
    through = np.exp(gold * np.float32(-1 / GOLD_MEAN_FREE_PATH))
    bright = forward(through)
    if sensor is not None:
        fx, fy = frequencies(canvas.shape, pixel)
        bright *= sensor.mtf(fx * np.float32(pixel), fy * np.float32(pixel))
    return bright, forward(through * backward(contrast, canvas.shape[1]))


def _add_ball(gold: NDArray[np.float32], canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Add the thickness of a ball (Å), taken at 3 × 3 points of each pixel."""
    pixel = canvas.pixel_size_angstrom
    columns = np.flatnonzero(np.abs(canvas.x - x) < radius + pixel)
    rows = np.flatnonzero(np.abs(canvas.y - y) < radius + pixel)
    if len(columns) == 0 or len(rows) == 0:
        return
    part = np.zeros((len(rows), len(columns)), dtype=np.float32)
    for up in (-1, 0, 1):
        for right in (-1, 0, 1):
            dx = canvas.x[columns] + right * pixel / 3 - x
            dy = canvas.y[rows] + up * pixel / 3 - y
            part += 2 * np.sqrt(np.maximum(radius**2 - dx[None, :] ** 2 - dy[:, None] ** 2, 0)).astype(np.float32)
    gold[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += part / 9


@njit(cache=True, nogil=True, fastmath=True)
def _spread_turned(
    positions: NDArray[np.float32],
    strength: NDArray[np.float32],
    turn: NDArray[np.float32],
    where: NDArray[np.float64],
    share: np.float32,
    image: NDArray[np.float32],
) -> None:
    """Add each atom, turned and moved, to the four pixels around it; those outside are left out.

    ``turn`` (2, 3) px per Å, ``where`` (x, y) px.
    """
    height, width = image.shape
    for atom in range(positions.shape[0]):
        x = positions[atom, 0]
        y = positions[atom, 1]
        z = positions[atom, 2]
        across = np.float32(turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z + where[0])
        along = np.float32(turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z + where[1])
        column = math.floor(across)
        row = math.floor(along)
        if column < 0 or row < 0 or column >= width - 1 or row >= height - 1:
            continue
        right = across - np.float32(column)
        up = along - np.float32(row)
        value = strength[atom] * share
        image[row, column] += value * (1 - right) * (1 - up)
        image[row, column + 1] += value * right * (1 - up)
        image[row + 1, column] += value * (1 - right) * up
        image[row + 1, column + 1] += value * right * up


@njit(cache=True, nogil=True, fastmath=True)
def _add(
    total: NDArray[np.complex64],
    spectrum: NDArray[np.complex64],
    transfer: NDArray[np.float32],
    wave: NDArray[np.complex64],
) -> None:
    """total += spectrum · transfer · CTF, where CTF is the negative of ``wave``'s imaginary part."""
    rows, columns = total.shape
    for row in range(rows):
        for column in range(columns):
            total[row, column] -= spectrum[row, column] * (transfer[row, column] * wave[row, column].imag)


@njit(cache=True, nogil=True)
def _pick(noise: NDArray[np.float32], sheets: NDArray[np.uint8], sheet: int, picked: NDArray[np.float32]) -> None:
    """The noise of one sheet, 0 elsewhere."""
    rows, columns = noise.shape
    for row in range(rows):
        for column in range(columns):
            picked[row, column] = noise[row, column] if sheets[row, column] == sheet else np.float32(0.0)
