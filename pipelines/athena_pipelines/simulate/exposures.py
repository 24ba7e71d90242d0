"""What each exposure of a simulated session is: drawn from the seed, its number and its place on the grid."""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np

from athena_pipelines.simulate.crystals import draw_lumps
from athena_pipelines.simulate.epu.beam import Beam
from athena_pipelines.simulate.epu.grid import Place
from athena_pipelines.simulate.film import Film
from athena_pipelines.simulate.microscope import Microscope
from athena_pipelines.simulate.motion import draw_motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.sensor import Sensor
from athena_pipelines.simulate.slope import Slope
from athena_pipelines.simulate.specimen import Ice
from athena_pipelines.simulate.truth import MovieTruth, motion_truth

Kind = Literal["specimen", "carbon", "empty", "no_movie"]

PLATE_EXPOSURES = 60
"""Exposures at one place of the phase plate, then it is moved on; the phase grows at each anew (Danev et al. 2014, PNAS
111:15635), by 1 − 1/e of its range in a quarter of them."""
TILT_AXIS_DEG = 86.0
"""Direction of the stage's axis α in the image, from +x, counter-clockwise with y up."""
_ONLY_FILM = 0.25
"""Share of the exposures with film that show nothing else."""
_HOLE, _FILM, _CRYSTALS, _LUMPS = 13, 17, 19, 23
# streams of random numbers: one for each option, so that none changes what another draws


@dataclass(frozen=True)
class Exposure:
    """An exposure as it really is.

    Attributes
    ----------
    hole_height_angstrom : of the hole's ice above the focus, which adds to the defocus.
    """

    model: MovieModel
    kind: Kind
    target_defocus_um: float
    hole_height_angstrom: float = 0.0


def draw_exposure(
    scope: Microscope, *, seed: int, index: int, place: Place, size: tuple[int, int], frames: int
) -> Exposure:
    """The ``index``-th exposure."""
    targets = scope.target_defocus_um
    target = targets[index % len(targets)]
    model, kind = _draw_as_ever(scope, target, seed=seed, index=index, size=size, frames=frames)
    height, slope = _hole(scope, seed, place)
    # the stage focuses on the middle of the hole: beside it, the slope adds to the defocus
    off_x, off_y = (shift * 1e10 for shift in place.area_offset_m)
    rise = height + slope.x * off_x + slope.y * off_y
    ctf = replace(
        model.ctf,
        defocus_u_angstrom=model.ctf.defocus_u_angstrom + rise,
        defocus_v_angstrom=model.ctf.defocus_v_angstrom + rise,
        phase_shift_deg=phase_shift(scope, index),
    )
    if scope.mtf_nyquist < 1 or scope.dqe_zero < 1:
        model = replace(model, sensor=Sensor(scope.mtf_nyquist, scope.dqe_zero))
    model = replace(model, ctf=ctf, slope=slope)
    if model.ice is None:
        return Exposure(model, kind, target, height)
    model, only_film = _on_the_ice(scope, model, seed, index)
    if only_film and kind == "specimen":
        kind = "carbon"
    return Exposure(model, kind, target, height)


def movie_truth(
    exposure: Exposure, movie: SimulatedMovie, *, scope: Microscope, place: Place, beam: Beam, acquired: datetime
) -> MovieTruth:
    """All that is true of an exposure, but for its names."""
    model, ctf = exposure.model, exposure.model.ctf
    rings = exposure.kind != "empty"
    carbon, contamination = movie.covered()
    return MovieTruth(
        name="",
        kind=exposure.kind,
        movie=None,
        acquired=acquired,
        grid_square_id=place.square.id,
        foil_hole_id=place.hole.id,
        shape=model.shape,
        frames=model.motion.frames,
        pixel_size_angstrom=model.pixel_size_angstrom,
        counts_per_px_per_frame=model.counts_per_px,
        dose_per_frame_e_per_A2=model.dose_per_frame,
        total_dose_e_per_A2=model.dose_per_frame * model.motion.frames,
        voltage_kv=scope.voltage_kv,
        spherical_aberration_mm=scope.spherical_aberration_mm,
        amplitude_contrast=scope.amplitude_contrast,
        target_defocus_um=exposure.target_defocus_um,
        defocus_u_angstrom=round(ctf.defocus_u_angstrom, 2) if rings else None,
        defocus_v_angstrom=round(ctf.defocus_v_angstrom, 2) if rings else None,
        astigmatism_angle_deg=round(ctf.astigmatism_angle_deg, 3) if rings else None,
        phase_shift_deg=round(ctf.phase_shift_deg, 3),
        ice_thickness_angstrom=round(model.ice.thickness_angstrom, 1) if model.ice else None,
        stage_tilt_deg=scope.stage_tilt_deg,
        defocus_slope=(round(model.slope.x, 6), round(model.slope.y, 6)) if rings else None,
        hole_height_angstrom=round(exposure.hole_height_angstrom, 1) if rings else None,
        carbon_fraction=round(carbon, 4),
        carbon_thickness_angstrom=round(model.film.thickness_angstrom, 1) if model.film else None,
        crystalline_ice_angstrom=round(model.crystalline_angstrom, 1),
        contamination_fraction=round(contamination, 4),
        mean_counts_per_px_per_frame=round(movie.mean_counts, 5),
        beam_shift=beam.shift,
        optics_group=beam.optics_group,
        motion=motion_truth(model.motion, pixel_size_angstrom=model.pixel_size_angstrom),
    )


