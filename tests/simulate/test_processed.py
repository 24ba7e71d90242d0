"""Athena makes of difficult exposures what they are: defocus where there are rings, and honest flags where not."""

import math
import threading
from pathlib import Path

import numpy as np
import pytest

from athena.contract.processing import MovieParameters
from athena_pipelines.simulate.containers import write_movie
from athena_pipelines.simulate.film import Film
from athena_pipelines.simulate.motion import draw_motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.sensor import Sensor
from athena_pipelines.simulate.slope import Slope
from athena_pipelines.simulate.specimen import Ice
from athena_pipelines.simulate.structure import load_molecule
from athena_pipelines.steps.compute import Computed, Timing, compute_movie

pytestmark = pytest.mark.feature("AC-03", "AC-05")

CAMERA = Sensor(0.5, 0.85)


def processed(
    folder: Path, *, phase_plate: bool = False, ctf: Ctf, pixel: float = 1.0, drift: float = 6.0, **settings: object
) -> tuple[Computed, MovieModel]:
    motion = draw_motion(np.random.default_rng(2), 20, drift_px=drift, local_px=0.5, jitter_px=0.05)
    model = MovieModel(11, (1024, 1024), pixel, 1.2, ctf, motion, sensor=CAMERA, **settings)  # type: ignore[arg-type]
    path = folder / "movie.tiff"
    frames = SimulatedMovie(model, load_molecule()).frames()
    assert write_movie(path, frames, threading.Event(), "tiff", dose_e_per_px=24.0, seed=1)
    parameters = MovieParameters(
        pixel_size_angstrom=pixel,
        voltage_kv=300.0,
        spherical_aberration_mm=2.7,
        amplitude_contrast=0.07,
        dose_per_frame_e_per_A2=model.dose_per_frame,
        patches_y=1,
        patches_x=1,
        search_phase_shift=phase_plate,
    )
    return compute_movie(str(path), None, parameters, Timing()), model


def motion_error(found: Computed, model: MovieModel) -> float:
    """RMS of the global motion against the truth, px."""
    pixel = model.pixel_size_angstrom
    error = found.motion.global_angstrom(pixel) / pixel - model.motion.trajectory
    return float(np.sqrt(((error - error.mean(axis=0)) ** 2).sum(axis=1).mean()))


def test_an_empty_hole_has_neither_motion_nor_ctf(tmp_path: Path) -> None:
    found, _ = processed(tmp_path, ctf=Ctf(12000, 11800, 20), ice=None)
    assert {"no_motion_signal", "ctf_not_determined"} <= set(found.flags)
    assert found.intensity == pytest.approx(1.2 * 0.85, rel=0.01)


def test_carbon_alone_is_aligned_and_fitted(tmp_path: Path) -> None:
    found, model = processed(tmp_path, ctf=Ctf(12000, 11700, 20), ice=None, film=Film(-math.inf, 0.0))
    assert "ctf_not_determined" not in found.flags
    assert motion_error(found, model) < 0.2
    assert found.ctf.fit.defocus.mean_angstrom == pytest.approx(11850, abs=80)


def test_on_a_tilted_specimen_the_rings_end_sooner(tmp_path: Path) -> None:
    ice = Ice(thickness_angstrom=500.0)
    level, model = processed(tmp_path, ctf=Ctf(12000, 11700, 20), ice=ice)
    tilted, _ = processed(tmp_path, ctf=Ctf(12000, 11700, 20), ice=ice, slope=Slope(-0.8, 0.05))
    assert motion_error(level, model) < 0.2
    assert "tilted" not in level.flags
    for found in (level, tilted):
        assert found.ctf.fit.defocus.mean_angstrom == pytest.approx(11850, abs=150)
    assert tilted.ctf.fit.quality.resolution_angstrom > level.ctf.fit.quality.resolution_angstrom + 0.5


def test_a_phase_plate_is_found_in_the_rings(tmp_path: Path) -> None:
    found, _ = processed(
        tmp_path, phase_plate=True, ctf=Ctf(9000, 8800, 20, phase_shift_deg=80.0), film=Film(200.0, 45.0)
    )
    assert found.ctf.fit.defocus.phase_shift_deg == pytest.approx(80, abs=6)
    assert found.ctf.fit.defocus.mean_angstrom == pytest.approx(8900, abs=200)


def test_crystals_of_ice_are_no_pattern_of_the_camera(tmp_path: Path) -> None:
    """Their reflections, at 3.9 to 3.4 Å, lie where the camera's pattern is looked for; they move with the specimen."""
    found, model = processed(
        tmp_path,
        ctf=Ctf(12000, 11800, 20),
        pixel=0.8,
        drift=2.0,
        ice=Ice(thickness_angstrom=300.0),
        crystalline_angstrom=200.0,
    )
    assert "fixed_pattern" not in found.flags
    assert motion_error(found, model) < 0.33
