"""A simulated microscope: an EPU session of molecules in ice, in real units and with known truth."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from athena.errors import Invalid
from athena_pipelines.simulate.camera import Camera, draw_camera, write_gain
from athena_pipelines.simulate.containers import Container
from athena_pipelines.simulate.epu.grid import Place
from athena_pipelines.simulate.epu.writer import ExposureRecord, SessionWriter
from athena_pipelines.simulate.growing import GrowingSession, Made
from athena_pipelines.simulate.motion import draw_motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.specimen import Ice
from athena_pipelines.simulate.structure import APOFERRITIN, load_molecule
from athena_pipelines.simulate.truth import MovieTruth, Parameters, SessionTruth, motion_truth

Kind = Literal["specimen", "empty", "no_movie"]


@dataclass(frozen=True, kw_only=True)
class Microscope:
    """Settings of the simulated microscope; every random value is drawn from these ranges.

    Attributes
    ----------
    counts_per_px : electrons a pixel and frame on the camera.
    target_defocus_um : the list EPU cycles through, positive is underfocus.
    defocus_error_um : standard deviation of true against target defocus.
    astigmatism_angstrom, drift_px, local_px : (smallest, largest) of U − V, of the trajectory, of the local field.
    gain_spread : standard deviation of the pixels' gain; 0 writes gain-corrected movies, else raw ones and a reference.
    hot_pixels : share of hot pixels.
    failures : chance that an exposure is an empty hole or has no movie.
    """

    pixel_size_angstrom: float = 1.0
    voltage_kv: float = 300.0
    spherical_aberration_mm: float = 2.7
    amplitude_contrast: float = 0.07
    counts_per_px: float = 0.8
    seconds_per_frame: float = 0.06
    target_defocus_um: tuple[float, ...] = (0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
    defocus_error_um: float = 0.12
    astigmatism_angstrom: tuple[float, float] = (50.0, 500.0)
    drift_px: tuple[float, float] = (3.0, 15.0)
    local_px: tuple[float, float] = (0.5, 3.0)
    jitter_px: float = 0.08
    ice_angstrom: tuple[float, float] = (200.0, 600.0)
    coverage: tuple[float, float] = (0.1, 0.3)
    b_factor: float = 60.0
    gain_spread: float = 0.0
    hot_pixels: float = 0.0
    failures: float = 0.0


class EpuSimulator(GrowingSession):
    """Writes an EPU session of simulated movies.

    Parameters
    ----------
    size : (h, w) px of a frame.
    seed : with the same seed and settings, the same movies.
    interval_s : seconds from one exposure to the next; 0 is as fast as it goes.
    structure : PDB or mmCIF file of the molecule in the ice.
    container : of the movies; in EER each frame becomes RAW_FRAMES raw frames.

    Starting again on the same ``out`` goes on after the last complete movie.
    """

    def __init__(
        self,
        out: Path,
        *,
        movies: int,
        size: tuple[int, int] = (4096, 4096),
        frames: int = 40,
        seed: int = 1,
        interval_s: float = 3.0,
        structure: Path = APOFERRITIN,
        microscope: Microscope | None = None,
        container: Container = "tiff",
    ) -> None:
        if movies < 0 or frames < 1 or min(size) < 64:
            raise Invalid(
                f"A session of {movies} movies of {frames} frames of {size[0]} × {size[1]} px cannot be made.",
                hint="Ask for at least one frame and 64 × 64 px.",
            )
        super().__init__(out, movies=movies, seed=seed, interval_s=interval_s, container=container)
        self.size = size
        self.frames = frames
        self.structure = structure
        self.microscope = microscope or Microscope()

    @cached_property
    def _camera(self) -> Camera | None:
        scope = self.microscope
        if scope.gain_spread == 0 and scope.hot_pixels == 0:
            return None
        rng = np.random.default_rng([self.seed, 2**20])
        return draw_camera(rng, self.size, spread=scope.gain_spread, hot_fraction=scope.hot_pixels)

    def prepare(self) -> Path:
        """As for any session; with a camera that is not even, its gain reference too."""
        folder = super().prepare()
        path = folder / "Simulated_gain.tiff"
        if self._camera is not None and not path.exists():
            write_gain(path, self._camera)
        return folder

    def _parameters(self) -> Parameters:
        chosen: Parameters = {
            "height": self.size[0],
            "width": self.size[1],
            "frames": self.frames,
            "seed": self.seed,
            "structure": self.structure.name,
            "container": self.container,
        }
        for field in fields(self.microscope):
            value = getattr(self.microscope, field.name)
            chosen[field.name] = list(value) if isinstance(value, tuple) else value
        return chosen

    def _begin(self, started: datetime, parameters: Parameters) -> SessionTruth:
        molecule = load_molecule(self.structure)
        stamp = started.strftime("%Y%m%d_%H%M%S")
        return SessionTruth(
            kind="simulated",
            name=f"Supervisor_{stamp}_Simulated_{molecule.name}",
            atlas_session=f"Supervisor_{stamp}_Atlas_Simulated_{molecule.name}",
            started=started,
            source=f"simulated from {molecule.name}",
            parameters=parameters,
        )

    def _writer(self, truth: SessionTruth) -> SessionWriter:
        return SessionWriter(
            self.out,
            truth,
            seed=self.seed,
            grid_name=load_molecule(self.structure).name,
            target_defocus_um=self.microscope.target_defocus_um,
            exposure_time_s=self.frames * self.microscope.seconds_per_frame,
            movie_format="Tiff Lzw Gain normalized" if self._camera is None else "Tiff Lzw Non-Gain normalized",
        )

    def _make(self, index: int, *, place: Place, acquired: datetime) -> Made:
        scope = self.microscope
        model, kind = self._draw(index)
        response = self._camera.response if self._camera is not None else None
        movie = SimulatedMovie(model, load_molecule(self.structure), response=response)
        target = self._target(index)
        record = ExposureRecord(
            place=place,
            acquired=acquired,
            shape=self.size,
            pixel_size_angstrom=model.pixel_size_angstrom,
            frames=self.frames,
            counts_per_px=model.counts_per_px,
            target_defocus_um=target,
            exposure_time_s=self.frames * scope.seconds_per_frame,
            voltage_kv=scope.voltage_kv,
            gain_corrected=self._camera is None,
        )
        rings = kind != "empty"
        truth = MovieTruth(
            name="",
            kind=kind,
            movie=None,
            acquired=acquired,
            grid_square_id=place.square.id,
            foil_hole_id=place.hole.id,
            shape=self.size,
            frames=self.frames,
            pixel_size_angstrom=model.pixel_size_angstrom,
            counts_per_px_per_frame=model.counts_per_px,
            dose_per_frame_e_per_A2=model.dose_per_frame,
            total_dose_e_per_A2=model.dose_per_frame * self.frames,
            voltage_kv=scope.voltage_kv,
            spherical_aberration_mm=scope.spherical_aberration_mm,
            amplitude_contrast=scope.amplitude_contrast,
            target_defocus_um=target,
            defocus_u_angstrom=round(model.ctf.defocus_u_angstrom, 2) if rings else None,
            defocus_v_angstrom=round(model.ctf.defocus_v_angstrom, 2) if rings else None,
            astigmatism_angle_deg=round(model.ctf.astigmatism_angle_deg, 3) if rings else None,
            ice_thickness_angstrom=round(model.ice.thickness_angstrom, 1) if model.ice else None,
            motion=motion_truth(model.motion, pixel_size_angstrom=model.pixel_size_angstrom),
        )
        return Made(record, movie.still(), None if kind == "no_movie" else movie.frames(), truth)

    def _target(self, index: int) -> float:
        targets = self.microscope.target_defocus_um
        return targets[index % len(targets)]

    def _draw(self, index: int) -> tuple[MovieModel, Kind]:
        """What the ``index``-th movie is."""
        scope = self.microscope
        rng = np.random.default_rng([self.seed, index])
        mean = (self._target(index) + rng.normal(0, scope.defocus_error_um)) * 1e4
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
            self.frames,
            drift_px=rng.uniform(*scope.drift_px),
            local_px=rng.uniform(*scope.local_px),
            jitter_px=scope.jitter_px,
        )
        ice = Ice(thickness_angstrom=rng.uniform(*scope.ice_angstrom), coverage=rng.uniform(*scope.coverage))
        model = MovieModel(
            seed=int(rng.integers(0, 2**31)),
            shape=self.size,
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