def phase_shift(scope: Microscope, index: int) -> float:
    """Phase shift of the ``index``-th exposure, degrees."""
    low, high = scope.phase_shift_deg
    return low + (high - low) * (1 - math.exp(-(index % PLATE_EXPOSURES) * 4 / PLATE_EXPOSURES))


def _draw_as_ever(
    scope: Microscope, target_um: float, *, seed: int, index: int, size: tuple[int, int], frames: int
) -> tuple[MovieModel, Kind]:
    """What every session has; the order of these draws is what seeds stand for."""
    rng = np.random.default_rng([seed, index])
    mean = (target_um + rng.normal(0, scope.defocus_error_um)) * 1e4
    half = rng.uniform(*scope.astigmatism_angstrom) / 2
    ctf = Ctf(
        mean + half,
        mean - half,
        float(rng.uniform(-90, 90)),
        scope.voltage_kv,
        scope.spherical_aberration_mm,
        scope.amplitude_contrast,
    )
    motion = draw_motion(
        rng,
        frames,
        drift_px=rng.uniform(*scope.drift_px),
        local_px=rng.uniform(*scope.local_px),
        jitter_px=scope.jitter_px,
    )
    ice = Ice(thickness_angstrom=rng.uniform(*scope.ice_angstrom), coverage=rng.uniform(*scope.coverage))
    model = MovieModel(
        seed=int(rng.integers(0, 2**31)),
        shape=size,
        pixel_size_angstrom=scope.pixel_size_angstrom,
        counts_per_px=scope.counts_per_px,
        ctf=ctf,
        motion=motion,
        ice=ice,
        b_factor=scope.b_factor,
    )
    if rng.random() >= scope.failures:
        return model, "specimen"
    return (replace(model, ice=None), "empty") if rng.random() < 0.5 else (model, "no_movie")


def _hole(scope: Microscope, seed: int, place: Place) -> tuple[float, Slope]:
    """Height (Å) and slope of a hole's ice; all exposures of a hole have the same."""
    rng = np.random.default_rng([seed, place.hole.id, _HOLE])
    height, along_x, along_y = rng.normal(0, 1, 3)
    # the stage turns about its axis: what lies to the left of the axis' direction rises
    steep, axis = math.tan(math.radians(scope.stage_tilt_deg)), math.radians(TILT_AXIS_DEG)
    bumpy = math.tan(math.radians(scope.hole_slope_deg))
    slope = Slope(
        x=float(bumpy * along_x - steep * math.sin(axis)) or 0.0,
        y=float(bumpy * along_y + steep * math.cos(axis)) or 0.0,
    )
    return float(height * scope.hole_height_um * 1e4), slope


def _on_the_ice(scope: Microscope, model: MovieModel, seed: int, index: int) -> tuple[MovieModel, bool]:
    """The model with film, crystals and lumps, and whether there is film alone."""
    ice = model.ice
    assert ice is not None
    only_film = False
    rng = np.random.default_rng([seed, index, _FILM])
    if rng.random() < scope.carbon:
        reach = 0.4 * scope.pixel_size_angstrom * min(model.shape)
        only_film = bool(rng.random() < _ONLY_FILM)
        edge = -math.inf if only_film else float(rng.uniform(-reach, reach))
        film = Film(edge, float(rng.uniform(-180, 180)), thickness_angstrom=float(rng.uniform(120, 250)))
        model = replace(model, film=film)
        if only_film:
            ice = None
    rng = np.random.default_rng([seed, index, _CRYSTALS])
    if rng.random() < scope.crystalline_ice and ice is not None:
        thickness = min(float(rng.uniform(100, 300)), ice.thickness_angstrom)
        model = replace(model, crystalline_angstrom=thickness)
    rng = np.random.default_rng([seed, index, _LUMPS])
    if rng.random() < scope.contamination:
        model = replace(model, lumps=draw_lumps(rng))
    if scope.mean_free_path_angstrom > 0 and ice is not None:
        path = ice.thickness_angstrom / math.cos(math.radians(scope.stage_tilt_deg))
        model = replace(model, ice_transmission=math.exp(-path / scope.mean_free_path_angstrom))
    return replace(model, ice=ice), only_film
