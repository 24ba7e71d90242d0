"""A simulated microscope at tomography: a Tomography 5 session of molecules in ice, in real units, with known truth."""

import threading
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from athena.errors import Invalid
from athena_pipelines.simulate.camera import Camera, draw_camera, write_gain
from athena_pipelines.simulate.containers import RAW_FRAMES, Container, write_movie
from athena_pipelines.simulate.sensor import Sensor
from athena_pipelines.simulate.stepwise import StepwiseSession
from athena_pipelines.simulate.structure import APOFERRITIN, load_molecule
from athena_pipelines.simulate.tomo.grid import Position
from athena_pipelines.simulate.tomo.imaging import moving_image
from athena_pipelines.simulate.tomo.mdoc import TiltRecord
from athena_pipelines.simulate.tomo.settings import Tomography
from athena_pipelines.simulate.tomo.stack import Stack
from athena_pipelines.simulate.tomo.tilts import Series, draw_series, nominal_angles
from athena_pipelines.simulate.tomo.truth import SeriesTruth, TiltTruth, TomoTruth, series_truth, tilt_truth
from athena_pipelines.simulate.tomo.writer import SESSION_FILE, TomoWriter
from athena_pipelines.simulate.truth import Current, Parameters, read_as, write_truth

SUFFIXES: dict[Container, str] = {"tiff": "_fractions.tiff", "mrc": "_Fractions.mrc", "eer": "_EER.eer"}
"""What Tomography 5 puts behind the name of a tilt."""
MAGNIFICATION = 64_000
GAIN_FILE = "Simulated_gain.tiff"


