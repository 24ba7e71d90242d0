"""Molecules in vitreous ice, as the phase they give the electron wave."""

import math
from dataclasses import dataclass

import ducc0
import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from athena_pipelines.simulate.optics import relativistic_mass_ratio, wavelength_angstrom
from athena_pipelines.simulate.structure import Molecule, carbon_form_factor

WATERS_PER_A3 = 0.0311
"""Number density of vitreous ice (0.93 g/cm³), Å⁻³."""
WATER_STRENGTH = 3.04
"""Electron scattering factor of H₂O at zero angle (O + 2 H, International Tables C, table 4.3.2.2), Å."""
ATOM_VOLUME = 18.0
"""Volume of ice that one heavy atom of a protein (with its hydrogens) displaces, Å³."""


@dataclass(frozen=True)
class Ice:
    """A layer of vitreous ice with molecules in it.

    Attributes
    ----------
    coverage : fraction of the area that the molecules' discs cover; 0 is bare ice.
    """

    thickness_angstrom: float = 350.0
    coverage: float = 0.22


def phase_spectrum(
    rng: np.random.Generator,
    molecule: Molecule,
    ice: Ice,
    *,
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    voltage_kv: float,
) -> tuple[NDArray[np.complex64], NDArray[np.float64]]:
    """Fourier transform of the projected phase (rad) of a field of molecules in ice.

    Phase of an atom at frequency k is λ γ f(k), f the electron scattering factor (Kirkland 2010, Advanced Computing in
    Electron Microscopy, §5.1); the ice that a molecule displaces is taken away (Fraser et al. 1978 for the shape).

    Returns
    -------
    spectrum : (h, w // 2 + 1) complex64 of a real image in MRC rows (y up); all at frame 0.
    centres : (n, 2) px, (x, y) of the molecules' centres.
    """
    centres = place_molecules(rng, molecule, ice, shape=shape, pixel_size_angstrom=pixel_size_angstrom)
    fx, fy = frequencies(shape, pixel_size_angstrom)
    transfer = molecule_transfer(molecule, fx, fy, pixel_size_angstrom=pixel_size_angstrom)
    atoms = _project(rng, molecule, centres, shape=shape, pixel_size_angstrom=pixel_size_angstrom)
    spectrum = forward(atoms) * transfer
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise *= ice_strength(ice.thickness_angstrom, pixel_size_angstrom=pixel_size_angstrom)
    spectrum += forward(noise) * ice_transfer(fx, fy)
    spectrum *= phase_of_strength(pixel_size_angstrom=pixel_size_angstrom, voltage_kv=voltage_kv)
    return spectrum, centres


def molecule_transfer(
    molecule: Molecule, fx: NDArray[np.float32], fy: NDArray[np.float32], *, pixel_size_angstrom: float
) -> NDArray[np.float32]:
    """What turns the transform of atoms' strengths, spread over pixels, into that of molecules in the place of ice."""
    squared = fx * fx + fy * fy
    strength = float(molecule.strength.mean())
    displaced = WATERS_PER_A3 * WATER_STRENGTH * ATOM_VOLUME / strength
    transfer = carbon_form_factor(np.sqrt(squared)) - displaced * np.exp(-math.pi * ATOM_VOLUME ** (2 / 3) * squared)
    # atoms were spread over 2 × 2 pixels: undo that triangle's attenuation
    transfer /= (np.sinc(fx * pixel_size_angstrom) * np.sinc(fy * pixel_size_angstrom)) ** 2
    whole: NDArray[np.float32] = transfer.astype(np.float32)
    return whole


def ice_transfer(fx: NDArray[np.float32], fy: NDArray[np.float32]) -> NDArray[np.float32]:
    """What turns the transform of white noise into that of vitreous ice, but for its strength."""
    radius = np.sqrt(fx * fx + fy * fy)
    transfer: NDArray[np.float32] = np.sqrt(ice_structure(radius)) * carbon_form_factor(radius)
    return transfer


def ice_strength(thickness_angstrom: float, *, pixel_size_angstrom: float) -> np.float32:
    """Standard deviation of the strength of all waters behind a pixel, Å."""
    waters_per_pixel = WATERS_PER_A3 * thickness_angstrom * pixel_size_angstrom**2
    return np.float32(WATER_STRENGTH * math.sqrt(waters_per_pixel))


