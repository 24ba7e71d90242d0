"""Crystalline ice, as a layer or as lumps that lie on the specimen: phases of lattice planes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.microscope import ICE_MEAN_FREE_PATH
from athena_pipelines.simulate.optics import relativistic_mass_ratio, wavelength_angstrom
from athena_pipelines.simulate.specimen import WATER_STRENGTH, WATERS_PER_A3
from athena_pipelines.simulate.structure import carbon_form_factor

SPACINGS_ANGSTROM = (3.90, 3.67, 3.44)
"""Lattice planes (100), (002) and (101) of hexagonal ice. Source: Dowell & Rinfret 1960, Nature 188:1144."""
_SHARES = (0.5, 0.9, 0.35)
"""Structure factor of each against all waters in phase; rounded."""
GRAIN_ANGSTROM = (200.0, 500.0)
"""(Smallest, largest) radius of a grain."""
LUMP_LIMIT_ANGSTROM = 150.0
"""A lump diffracts like a crystal of at most this thickness: the rest is scattered more than once."""


@dataclass(frozen=True)
class Lump:
    """A round ice crystal on the specimen, thickest in its middle.

    Attributes
    ----------
    x, y : place in the image, from 0 (left, bottom) to 1.
    """

    x: float
    y: float
    radius_angstrom: float
    thickness_angstrom: float


def draw_lumps(rng: np.random.Generator) -> tuple[Lump, ...]:
    """One to four lumps."""
    return tuple(
        Lump(
            x=float(rng.uniform(0, 1)),
            y=float(rng.uniform(0, 1)),
            radius_angstrom=float(rng.uniform(200, 900)),
            thickness_angstrom=float(rng.uniform(500, 3000)),
        )
        for _ in range(int(rng.integers(1, 5)))
    )


def lump_thickness(lumps: Sequence[Lump], canvas: Canvas) -> NDArray[np.float32]:
    """Thickness of the lumps over the canvas, (h, w) Å."""
    thickness = np.zeros(canvas.shape, dtype=np.float32)
    for lump in lumps:
        x, y = canvas.margin + lump.x * canvas.inner[1], canvas.margin + lump.y * canvas.inner[0]
        rows, columns, squared = _around(x, y, lump.radius_angstrom / canvas.pixel_size_angstrom, canvas.shape)
        dome = lump.thickness_angstrom * np.sqrt(np.maximum(1 - squared, 0))
        np.maximum(thickness[rows, columns], dome.astype(np.float32), out=thickness[rows, columns])
    return thickness


def transmission(thickness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the electrons that so much ice lets through."""
    through: NDArray[np.float32] = np.exp(thickness / np.float32(-ICE_MEAN_FREE_PATH))
    return through


def crystal_phase(
    rng: np.random.Generator, thickness: NDArray[np.float32], *, pixel_size_angstrom: float, voltage_kv: float
) -> NDArray[np.float32]:
    """Phase (rad) of crystals whose ``thickness`` (h, w) Å is given: grains, each with its planes turned at random.

    A grain shows one kind of planes once, or (100) three times at 60°, when it is seen along its hexagonal axis. The
    phase of a set of planes of spacing d is 2 λ γ n f(1/d) F t cos(2 π k·r), n waters an Å³, F the share that
    scatters in phase.
    """
    phase = np.zeros(thickness.shape, dtype=np.float32)
    if not thickness.any():
        return phase
    height, width = thickness.shape
    mean = 0.5 * sum(GRAIN_ANGSTROM) / pixel_size_angstrom
    waves = np.array([1 / spacing for spacing in SPACINGS_ANGSTROM], dtype=np.float32)
    factor = 2 * wavelength_angstrom(voltage_kv) * relativistic_mass_ratio(voltage_kv) * WATERS_PER_A3 * WATER_STRENGTH
    strength = factor * carbon_form_factor(waves) * np.array(_SHARES)
    # grains overlap a little: about one everywhere
    for _ in range(max(1, round(height * width / (2 * mean**2)))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius = rng.uniform(*GRAIN_ANGSTROM) / pixel_size_angstrom
        kind = int(rng.integers(0, 4))
        turn, offsets = rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi, 3)
        rows, columns, squared = _around(x, y, radius, thickness.shape)
        inside = (squared < 1) * thickness[rows, columns]
        if not inside.any():
            continue
        planes = 0 if kind == 3 else kind
        for number in range(3 if kind == 3 else 1):
            angle = turn + number * math.pi / 3
            k = 2 * math.pi * float(waves[planes]) * pixel_size_angstrom
            up = np.exp(1j * (k * math.sin(angle) * np.arange(height)[rows] + offsets[number]))
            across = np.exp(1j * (k * math.cos(angle) * np.arange(width)[columns]))
            wave = np.real(np.outer(up.astype(np.complex64), across.astype(np.complex64)))
            phase[rows, columns] += np.float32(strength[planes]) * inside * wave
    return phase


def _around(x: float, y: float, radius: float, shape: tuple[int, int]) -> tuple[slice, slice, NDArray[np.float32]]:
    """Rows and columns of a disc, and there the squared distance from its middle in radii."""
    rows = slice(max(0, math.floor(y - radius)), max(0, min(shape[0], math.ceil(y + radius) + 1)))
    columns = slice(max(0, math.floor(x - radius)), max(0, min(shape[1], math.ceil(x + radius) + 1)))
    dy = ((np.arange(rows.start, rows.stop) - y) / radius).astype(np.float32)
    dx = ((np.arange(columns.start, columns.stop) - x) / radius).astype(np.float32)
    return rows, columns, dx[None, :] ** 2 + dy[:, None] ** 2