class TomoSimulator(StepwiseSession):
    """Writes a Tomography 5 session of simulated tilt series, and ``truth.json`` into it.

    Parameters
    ----------
    series : places of the stage to take tilt series at, one after the other, ``settings.shots`` at each.
    size : (h, w) px of a frame.
    frames : of each tilt.
    seed : with the same seed and settings, the same movies.
    interval_s : seconds from one tilt to the next; 0 is as fast as it goes.
    structure : PDB or mmCIF file of the molecule in the ice.
    container : of the movies; in EER each frame becomes RAW_FRAMES raw frames.

    Starting again on the same ``out`` goes on after the last complete tilt.
    """

    def __init__(
        self,
        out: Path,
        *,
        series: int,
        size: tuple[int, int] = (1024, 1024),
        frames: int = 8,
        seed: int = 1,
        interval_s: float = 0.0,
        structure: Path = APOFERRITIN,
        settings: Tomography | None = None,
        container: Container = "tiff",
    ) -> None:
        if series < 0 or frames < 1 or min(size) < 64:
            raise Invalid(
                f"A session of {series} tilt series of {frames} frames of {size[0]} × {size[1]} px cannot be made.",
                hint="Ask for at least one frame and 64 × 64 px.",
            )
        self.settings = settings or Tomography()
        self._tilts = len(nominal_angles(self.settings))
        shots = self.settings.shots
        super().__init__(
            out, wanted=series * shots * self._tilts, seed=seed, interval_s=interval_s, container=container
        )
        self.series = series
        self.size = size
        self.frames = frames
        self.structure = structure
        self._drawn: dict[int, Series] = {}
        self._open: tuple[TomoWriter, TomoTruth] | None = None

    def prepare(self) -> Path:
        """Find the session that is to go on, or begin one: session, search maps and positions, no tilt yet.

        Raises
        ------
        Invalid : there is a session that was begun with other settings.
        """
        if self._open is None:
            found = self._find(SESSION_FILE)
            if found is not None:
                truth = read_as(TomoTruth, found)
                self._require_same(truth.parameters, found)
            else:
                truth = self._begin(datetime.now(UTC).astimezone())
            writer = self._writer(truth)
            writer.begin(
                grid_name=load_molecule(self.structure).name,
                movie_format="Tiff Lzw Gain normalized" if self._camera is None else "Tiff Lzw Non-Gain normalized",
                done=sum(series.complete for series in truth.series),
            )
            write_truth(writer.folder, truth)
            path = writer.folder / GAIN_FILE
            if self._camera is not None and not path.exists():
                write_gain(path, self._camera)
            self._open = writer, truth
            self._complete()
        return self._open[0].folder

    @cached_property
    def _camera(self) -> Camera | None:
        settings = self.settings
        if settings.gain_spread == 0 and settings.hot_pixels == 0:
            return None
        rng = np.random.default_rng([self.seed, 2**20])
        return draw_camera(rng, self.size, spread=settings.gain_spread, hot_fraction=settings.hot_pixels)

    def _parameters(self) -> Parameters:
        return {
            "height": self.size[0],
            "width": self.size[1],
            "frames": self.frames,
            "seed": self.seed,
            "structure": self.structure.name,
            "container": self.container,
            **_by_name(self.settings),
        }

    def _implied(self) -> Parameters:
        """A setting that was added later is off by default, as it was before."""
        return _by_name(Tomography())

    def _begin(self, started: datetime) -> TomoTruth:
        settings, molecule = self.settings, load_molecule(self.structure)
        return TomoTruth(
            name=f"Supervisor_{started:%Y%m%d_%H%M%S}_Tomography_Simulated_{molecule.name}",
            started=started,
            source=f"simulated from {molecule.name}",
            shape=self.size,
            frames=self.frames,
            pixel_size_angstrom=settings.pixel_size_angstrom,
            voltage_kv=settings.voltage_kv,
            spherical_aberration_mm=settings.spherical_aberration_mm,
            amplitude_contrast=settings.amplitude_contrast,
            parameters=self._parameters(),
            detector=Sensor(settings.mtf_nyquist, settings.dqe_zero).curves(),
        )

    def _writer(self, truth: TomoTruth) -> TomoWriter:
        return TomoWriter(
            self.out / truth.name,
            seed=self.seed,
            positions=max(self.series * self.settings.shots, len(truth.series)),
            shots=self.settings.shots,
            started=truth.started,
            target_defocus_um=self.settings.target_defocus_um,
            voltage_kv=self.settings.voltage_kv,
        )

    @property
    def _state(self) -> tuple[TomoWriter, TomoTruth]:
        self.prepare()
        assert self._open is not None
        return self._open

    def _done(self) -> int:
        return sum(len(series.tilts) for series in self._state[1].series)

    def _series(self, index: int) -> Series:
        """The ``index``-th series; those of the last place of the stage are at hand."""
        if index not in self._drawn:
            first = index - index % self.settings.shots
            molecule = load_molecule(self.structure)
            self._drawn = {number: series for number, series in self._drawn.items() if number >= first}
            self._drawn[index] = draw_series(
                self.settings, molecule, seed=self.seed, index=index, shape=self.size, frames=self.frames
            )
        return self._drawn[index]

    def _expose(self, index: int, stop: threading.Event) -> str | None:
        writer, truth = self._state
        shots = self.settings.shots
        at, within = divmod(index, shots * self._tilts)
        order, shot = divmod(within, shots)
        number = at * shots + shot
        place, series = writer.positions[number], self._series(number)
        truth = self._begin_tilt(truth, index, number, series)
        assert truth.current is not None
        acquired, tilt = truth.current.acquired, series.tilts[order]
        name = f"{place.name}_{order + 1:03d}_{tilt.nominal_deg:.2f}_{acquired:%Y%m%d_%H%M%S}"
        path = writer.folder / (name + SUFFIXES[self.container])
        response = None if self._camera is None else self._camera.response
        molecule = load_molecule(self.structure)
        image = moving_image(self.settings, molecule, series.sample, tilt, shape=self.size, response=response)
        total = np.zeros(self.size, dtype=np.float32)
        dose = self.settings.dose_e_per_A2 * self.settings.pixel_size_angstrom**2
        frames = _summed(image.frames(), total)
        if not write_movie(path, frames, stop, self.container, dose_e_per_px=dose, seed=self.seed + index):
            return None
        self._stack(place).put(order, self._corrected(total))
        made = tilt_truth(
            tilt, series, self.settings, name=name, movie=path.name, acquired=acquired, mean_counts=image.mean_counts
        )
        before = truth.series[number]
        grown = before.model_copy(update={"tilts": (*before.tilts, made)})
        self._keep(truth.model_copy(update={"current": None, "series": _replaced(truth.series, number, grown)}))
        self._complete()
        return name

    def _begin_tilt(self, truth: TomoTruth, index: int, number: int, series: Series) -> TomoTruth:
        """Say in the truth that a tilt is being taken, and what its series is when it is the first of it."""
        update: dict[str, object] = {}
        if len(truth.series) <= number:
            place = self._state[0].positions[number]
            begun = series_truth(
                series,
                self.settings,
                load_molecule(self.structure),
                name=place.name,
                stage_um=_micrometres(place.stage),
                image_shift_um=_micrometres(place.image_shift),
            )
            update["series"] = (*truth.series, begun)
        if truth.current is None or truth.current.index != index:
            update["current"] = Current(index=index, acquired=datetime.now(UTC).astimezone().replace(microsecond=0))
        if update:
            truth = truth.model_copy(update=update)
            self._keep(truth)
        return truth

    def _complete(self) -> None:
        """Write the mdocs of series all of whose tilts are there; also after a crash just before that."""
        writer = self._state[0]
        for number, series in enumerate(self._state[1].series):
            if series.complete or len(series.tilts) < self._tilts:
                continue
            place = writer.positions[number]
            stack = self._stack(place)
            tilts = [self._record(series, tilt, stack.read(tilt.order)) for tilt in series.tilts]
            writer.write_mdoc(place, tilts, shape=self.size)
            writer.write_positions(done=number + 1)
            truth = self._state[1]
            whole = series.model_copy(update={"complete": True})
            self._keep(truth.model_copy(update={"series": _replaced(truth.series, number, whole)}))

    def _record(self, series: SeriesTruth, tilt: TiltTruth, image: NDArray[np.uint16]) -> TiltRecord:
        settings = self.settings
        return TiltRecord(
            movie=tilt.movie,
            acquired=tilt.acquired,
            tilt_deg=tilt.tilt_angle_deg,
            stage_um=series.stage_um,
            image_shift_um=series.image_shift_um,
            magnification=MAGNIFICATION,
            pixel_size_angstrom=settings.pixel_size_angstrom,
            rotation_deg=series.tilt_axis_deg,
            target_defocus_um=series.target_defocus_um,
            exposure_time_s=self.frames * settings.seconds_per_frame,
            dose_e_per_A2=tilt.dose_e_per_A2,
            prior_dose_e_per_A2=tilt.prior_dose_e_per_A2,
            frames=self.frames * (RAW_FRAMES if self.container == "eer" else 1),
            lowest=int(image.min()),
            highest=int(image.max()),
            mean=float(image.mean()),
        )

    def _stack(self, place: Position) -> Stack:
        pixel = self.settings.pixel_size_angstrom
        return Stack(self._state[0].folder / f"{place.name}.mrc", self.size, pixel_size_angstrom=pixel)

    def _corrected(self, total: NDArray[np.float32]) -> NDArray[np.uint16]:
        """The image that is shown at the microscope: the sum of the frames, with the gain but as it moved."""
        image = total if self._camera is None else total * self._camera.gain
        return np.clip(np.rint(image), 0, 65535).astype(np.uint16)

    def _keep(self, truth: TomoTruth) -> None:
        writer = self._state[0]
        write_truth(writer.folder, truth)
        self._open = writer, truth


def _summed(frames: Iterator[NDArray[np.uint8]], total: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
    """The same frames, added up as they go by."""
    for frame in frames:
        total += frame
        yield frame


def _micrometres(place_m: tuple[float, float]) -> tuple[float, float]:
    return round(place_m[0] * 1e6, 4), round(place_m[1] * 1e6, 4)


def _replaced(series: tuple[SeriesTruth, ...], number: int, by: SeriesTruth) -> tuple[SeriesTruth, ...]:
    return (*series[:number], by, *series[number + 1 :])


def _by_name(settings: Tomography) -> Parameters:
    """Settings as they are written down."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
