"""What each series and each of its tilts is: drawn from the seed and their numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from athena_pipelines.simulate.motion import Motion, draw_motion
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.structure import Molecule
from athena_pipelines.simulate.tomo.geometry import View
from athena_pipelines.simulate.tomo.sample import Sample, draw_beads, needed_extent, place_molecules
from athena_pipelines.simulate.tomo.scheme import tilt_angles
from athena_pipelines.simulate.tomo.settings import Tomography

_SERIES, _TILT, _IMAGE, _BLOCKED = 31, 37, 41, 43
# streams of random numbers: series, a tilt's geometry and optics, its image and counts, what is in its way
_MOST_OF_A_DARK_TILT = 0.15
_EDGE_ANGSTROM = 300.0
"""By how much a slab reaches beyond what images show of it."""


@dataclass(frozen=True)
class Tilt:
    """One tilt as it really is.

    Attributes
    ----------
    order : from 0, as taken.
    nominal_deg : what the stage was asked for.
    seed : of its image and its counts.
    unblocked : share of the electrons that nothing but the specimen is in the way of.
    """

    order: int
    nominal_deg: float
    view: View
    ctf: Ctf
    motion: Motion
    prior_dose: float
    seed: tuple[int, ...]
    unblocked: float = 1.0


@dataclass(frozen=True)
class Series:
    """One tilt series as it really is."""

    sample: Sample
    target_defocus_um: float
    tilts: tuple[Tilt, ...]


def nominal_angles(settings: Tomography) -> tuple[float, ...]:
    """Angles of a series, in the order in which they are taken."""
    angles = tilt_angles(settings.scheme, settings.angles_deg, step_deg=settings.step_deg, start_deg=settings.start_deg)
    return angles[: settings.tilts] if settings.tilts else angles


def draw_series(
    settings: Tomography, molecule: Molecule, *, seed: int, index: int, shape: tuple[int, int], frames: int
) -> Series:
    """The ``index``-th series; all of it depends on the seed, the settings and its number alone."""
    rng = np.random.default_rng([seed, index, _SERIES])
    angles = nominal_angles(settings)
    # the slab is the same however far the series goes
    steepest = max(map(abs, settings.angles_deg))
    target = settings.target_defocus_um[index % len(settings.target_defocus_um)]
    thickness = float(rng.uniform(*settings.thickness_angstrom))
    lying = View(
        0.0,
        x_tilt_deg=float(rng.uniform(*settings.x_tilt_deg)),
        y_tilt_deg=float(rng.uniform(*settings.y_tilt_deg)),
        axis_deg=settings.tilt_axis_deg,
    )
    mean = (target + rng.normal(0, settings.defocus_error_um)) * 1e4
    half = rng.uniform(*settings.astigmatism_angstrom) / 2
    ctf = Ctf(
        mean + half,
        mean - half,
        float(rng.uniform(-90, 90)),
        settings.voltage_kv,
        settings.spherical_aberration_mm,
        settings.amplitude_contrast,
    )
    sample = _draw_sample(rng, settings, molecule, lying, thickness=thickness, steepest=steepest, shape=shape)
    shifts = _track(rng, len(angles), settings.tracking_angstrom)
    tilts = tuple(
        _draw_tilt(settings, lying, ctf, order, angle, shift, seed=seed, index=index, frames=frames)
        for order, (angle, shift) in enumerate(zip(angles, shifts, strict=True))
    )
    return Series(sample, target, tilts)


def _draw_sample(
    rng: np.random.Generator,
    settings: Tomography,
    molecule: Molecule,
    lying: View,
    *,
    thickness: float,
    steepest: float,
    shape: tuple[int, int],
) -> Sample:
    pixel = settings.pixel_size_angstrom
    x, y = needed_extent(shape, pixel, lying, steepest_deg=steepest, thickness_angstrom=thickness)
    edge = _EDGE_ANGSTROM + 3 * settings.tracking_angstrom
    extent = (x + edge / math.cos(math.radians(steepest)), y + edge)
    molecules = place_molecules(
        rng,
        extent,
        thickness_angstrom=thickness,
        diameter_angstrom=molecule.diameter_angstrom,
        concentration=settings.concentration,
    )
    turns = Rotation.random(len(molecules), rng=rng)
    beads, diameters = draw_beads(
        rng,
        extent,
        thickness_angstrom=thickness,
        in_image=settings.beads,
        image_area=shape[0] * shape[1] * pixel**2,
        diameter_angstrom=settings.bead_diameter_angstrom,
    )
    return Sample(thickness, lying.x_tilt_deg, lying.y_tilt_deg, molecules, turns, beads, diameters)


def _track(rng: np.random.Generator, count: int, step_angstrom: float) -> NDArray[np.float64]:
    """Where the specimen's middle is seen in each image, (n, 2) Å: it strays, and half of that is brought back."""
    steps = rng.normal(0, step_angstrom, (count, 2))
    shifts = np.zeros((count, 2))
    for number in range(1, count):
        shifts[number] = 0.5 * shifts[number - 1] + steps[number]
    return shifts


def _draw_tilt(
    settings: Tomography,
    lying: View,
    ctf: Ctf,
    order: int,
    angle: float,
    shift: Sequence[float] | NDArray[np.float64],
    *,
    seed: int,
    index: int,
    frames: int,
) -> Tilt:
    rng = np.random.default_rng([seed, index, order, _TILT])
    view = replace(
        lying,
        tilt_deg=angle + float(rng.normal(0, settings.angle_error_deg)),
        axis_deg=settings.tilt_axis_deg + float(rng.normal(0, settings.axis_error_deg)),
        shift_angstrom=(float(shift[0]), float(shift[1])),
        magnification=1 + float(rng.normal(0, settings.magnification_error)),
    )
    change = float(rng.normal(0, settings.refocus_error_um)) * 1e4
    motion = draw_motion(
        rng,
        frames,
        drift_px=float(rng.uniform(*settings.drift_px)),
        local_px=float(rng.uniform(*settings.local_px)),
        jitter_px=settings.jitter_px,
    )
    refocused = replace(
        ctf, defocus_u_angstrom=ctf.defocus_u_angstrom + change, defocus_v_angstrom=ctf.defocus_v_angstrom + change
    )
    return Tilt(
        order=order,
        nominal_deg=angle,
        view=view,
        ctf=refocused,
        motion=motion,
        prior_dose=order * settings.dose_e_per_A2,
        seed=(seed, index, order, _IMAGE),
        unblocked=_unblocked(settings.failures, seed=seed, index=index, order=order),
    )


def _unblocked(failures: float, *, seed: int, index: int, order: int) -> float:
    """Share of the electrons that come past the bars of the grid; the first tilt is aimed at what is free."""
    rng = np.random.default_rng([seed, index, order, _BLOCKED])
    dark = rng.random() < failures and order > 0
    return float(rng.uniform(0, _MOST_OF_A_DARK_TILT)) if dark else 1.0
