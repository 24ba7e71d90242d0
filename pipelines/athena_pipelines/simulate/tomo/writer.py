"""Folders and small files of a simulated Tomography 5 session: everything but movies and stacks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from athena.formats.mrc import write_mrc
from athena.formats.writing import write_whole
from athena_pipelines.simulate.epu.grid import SQUARE, Grid
from athena_pipelines.simulate.epu.images import INSTRUMENT, ImageRecord, image_xml
from athena_pipelines.simulate.epu.pictures import save_preview, square_picture
from athena_pipelines.simulate.templates import Xml, fill
from athena_pipelines.simulate.tomo.grid import STAGE_CORRECTION, Position, position
from athena_pipelines.simulate.tomo.mdoc import TiltRecord, mdoc_text

SOFTWARE = ("Tomography", "5.23.0.10273")
SESSION_FILE = "Session.dm"


class TomoWriter:
    """Writes the small files of the session in ``folder``; every file is the same each time it is written.

    Parameters
    ----------
    positions : how many tilt series there will be, ``shots`` from each place of the stage.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        positions: int,
        shots: int,
        started: datetime,
        target_defocus_um: Sequence[float],
        voltage_kv: float,
    ) -> None:
        self.folder = folder
        self._grid = Grid(seed)
        self._seed = seed
        self._started = started
        self._targets = target_defocus_um
        self._voltage = voltage_kv
        self.positions = tuple(position(self._grid, index, shots=shots) for index in range(positions))

    def begin(self, *, grid_name: str, movie_format: str, done: int) -> None:
        """Write what is there before the first tilt: session, search maps with their images, list of positions.

        ``done`` positions have been taken already when the session goes on.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        session = fill(
            "tomo_session",
            name=self.folder.name,
            started=self._started.isoformat(),
            grid_name=grid_name,
            movie_format=movie_format,
        )
        _write(self.folder / SESSION_FILE, session)
        for place in self.positions:
            if place.first_of_map:
                self._write_search_map(place)
        self.write_positions(done=done)

    def write_positions(self, *, done: int) -> None:
        """Write the list of positions, of which the first ``done`` series have been taken."""
        shots: dict[int, list[str]] = {}
        for index, place in enumerate(self.positions):
            if place.shot:
                x, y = place.image_shift
                area = fill("exposure_area", name=place.name, defocus_m=self._defocus_m(index), x=x, y=y)
                shots.setdefault(place.number, []).append(area)
        last = {place.number: index for index, place in enumerate(self.positions)}
        listed = (
            fill(
                "batch_position",
                name=place.name,
                status="Completed" if last[place.number] < done else "Ready",
                defocus_m=self._defocus_m(index),
                stage_x=place.stage[0],
                stage_y=place.stage[1],
                search_map=place.map_name,
                shots=Xml("".join(shots.get(place.number, ()))),
            )
            for index, place in enumerate(self.positions)
            if place.shot == 0
        )
        folder = self.folder / "Batch"
        folder.mkdir(exist_ok=True)
        _write(folder / "BatchPositionsList.xml", fill("batch_positions", positions=Xml("".join(listed))))

    def _defocus_m(self, index: int) -> float:
        """Target of a series; negative is underfocus."""
        return -self._targets[index % len(self._targets)] * 1e-6

    def write_mdoc(self, place: Position, tilts: Sequence[TiltRecord], *, shape: tuple[int, int]) -> None:
        """Write the mdoc of a complete series."""
        text = mdoc_text(
            tilts,
            stack=f"{place.name}.mrc",
            shape=shape,
            voltage_kv=self._voltage,
            instrument=INSTRUMENT,
            movie_folder=rf"\\SIMULATOR\OffloadData\{self.folder.name}",
        )
        _write(self.folder / f"{place.name}.mdoc", text)

    def _write_search_map(self, place: Position) -> None:
        folder = self.folder / "SearchMaps" / place.map_name
        folder.mkdir(parents=True, exist_ok=True)
        record = ImageRecord(
            identity=f"{self.folder.name}/{place.map_name}",
            geometry=SQUARE,
            acquired=self._started - timedelta(minutes=10),
            stage=place.square.stage,
            magnification=740,
            applied_defocus_m=-1e-4,
            exposure_time_s=1.0,
            voltage_kv=self._voltage,
            more_custom=_correction("ReferenceCorrectionForStage", STAGE_CORRECTION)
            + _correction("ReferenceCorrectionForImageShift", np.eye(2)),
            software=SOFTWARE,
        )
        picture = square_picture(np.random.default_rng([self._seed, place.square.number]), place.square)
        save_preview(folder / "SearchMap.jpg", picture)
        scale = SQUARE.width / picture.shape[1]
        write_mrc(folder / "SearchMap.mrc", picture[::-1], pixel_size_angstrom=SQUARE.pixel_m * 1e10 * scale)
        _write(folder / "SearchMap.xml", image_xml(record))
        size = fill("search_map", name=place.map_name, width=SQUARE.width, height=SQUARE.height)
        _write(folder / "SearchMap.dm", size)


def _correction(key: str, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    (m11, m12), (m21, m22) = matrix.tolist()
    return fill("reference_correction", key=key, m11=m11, m12=m12, m21=m21, m22=m22)


def _write(path: Path, text: str) -> None:
    write_whole(path, text.encode())
