"""Folders and small files of a simulated session: everything but the movies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.epu.beam import Beam, point_beam
from athena_pipelines.simulate.epu.grid import ATLAS, HOLE, SQUARE, Grid, ImageGeometry, Place
from athena_pipelines.simulate.epu.images import CAMERA, INSTRUMENT, ImageRecord, image_xml
from athena_pipelines.simulate.epu.pictures import (
    atlas_picture,
    exposure_picture,
    hole_picture,
    save_preview,
    square_picture,
)
from athena_pipelines.simulate.epu.sessions import ATLAS_ID, atlas_xml, epu_session_xml, grid_square_xml
from athena_pipelines.simulate.templates import fill
from athena_pipelines.simulate.truth import SessionTruth


@dataclass(frozen=True, kw_only=True)
class ExposureRecord:
    """What the microscope says of one exposure."""

    place: Place
    acquired: datetime
    shape: tuple[int, int]
    pixel_size_angstrom: float
    frames: int
    counts_per_px: float
    target_defocus_um: float
    exposure_time_s: float
    voltage_kv: float
    gain_corrected: bool = True
    instrument: str = INSTRUMENT
    camera: str = CAMERA
    phase_plate: bool = False
    stage_tilt_deg: float = 0.0


class SessionWriter:
    """Writes the session named in ``truth`` below ``out``; every file is the same each time it is written."""

    def __init__(
        self,
        out: Path,
        truth: SessionTruth,
        *,
        seed: int,
        grid_name: str,
        target_defocus_um: Sequence[float],
        exposure_time_s: float,
        movie_format: str = "Tiff Lzw Gain normalized",
        phase_plate: bool = False,
        afis: bool = False,
    ) -> None:
        self.grid = Grid(seed)
        self.folder = out / truth.name
        self._atlas = out / "atlas" / truth.atlas_session
        self._truth = truth
        self._seed = seed
        self._grid_name = grid_name
        self._targets = target_defocus_um
        self._exposure_time = exposure_time_s
        self._movie_format = movie_format
        self._phase_plate = phase_plate
        self._afis = afis

    def begin(self) -> None:
        """Make the atlas session, ``EpuSession.dm`` and the squares' metadata where they are not there yet."""
        self._begin_atlas()
        (self.folder / "Metadata").mkdir(parents=True, exist_ok=True)
        for square in self.grid.squares:
            path = self.folder / "Metadata" / f"GridSquare_{square.id}.dm"
            if not path.exists():
                _write(path, grid_square_xml(square))
        text = epu_session_xml(
            self.grid,
            name=self._truth.name,
            grid_name=self._grid_name,
            atlas_session=self._truth.atlas_session,
            started=self._truth.started,
            defocus_um=self._targets,
            exposure_time_s=self._exposure_time,
            movie_format=self._movie_format,
            phase_plate=self._phase_plate,
        )
        _write(self.folder / "EpuSession.dm", text)

    def beam(self, place: Place) -> Beam:
        """Where the stage and the beam are at an exposure."""
        return point_beam(place, afis=self._afis, seed=self._seed)

    def write_exposure(self, record: ExposureRecord, *, still: NDArray[np.float32], seed: int) -> Path:
        """Write an exposure's XML and preview, after those of its square and hole when it is their first.

        Returns the path of the exposure's files without suffix.
        """
        place = record.place
        folder = self.folder / "Images-Disc1" / f"GridSquare_{place.square.id}"
        (folder / "Data").mkdir(parents=True, exist_ok=True)
        (folder / "FoilHoles").mkdir(exist_ok=True)
        rng = np.random.default_rng([seed, place.hole.id, place.area])
        if place.first_of_square:
            self._write_square(folder, record, rng)
        if place.first_of_hole:
            self._write_hole(folder, record, rng)
        stem = (
            folder
            / "Data"
            / (f"FoilHole_{place.hole.id}_Data_{place.area_id}_{place.area_id + 2}_{record.acquired:%Y%m%d_%H%M%S}")
        )
        height, width = record.shape
        beam = self.beam(place)
        image = ImageRecord(
            identity=stem.name,
            geometry=ImageGeometry(width, height, record.pixel_size_angstrom * 1e-10, HOLE.turn_rad),
            acquired=record.acquired,
            stage=beam.stage,
            magnification=105_000,
            applied_defocus_m=-record.target_defocus_um * 1e-6,
            exposure_time_s=record.exposure_time_s,
            voltage_kv=record.voltage_kv,
            lens_mode="HM",
            frames=record.frames,
            counts_per_px=record.counts_per_px,
            beam_shift=beam.shift,
            gain_corrected=record.gain_corrected,
            instrument=record.instrument,
            camera=record.camera,
            phase_plate=record.phase_plate,
            stage_tilt_rad=math.radians(record.stage_tilt_deg),
        )
        save_preview(stem.with_suffix(".jpg"), exposure_picture(rng, still, record.frames))
        _write(stem.with_suffix(".xml"), image_xml(image))
        return stem

    def _begin_atlas(self) -> None:
        sample = self._atlas / "Sample1"
        (sample / "Atlas").mkdir(parents=True, exist_ok=True)
        acquired = self._truth.started - timedelta(minutes=30)
        _write(
            self._atlas / "ScreeningSession.dm",
            fill("screening_session", name=self._truth.atlas_session, acquired=acquired.isoformat()),
        )
        _write(sample / "Sample.dm", fill("sample", grid_name=self._grid_name))
        record = ImageRecord(
            identity=f"{self._truth.atlas_session}/{ATLAS_ID}",
            geometry=ATLAS,
            acquired=acquired,
            stage=(0.0, 0.0),
            magnification=135,
            applied_defocus_m=-1e-3,
            exposure_time_s=1.0,
            voltage_kv=300.0,
            custom=(("NumberOfTilesPlanned", "int", 35), ("NumberOfTilesAcquired", "int", 35)),
        )
        _write(sample / "Atlas" / f"Atlas_{ATLAS_ID}.xml", image_xml(record))
        save_preview(
            sample / "Atlas" / f"Atlas_{ATLAS_ID}.jpg", atlas_picture(np.random.default_rng(self._seed), self.grid)
        )
        _write(sample / "Atlas" / "Atlas.dm", atlas_xml(self.grid, acquired=acquired, description=self._grid_name))

    def _write_square(self, folder: Path, record: ExposureRecord, rng: np.random.Generator) -> None:
        square = record.place.square
        acquired = record.acquired - timedelta(minutes=3)
        stem = folder / f"GridSquare_{acquired:%Y%m%d_%H%M%S}"
        image = ImageRecord(
            identity=f"{self._truth.name}/{square.id}",
            geometry=SQUARE,
            acquired=acquired,
            stage=square.stage,
            magnification=740,
            applied_defocus_m=-1e-4,
            exposure_time_s=1.0,
            voltage_kv=record.voltage_kv,
        )
        save_preview(stem.with_suffix(".jpg"), square_picture(rng, square))
        _write(stem.with_suffix(".xml"), image_xml(image))
        windows_path = rf"X:\simulated\{self._truth.name}\Images-Disc1\{folder.name}\{stem.name}.xml"
        _write(self.folder / "Metadata" / f"GridSquare_{square.id}.dm", grid_square_xml(square, image=windows_path))

    def _write_hole(self, folder: Path, record: ExposureRecord, rng: np.random.Generator) -> None:
        hole = record.place.hole
        acquired = record.acquired - timedelta(seconds=30)
        stem = folder / "FoilHoles" / f"FoilHole_{hole.id}_{acquired:%Y%m%d_%H%M%S}"
        image = ImageRecord(
            identity=f"{self._truth.name}/{hole.id}",
            geometry=HOLE,
            acquired=acquired,
            stage=hole.stage,
            magnification=8700,
            applied_defocus_m=-1e-4,
            exposure_time_s=0.5,
            voltage_kv=record.voltage_kv,
            lens_mode="HM",
            found_hole=True,
        )
        save_preview(stem.with_suffix(".jpg"), hole_picture(rng))
        _write(stem.with_suffix(".xml"), image_xml(image))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
