"""A simulated microscope: an EPU session of molecules in ice, in real units and with known truth."""

from dataclasses import fields
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from athena.errors import Invalid
from athena_pipelines.simulate.camera import Camera, draw_camera, write_gain
from athena_pipelines.simulate.containers import Container
from athena_pipelines.simulate.epu.beam import point_beam
from athena_pipelines.simulate.epu.grid import Place
from athena_pipelines.simulate.epu.writer import ExposureRecord, SessionWriter
from athena_pipelines.simulate.exposures import draw_exposure, movie_truth
from athena_pipelines.simulate.growing import GrowingSession, Made
from athena_pipelines.simulate.microscope import Microscope
from athena_pipelines.simulate.movie import SimulatedMovie
from athena_pipelines.simulate.sensor import Sensor
from athena_pipelines.simulate.structure import APOFERRITIN, load_molecule
from athena_pipelines.simulate.truth import Parameters, SessionTruth


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
        return {
            "height": self.size[0],
            "width": self.size[1],
            "frames": self.frames,
            "seed": self.seed,
            "structure": self.structure.name,
            "container": self.container,
            **_by_name(self.microscope),
        }

    def _implied(self) -> Parameters:
        """A setting of the microscope that was added later is off by default, as it was before."""
        return _by_name(Microscope())

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
            detector=Sensor(self.microscope.mtf_nyquist, self.microscope.dqe_zero).curves(),
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
            phase_plate=self._phase_plate,
            afis=self.microscope.afis,
        )

    @property
    def _phase_plate(self) -> bool:
        return self.microscope.phase_shift_deg != (0.0, 0.0)

    def _make(self, index: int, *, place: Place, acquired: datetime) -> Made:
        scope = self.microscope
        exposure = draw_exposure(scope, seed=self.seed, index=index, place=place, size=self.size, frames=self.frames)
        response = self._camera.response if self._camera is not None else None
        movie = SimulatedMovie(exposure.model, load_molecule(self.structure), response=response)
        record = ExposureRecord(
            place=place,
            acquired=acquired,
            shape=self.size,
            pixel_size_angstrom=scope.pixel_size_angstrom,
            frames=self.frames,
            counts_per_px=scope.counts_per_px,
            target_defocus_um=exposure.target_defocus_um,
            exposure_time_s=self.frames * scope.seconds_per_frame,
            voltage_kv=scope.voltage_kv,
            gain_corrected=self._camera is None,
            phase_plate=self._phase_plate,
            stage_tilt_deg=scope.stage_tilt_deg,
        )
        beam = point_beam(place, afis=scope.afis, seed=self.seed)
        truth = movie_truth(exposure, movie, scope=scope, place=place, beam=beam, acquired=acquired)
        return Made(record, movie.still(), None if exposure.kind == "no_movie" else movie.frames(), truth)


def _by_name(microscope: Microscope) -> Parameters:
    """Settings of a microscope as they are written down."""
    values = {field.name: getattr(microscope, field.name) for field in fields(microscope)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
