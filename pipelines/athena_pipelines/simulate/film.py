"""Amorphous carbon at the edge of a foil hole, or all over the image."""

import math
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.optics import relativistic_mass_ratio, wavelength_angstrom
from athena_pipelines.simulate.specimen import forward
from athena_pipelines.simulate.structure import carbon_form_factor

ATOMS_PER_A3 = 0.1
"""Number density of evaporated carbon (2.0 g/cm³), Å⁻³."""
MEAN_FREE_PATH = 2000.0
"""Carbon after which 1/e of the electrons are left at 300 kV, Å: by its density against ice, and rounded."""
HOLE_RADIUS_ANGSTROM = 1e4
EDGE_ANGSTROM = 20.0
"""Width over which the film begins."""


@dataclass(frozen=True)
class Film:
    """A carbon film beyond the edge of a round hole.

    Attributes
    ----------
    edge_angstrom : from the middle of the image to the edge, negative when the middle is on the film; −inf is film
        everywhere.
    direction_deg : from +x, counter-clockwise with y up, to where the film is.
    """

    edge_angstrom: float
    direction_deg: float
    thickness_angstrom: float = 200.0

    def cover(self, canvas: Canvas) -> NDArray[np.float32]:
        """How much of each pixel of the canvas is film, (h, w) from 0 to 1."""
        if math.isinf(self.edge_angstrom):
            return np.ones(canvas.shape, dtype=np.float32)
        back = HOLE_RADIUS_ANGSTROM - self.edge_angstrom
        turn = math.radians(self.direction_deg)
        x, y = canvas.x + back * math.cos(turn), canvas.y + back * math.sin(turn)
        outside = (np.hypot(x[None, :], y[:, None]) - HOLE_RADIUS_ANGSTROM) / EDGE_ANGSTROM
        cover: NDArray[np.float32] = np.clip(outside + 0.5, 0, 1).astype(np.float32)
        return cover

    def phase_spectrum(
        self,
        rng: np.random.Generator,
        cover: NDArray[np.float32],
        radius: NDArray[np.float32],
        *,
        pixel_size_angstrom: float,
        voltage_kv: float,
    ) -> NDArray[np.complex64]:
        """Transform of the film's projected phase less its mean, rad: atoms at random places (no short-range order).

        The step at the edge is left out of the phase: it is far from weak.

        Parameters
        ----------
        cover : see ``cover``.
        radius : |k| of the transform, Å⁻¹.
        """
        atoms = ATOMS_PER_A3 * self.thickness_angstrom * pixel_size_angstrom**2
        strength = float(gemmi.Element("C").c4322.calculate_sf(0.0))
        noise = rng.standard_normal(cover.shape, dtype=np.float32) * np.sqrt(cover)
        phase = wavelength_angstrom(voltage_kv) * relativistic_mass_ratio(voltage_kv) / pixel_size_angstrom**2
        noise *= np.float32(phase * strength * math.sqrt(atoms))
        spectrum: NDArray[np.complex64] = forward(noise) * carbon_form_factor(radius)
        return spectrum

    def transmission(self, cover: NDArray[np.float32]) -> NDArray[np.float32]:
        """Share of the electrons that the film lets through, (h, w)."""
        through: NDArray[np.float32] = np.exp(cover * np.float32(-self.thickness_angstrom / MEAN_FREE_PATH))
        return through
