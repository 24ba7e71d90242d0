"""Contrast transfer function: the model that every fit and simulation shares.

Conventions (as CTFFIND and RELION): defocus positive is underfocus, in Å; U ≥ V; the angle is the azimuth of U from
the +x axis, counter-clockwise with y up (rows in MRC order), degrees in [0, 180).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Optics:
    """Microscope constants of a fit.

    Attributes
    ----------
    voltage_kv : acceleration voltage, kV.
    spherical_aberration_mm : Cs, mm.
    amplitude_contrast : fraction, 0 to 1.
    """

    voltage_kv: float = 300.0
    spherical_aberration_mm: float = 2.7
    amplitude_contrast: float = 0.07

    @property
    def wavelength_angstrom(self) -> float:
        """Relativistic electron wavelength, Å."""
        return wavelength(self.voltage_kv)

    @property
    def spherical_aberration_angstrom(self) -> float:
        """Cs, Å."""
        return self.spherical_aberration_mm * 1e7

    @property
    def amplitude_phase(self) -> float:
        """Phase that stands for the amplitude contrast, atan(w / sqrt(1 - w²)), rad."""
        w = self.amplitude_contrast
        return float(np.arctan2(w, np.sqrt(1 - w * w)))


@dataclass(frozen=True)
class Defocus:
    """Astigmatic defocus: U ≥ V in Å, angle of U in degrees, additional phase shift in degrees."""

    u_angstrom: float
    v_angstrom: float
    angle_deg: float = 0.0
    phase_shift_deg: float = 0.0

    @property
    def mean_angstrom(self) -> float:
        """(U + V) / 2, Å."""
        return 0.5 * (self.u_angstrom + self.v_angstrom)

    def along(self, azimuth_rad: npt.ArrayLike) -> Array:
        """Defocus in a direction: ½[U + V + (U − V) cos 2(α − angle)], Å."""
        turn = 2 * (np.asarray(azimuth_rad, np.float64) - np.deg2rad(self.angle_deg))
        return np.asarray(self.mean_angstrom + 0.5 * (self.u_angstrom - self.v_angstrom) * np.cos(turn))


def wavelength(voltage_kv: float) -> float:
    """Relativistic electron wavelength, Å: 12.2639 / sqrt(V + 0.97845e-6 V²) with V in volts."""
    volts = voltage_kv * 1e3
    return float(12.2639 / np.sqrt(volts + 0.97845e-6 * volts * volts))


def phase(
    frequency: npt.ArrayLike, defocus_angstrom: npt.ArrayLike, optics: Optics, *, phase_shift_deg: float = 0.0
) -> Array:
    """χ = πλk²(Δf − ½λ²k²Cs) + φ_ext + φ_w, rad, for k in Å⁻¹. Source: Rohou & Grigorieff 2015, eq. 3–5."""
    k2 = np.asarray(frequency, np.float64) ** 2
    lam, cs = optics.wavelength_angstrom, optics.spherical_aberration_angstrom
    chi = np.pi * lam * k2 * (np.asarray(defocus_angstrom, np.float64) - 0.5 * lam * lam * k2 * cs)
    return np.asarray(chi + np.deg2rad(phase_shift_deg) + optics.amplitude_phase)


def ctf(
    frequency: npt.ArrayLike, defocus_angstrom: npt.ArrayLike, optics: Optics, *, phase_shift_deg: float = 0.0
) -> Array:
    """Amplitude contrast transfer −sin χ at each frequency (Å⁻¹)."""
    return np.asarray(-np.sin(phase(frequency, defocus_angstrom, optics, phase_shift_deg=phase_shift_deg)))


def ctf_image(
    shape: tuple[int, int], pixel_size_angstrom: float, defocus: Defocus, optics: Optics
) -> npt.NDArray[np.float32]:
    """CTF on the half plane of ``rfft2`` for an image (height, width): (height, width // 2 + 1) float32."""
    ky = np.fft.fftfreq(shape[0], pixel_size_angstrom)[:, None]
    kx = np.fft.rfftfreq(shape[1], pixel_size_angstrom)[None, :]
    local = defocus.along(np.arctan2(ky, kx))
    value = ctf(np.hypot(kx, ky), local, optics, phase_shift_deg=defocus.phase_shift_deg)
    return np.asarray(value, np.float32)


def zeros(defocus_angstrom: float, optics: Optics, *, count: int = 4, phase_shift_deg: float = 0.0) -> Array:
    """Frequencies (Å⁻¹) of the first zeros, χ = nπ, on the rising branch of χ; fewer where χ turns over before."""
    lam, cs = optics.wavelength_angstrom, optics.spherical_aberration_angstrom
    target = np.arange(1, count + 1) * np.pi - optics.amplitude_phase - np.deg2rad(phase_shift_deg)
    a, b = 0.5 * np.pi * lam**3 * cs, np.pi * lam * defocus_angstrom
    if a == 0:
        return np.asarray(np.sqrt(target / b))
    inside = b * b - 4 * a * target
    return np.asarray(np.sqrt((b - np.sqrt(inside[inside >= 0])) / (2 * a)))
