"""A simulated microscope: an EPU session that grows, movie by movie, in real units and with known truth."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from athena.errors import Invalid
from athena_pipelines.simulate.epu.grid import Place
from athena_pipelines.simulate.epu.writer import ExposureRecord, SessionWriter
from athena_pipelines.simulate.motion import draw_motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.specimen import Ice
from athena_pipelines.simulate.structure import APOFERRITIN, load_molecule
from athena_pipelines.simulate.truth import TRUTH_FILE, Current, MovieTruth, SessionTruth, read_truth, write_truth

Progress = Callable[[int, int, str], None]
"""Called after each exposure with (exposures there, exposures wanted, name)."""


@dataclass(frozen=True, kw_only=True)
class Microscope:
    """Settings of the simulated microscope; every random value is drawn from these ranges.

    Attributes
    ----------
    counts_per_px : electrons a pixel and frame on the camera.
    target_defocus_um : the list EPU cycles through, positive is underfocus.
    defocus_error_um : standard deviation of true against target defocus.
    astigmatism_angstrom, drift_px, local_px : (smallest, largest) of U − V, of the trajectory, of the local field.
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
    failures: float = 0.0


class EpuSimulator:
    """Writes an EPU session below ``out``, an atlas session beside it, and ``truth.json`` into the session.

    Parameters
    ----------
    size : (h, w) px of a frame.
    seed : with the same seed and settings, the same movies.
    interval_s : seconds from one exposure to the next; 0 is as fast as it goes.
    structure : PDB or mmCIF file of the molecule in the ice.

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
    ) -> None:
        if movies < 0 or frames < 1 or min(size) < 64:
            raise Invalid(
                f"A session of {movies} movies of {frames} frames of {size[0]} × {size[1]} px cannot be made.",
                hint="Ask for at least one frame and 64 × 64 px.",
            )
        self.out = out
        self.movies = movies
        self.size = size
        self.frames = frames
        self.seed = seed
        self.interval_s = interval_s
        self.structure = structure
        self.microscope = microscope or Microscope()
        self._truth: SessionTruth | None = None
        self._writer: SessionWriter | None = None

    @property
    def session(self) -> Path:
        """Folder of the session; made when it is not there yet."""
        return self.prepare()

    def prepare(self) -> Path:
        """Find the session that is to go on, or begin one: session, squares and atlas, no exposure yet."""
        if self._writer is not None:
            return self._writer.folder
        molecule = load_molecule(self.structure)
        found = sorted(path.parent for path in self.out.glob(f"*/{TRUTH_FILE}"))
        if found:
            truth = read_truth(found[-1])
            _require_same(truth, self._parameters(), found[-1])
        else:
            started = datetime.now(UTC).astimezone()
            stamp = started.strftime("%Y%m%d_%H%M%S")
            truth = SessionTruth(
                kind="simulated",
                name=f"Supervisor_{stamp}_Simulated_{molecule.name}",
                atlas_session=f"Supervisor_{stamp}_Atlas_Simulated_{molecule.name}",
                started=started,
                source=f"simulated from {molecule.name}",
                parameters=self._parameters(),
            )
        scope = self.microscope
        writer = SessionWriter(
            self.out,
            truth,
            seed=self.seed,
            grid_name=molecule.name,
            target_defocus_um=scope.target_defocus_um,
            exposure_time_s=self.frames * scope.seconds_per_frame,
        )
        writer.begin()
        write_truth(writer.folder, truth)
        self._truth, self._writer = truth, writer
        return writer.folder

    def run(self, stop: threading.Event | None = None, progress: Progress | None = None) -> Path:
        """Write exposures until there are ``movies`` of them or ``stop`` is set; returns the session's folder."""
        stop = stop or threading.Event()
        folder = self.prepare()
        due = time.monotonic()
        while not stop.is_set():
            truth = self._truth
            assert truth is not None
            index = len(truth.movies)
            if index >= self.movies or stop.wait(max(0.0, due - time.monotonic())):
                break
            due = time.monotonic() + self.interval_s
            name = self._expose(index, stop)
            if name is not None and progress is not None:
                progress(index + 1, self.movies, name)
        return folder

    def _expose(self, index: int, stop: threading.Event) -> str | None:
        """Write one exposure; None when stopped in the middle, with nothing left of its movie."""
        truth, writer = self._truth, self._writer
        assert truth is not None
        assert writer is not None
        current = truth.current
        if current is None or current.index != index:
            # in the past by its own length, so that the time in the file names never runs ahead of the clock
            current = Current(index=index, acquired=datetime.now(UTC).astimezone().replace(microsecond=0))
            truth = truth.model_copy(update={"current": current})
            write_truth(writer.folder, truth)
            self._truth = truth
        place = writer.grid.place(index)
        model, kind = self._draw(index)
        target = self._target(index)
        record = ExposureRecord(
            place=place,
            acquired=current.acquired,
            shape=self.size,
            pixel_size_angstrom=model.pixel_size_angstrom,
            frames=self.frames,
            counts_per_px=model.counts_per_px,
            target_defocus_um=target,
            exposure_time_s=self.frames * self.microscope.seconds_per_frame,
            voltage_kv=self.microscope.voltage_kv,
        )
        movie = SimulatedMovie(model, load_molecule(self.structure))
        stem = writer.write_exposure(record, still=movie.still(), seed=self.seed)
        path = stem.with_name(f"{stem.name}_fractions.tiff")
        if kind != "no_movie" and not write_tiff_movie(path, movie.frames(), stop):
            return None
        done = _movie_truth(model, record, kind, writer, path)
        self._truth = truth.model_copy(update={"current": None, "movies": (*truth.movies, done)})
        write_truth(writer.folder, self._truth)
        return stem.name

    def _target(self, index: int) -> float:
        targets = self.microscope.target_defocus_um
        return targets[index % len(targets)]

    def _draw(self, index: int) -> tuple[MovieModel, str]:
        """What the ``index``-th movie is; depends on the seed and the index alone."""
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

    def _parameters(self) -> dict[str, str | int | float | bool | list[float] | None]:
        """What decides the movies of the session, for truth.json."""
        chosen: dict[str, str | int | float | bool | list[float] | None] = {
            "height": self.size[0],
            "width": self.size[1],
            "frames": self.frames,
            "seed": self.seed,
            "structure": self.structure.name,
        }
        for field in fields(self.microscope):
            value = getattr(self.microscope, field.name)
            chosen[field.name] = list(value) if isinstance(value, tuple) else value
        return chosen


