"""The microscope: wavelength, interaction, contrast transfer. Lengths in Å, frequencies in Å⁻¹."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


def wavelength_angstrom(voltage_kv: float) -> float:
    """Relativistic wavelength of the electron, Å (0.019687 at 300 kV)."""
    volts = voltage_kv * 1e3
    return 12.2639 / math.sqrt(volts + 0.97845e-6 * volts**2)


def relativistic_mass_ratio(voltage_kv: float) -> float:
    """Mass over rest mass of the electron (1.587 at 300 kV)."""
    return 1.0 + voltage_kv / 510.99895


@dataclass(frozen=True)
class Ctf:
    """Contrast transfer of one exposure.

    Attributes
    ----------
    defocus_u_angstrom, defocus_v_angstrom : largest and smallest defocus, positive is underfocus.
    astigmatism_angle_deg : from +x to the direction of U, counter-clockwise with y up.
    """

    defocus_u_angstrom: float
    defocus_v_angstrom: float
    astigmatism_angle_deg: float
    voltage_kv: float = 300.0
    spherical_aberration_mm: float = 2.7
    amplitude_contrast: float = 0.07
    phase_shift_deg: float = 0.0

    def evaluate(self, fx: NDArray[np.float32], fy: NDArray[np.float32]) -> NDArray[np.float32]:
        """CTF = −sin χ at frequencies ``fx``, ``fy`` (broadcast together, Å⁻¹).

        Negative at low frequency under focus: protein is dark.
        Source: Rohou & Grigorieff 2015, J. Struct. Biol. 192:216, eqs. 2–4.
        """
        wavelength = wavelength_angstrom(self.voltage_kv)
        aberration = self.spherical_aberration_mm * 1e7
        mean = 0.5 * (self.defocus_u_angstrom + self.defocus_v_angstrom)
        half = 0.5 * (self.defocus_u_angstrom - self.defocus_v_angstrom)
        angle = math.radians(2.0 * self.astigmatism_angle_deg)
        # cos 2(α − α₀) k² without an arctangent: cos 2α k² = fx² − fy², sin 2α k² = 2 fx fy
        squared = fx * fx + fy * fy
        defocus_term = mean * squared + half * (math.cos(angle) * (fx * fx - fy * fy) + math.sin(angle) * 2 * fx * fy)
        chi = math.pi * wavelength * (defocus_term - 0.5 * wavelength**2 * aberration * squared * squared)
        chi += math.radians(self.phase_shift_deg) + math.asin(self.amplitude_contrast)
        ctf: NDArray[np.float32] = -np.sin(chi, dtype=np.float32)
        return ctf

    def quarter_turn(self) -> "Ctf":
        """The same with π/2 more phase: −cos χ."""
        return replace(self, phase_shift_deg=self.phase_shift_deg + 90.0)


def critical_exposure(frequency: NDArray[np.float32], voltage_kv: float = 300.0) -> NDArray[np.float32]:
    """Exposure (e/Å²) at which the signal has fallen to 1/e in power, i.e. amplitude exp(−N / 2Nₑ).

    Source: Grant & Grigorieff 2015, eLife 4:e06980, eq. 3; at 200 kV and less it is 0.8 of the 300 kV value.
    """
    scale = 1.0 if voltage_kv > 250 else 0.8
    safe = np.maximum(frequency, np.float32(1e-3))
    return (scale * (0.24499 * safe**-1.6649 + 2.8141)).astype(np.float32)