def phase_of_strength(*, pixel_size_angstrom: float, voltage_kv: float) -> np.float32:
    """Phase (rad) that a strength of 1 Å in a pixel gives the wave."""
    scale = wavelength_angstrom(voltage_kv) * relativistic_mass_ratio(voltage_kv) / pixel_size_angstrom**2
    return np.float32(scale)


def place_molecules(
    rng: np.random.Generator, molecule: Molecule, ice: Ice, *, shape: tuple[int, int], pixel_size_angstrom: float
) -> NDArray[np.float64]:
    """Random centres that do not overlap, (n, 2) px, (x, y)."""
    height, width = shape
    diameter = molecule.diameter_angstrom / pixel_size_angstrom
    wanted = round(ice.coverage * height * width / (math.pi * diameter**2 / 4))
    centres = np.empty((0, 2))
    tries = rng.uniform(0, 1, (20 * wanted, 2)) * np.array([width, height])
    for candidate in tries:
        if len(centres) == wanted:
            break
        if len(centres) == 0 or ((centres - candidate) ** 2).sum(axis=1).min() > (0.95 * diameter) ** 2:
            centres = np.vstack([centres, candidate])
    return centres


def ice_structure(frequency: NDArray[np.float32]) -> NDArray[np.float32]:
    """Structure factor of vitreous ice: little power at low frequency, the first ring at 3.7 Å, 1 beyond.

    A smooth description of low-density amorphous ice, not a table.
    """
    rise = 0.08 + 0.92 / (1.0 + np.exp(-(frequency - 0.2) / 0.02))
    ring = 0.9 * np.exp(-0.5 * ((frequency - 1 / 3.7) / 0.025) ** 2)
    structure: NDArray[np.float32] = (rise + ring).astype(np.float32)
    return structure


def frequencies(shape: tuple[int, int], pixel_size_angstrom: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Frequencies of a real transform: (1, w // 2 + 1) along x and (h, 1) along y, Å⁻¹."""
    fx = np.fft.rfftfreq(shape[1], pixel_size_angstrom).astype(np.float32)[None, :]
    fy = np.fft.fftfreq(shape[0], pixel_size_angstrom).astype(np.float32)[:, None]
    return fx, fy


def forward(image: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Real Fourier transform of an image."""
    spectrum: NDArray[np.complex64] = ducc0.fft.r2c(image, axes=(0, 1), nthreads=1)
    return spectrum


def backward(spectrum: NDArray[np.complex64], width: int) -> NDArray[np.float32]:
    """Inverse of ``forward``; ``width`` of the image."""
    image: NDArray[np.float32] = ducc0.fft.c2r(
        spectrum, axes=(0, 1), lastsize=width, forward=False, inorm=2, nthreads=1
    )
    return image


def _project(
    rng: np.random.Generator,
    molecule: Molecule,
    centres: NDArray[np.float64],
    *,
    shape: tuple[int, int],
    pixel_size_angstrom: float,
) -> NDArray[np.float32]:
    """Strength of all atoms of randomly turned molecules, summed along the beam into pixels, Å."""
    image = np.zeros(shape, dtype=np.float32)
    if len(centres) == 0:
        return image
    turns = Rotation.random(len(centres), rng=rng).as_matrix().astype(np.float32)
    for centre, turn in zip(centres, turns, strict=True):
        places = molecule.positions @ turn[:2].T / np.float32(pixel_size_angstrom) + centre.astype(np.float32)
        _spread(places, molecule.strength, image)
    return image


@njit(cache=True, nogil=True)
def _spread(places: NDArray[np.float32], strength: NDArray[np.float32], image: NDArray[np.float32]) -> None:
    """Add each atom to the four pixels around it; the image is periodic."""
    height, width = image.shape
    for atom in range(places.shape[0]):
        x = places[atom, 0]
        y = places[atom, 1]
        column = int(np.floor(x))
        row = int(np.floor(y))
        right = x - column
        up = y - row
        value = strength[atom]
        image[row % height, column % width] += value * (1 - right) * (1 - up)
        image[row % height, (column + 1) % width] += value * right * (1 - up)
        image[(row + 1) % height, column % width] += value * (1 - right) * up
        image[(row + 1) % height, (column + 1) % width] += value * right * up