def write_tiff_movie(path: Path, frames: Iterator[NDArray[np.uint8]], stop: threading.Event) -> bool:
    """Write frames (row 0 at the bottom) as an LZW TIFF with the top row first, growing in place as a camera does.

    Returns False when ``stop`` was set before the last frame; the file is then taken away again.
    """
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            rows = max(1, 2**18 // frame.shape[1])
            writer.write(
                frame[::-1],
                compression="lzw",
                rowsperstrip=rows,
                photometric="minisblack",
                contiguous=False,
                metadata=None,
            )
            if stop.is_set():
                break
        else:
            return True
    path.unlink()
    return False


def _movie_truth(model: MovieModel, record: ExposureRecord, kind: str, writer: SessionWriter, path: Path) -> MovieTruth:
    pixel = model.pixel_size_angstrom
    edge = np.linspace(-1, 1, 9)
    vv, uu = np.meshgrid(edge, edge, indexing="ij")
    local = model.motion.local_at(uu.ravel(), vv.ravel())
    place: Place = record.place
    trajectory = [(float(x), float(y)) for x, y in np.round(model.motion.trajectory, 4)]
    return MovieTruth(
        name=path.name.removesuffix("_fractions.tiff"),
        kind=kind,
        movie=None if kind == "no_movie" else path.relative_to(writer.folder).as_posix(),
        acquired=record.acquired,
        grid_square_id=place.square.id,
        foil_hole_id=place.hole.id,
        shape=model.shape,
        frames=record.frames,
        pixel_size_angstrom=pixel,
        counts_per_px_per_frame=model.counts_per_px,
        dose_per_frame_e_per_A2=model.dose_per_frame,
        total_dose_e_per_A2=model.dose_per_frame * record.frames,
        voltage_kv=model.ctf.voltage_kv,
        spherical_aberration_mm=model.ctf.spherical_aberration_mm,
        amplitude_contrast=model.ctf.amplitude_contrast,
        target_defocus_um=record.target_defocus_um,
        defocus_u_angstrom=None if kind == "empty" else round(model.ctf.defocus_u_angstrom, 2),
        defocus_v_angstrom=None if kind == "empty" else round(model.ctf.defocus_v_angstrom, 2),
        astigmatism_angle_deg=None if kind == "empty" else round(model.ctf.astigmatism_angle_deg, 3),
        ice_thickness_angstrom=model.ice.thickness_angstrom if model.ice else None,
        global_px=tuple(trajectory),
        global_angstrom=tuple((x * pixel, y * pixel) for x, y in trajectory),
        local_coefficients_px=tuple(
            tuple((float(a), float(b), float(c)) for a, b, c in axis) for axis in np.round(model.motion.local, 6)
        ),
        local_max_px=round(float(np.linalg.norm(local, axis=-1).max()), 4),
    )


def _require_same(
    truth: SessionTruth, parameters: dict[str, str | int | float | bool | list[float] | None], folder: Path
) -> None:
    """A session goes on only with the settings it began with."""
    differing = sorted(name for name in parameters if truth.parameters.get(name) != parameters[name])
    if differing:
        raise Invalid(
            f"{folder} was begun with other settings ({', '.join(differing)}).",
            hint="Use the same settings to go on with it, or give an empty folder for a new session.",
        )
