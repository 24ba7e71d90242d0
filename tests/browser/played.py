"""A run as the registrar and the collector leave it, without their work: pictures and numbers made up from a seed.

For tests and screenshots of faces, where hundreds of micrographs are wanted in seconds. What is measured elsewhere
(motion, CTF) is only drawn here, in plausible shapes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert

from athena.contract.acquisitions import AcquisitionState, Optics, StagePosition
from athena.contract.branches import FIRST
from athena.contract.elements import Status
from athena.contract.events import EventKind
from athena.contract.processing import MovieResult
from athena.contract.runs import SourceState
from athena.db import people  # noqa: F401  (the element table refers to the users)
from athena.db.acquisitions import AcquisitionRow, RunRow, SourceRow
from athena.db.branches import BranchAcquisitionRow, BranchRow
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.events import append_event
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.pyramid import halve, write_pyramid
from athena.zarrio.writer import RunWriter

FRAMES, PATCHES, PIXEL = 40, (5, 5), 0.834
NYQUIST = 1 / (2 * PIXEL)
WAVELENGTH = 0.0197
"""Of 300 kV electrons, Å."""


@dataclass
class Player:
    """Plays acquisitions into a run of an instance.

    ``number`` : of the branch of results it plays into; others than 0 are made by :meth:`begin_branch` first.
    """

    settings: Settings
    run_id: UUID
    size: tuple[int, int] = (1024, 1024)
    number: int = 0

    def __post_init__(self) -> None:
        self.database = Database(self.settings.resolved_database_url)
        self.store = self.settings.run_store(str(self.run_id), self.number)
        self.writer = RunWriter.create(self.store, frames=FRAMES, patches=PATCHES)

    def close(self) -> None:
        """Let go of the database."""
        self.database.dispose()

    def leave(self) -> None:
        """The session is over: where its folder was followed, it is no more, and the run is not a live one."""
        with self.database.session() as session:
            source = session.get(SourceRow, self.run_id)
            if source is not None:
                source.state = SourceState.COMPLETED.value

    def leave_to_another(self, *, scanned: datetime) -> None:
        """A runner elsewhere has the folder and looked at it then: one that is started here leaves it alone."""
        with self.database.session() as session:
            source = session.get_one(SourceRow, self.run_id)
            source.last_scan = scanned
            source.lease_owner, source.lease_until = "a runner elsewhere", datetime.now(UTC) + timedelta(days=1)

    def attach(
        self, *, message: str, state: SourceState = SourceState.WATCHING, problems: tuple[str, ...] = ()
    ) -> None:
        """Give the run a source, as it is after a scan."""
        with self.database.session() as session:
            session.merge(
                SourceRow(
                    run_id=self.run_id,
                    adapter="epu",
                    path="/data/krios/Supervisor_20240517_apoferritin",
                    state=state.value,
                    session_name="Supervisor_20240517_apoferritin",
                    last_scan=datetime.now(UTC),
                    message=message,
                    problems=list(problems),
                )
            )
            session.get_one(ElementRow, self.run_id).status = Status.IN_PROGRESS.value
            append_event(session, EventKind.SOURCE_CHANGED, element_id=self.run_id)

    def begin_branch(self, name: str, parameters: dict[str, int]) -> None:
        """Give the run this branch of results beside the default one."""
        with self.database.session() as session:
            creator = session.get_one(ElementRow, self.run_id).creator_id
            run = session.get_one(RunRow, self.run_id, with_for_update=True)
            if run.branch_count == 1:
                session.add(BranchRow(run_id=self.run_id, number=0, name=FIRST, creator_id=creator))
            told = {"name": name, "parameters": parameters, "creator_id": creator}
            session.add(BranchRow(run_id=self.run_id, number=self.number, **told))
            run.branch_count = max(run.branch_count, self.number + 1)
            run.version += 1

    def register(self, count: int) -> list[int]:
        """Add acquisitions that wait to be processed; returns their indices."""
        with self.database.session() as session:
            run = session.get_one(RunRow, self.run_id, with_for_update=True)
            first = run.acquisition_count
            indices = list(range(first, first + count))
            for index in indices:
                begun = datetime(2024, 5, 17, 9, 0, tzinfo=UTC) + timedelta(seconds=6 * index)
                session.add(
                    AcquisitionRow(
                        run_id=self.run_id,
                        index=index,
                        name=f"FoilHole_{7_714_000 + index // 4}_Data_{7_708_110 + index % 4}_{begun:%Y%m%d_%H%M%S}",
                        state=AcquisitionState.REGISTERED.value,
                        acquired=begun,
                        movie=f"/data/krios/Images-Disc1/GridSquare_77/Data/{index:04d}_fractions.tiff",
                        optics=Optics(
                            pixel_size_angstrom=PIXEL,
                            voltage_kv=300.0,
                            spherical_aberration_mm=2.7,
                            total_dose_e_per_A2=40.0,
                            frame_count=FRAMES,
                            exposure_time_s=2.4,
                            target_defocus_um=1.2,
                            nominal_magnification=105_000,
                            microscope="Titan Krios G4",
                            camera="K3",
                        ).model_dump(mode="json"),
                        stage=StagePosition(x_um=-120.4 + index, y_um=88.1, z_um=3.2).model_dump(mode="json"),
                        grid_square_id=770_000 + index // 40,
                        foil_hole_id=7_714_000 + index // 4,
                    )
                )
            run.acquisition_count = first + count
            run.version += 1
            for index in indices:
                append_event(
                    session,
                    EventKind.ACQUISITION_REGISTERED,
                    element_id=self.run_id,
                    index=index,
                    version=run.version,
                )
        return indices

    def measure(self, count: int) -> dict[str, NDArray[np.float64]]:
        """Add many finished acquisitions that have numbers only, in one go; returns the numbers."""
        rng = np.random.default_rng(count)
        with self.database.session() as session:
            run = session.get_one(RunRow, self.run_id, with_for_update=True)
            first = run.acquisition_count
            state = AcquisitionState.COMPLETED.value
            rows = [
                {"run_id": self.run_id, "index": index, "name": f"FoilHole_{7_714_000 + index}_Data", "state": state}
                for index in range(first, first + count)
            ]
            session.execute(insert(AcquisitionRow), rows)
            hour = np.arange(count) / 600
            columns = {
                "defocus_um": 0.8 + 0.35 * (np.arange(count) % 5) + rng.normal(0, 0.03, count),
                "ctf_resolution_angstrom": 3.1 + 0.25 * np.sin(hour) + rng.gamma(1.2, 0.25, count),
                "drift_total_angstrom": 2.0 + rng.gamma(2.0, 1.6, count),
                "astigmatism_nm": abs(rng.normal(12, 6, count)),
                "phase_shift_deg": rng.normal(70, 8, count),
                "iciness": rng.gamma(2.0, 0.2, count),
                "ctf_score": rng.uniform(0.1, 0.25, count),
                "drift_early_angstrom": rng.gamma(2.0, 1.0, count),
                "mean_intensity_e_per_px": rng.normal(0.7, 0.02, count),
            }
            self.writer.write_metrics(range(first, first + count), columns)
            run.acquisition_count = first + count
            run.version += 1
            append_event(session, EventKind.RUN_CHANGED, element_id=self.run_id, version=run.version)
        return columns

    def complete(self, indices: list[int], *, images: bool = True) -> None:
        """Finish acquisitions with pictures and numbers."""
        results = [self._result(index, images=images) for index in indices]
        self.writer.write_results(results)
        self._settle(indices, AcquisitionState.COMPLETED, EventKind.ACQUISITION_COMPLETED)

    def fail(self, indices: list[int], reason: str) -> None:
        """End acquisitions in error."""
        self._settle(indices, AcquisitionState.ERROR, EventKind.ACQUISITION_FAILED, reason)

    def _settle(self, indices: list[int], state: AcquisitionState, kind: EventKind, error: str = "") -> None:
        with self.database.session() as session:
            run = session.get_one(RunRow, self.run_id, with_for_update=True)
            run.version += 1
            for index in indices:
                if self.number:
                    key = {"run_id": self.run_id, "number": self.number, "index": index}
                    told = {"state": state.value, "error": error, "processed": datetime.now(UTC)}
                    session.merge(BranchAcquisitionRow(**key, **told))
                    continue
                row = session.get_one(AcquisitionRow, (self.run_id, index))
                row.state, row.error, row.processed, row.attempts = state.value, error, datetime.now(UTC), 1
            session.flush()
            for index in indices:
                append_event(session, kind, element_id=self.run_id, index=index, version=run.version)

    def _result(self, index: int, *, images: bool) -> MovieResult:
        rng = np.random.default_rng(index + 1_000_000 * self.number)
        hour = index * 6 / 3600
        defocus_um = 0.8 + 0.35 * (index % 5) + rng.normal(0, 0.03)
        resolution = float(np.clip(3.1 + 0.25 * np.sin(hour * 5) + rng.gamma(1.2, 0.25), 2.6, 12))
        astigmatism_nm = float(abs(rng.normal(12, 6)))
        drift = float(2.0 + rng.gamma(2.0, 1.6))
        whole, field = _motion(rng, drift)
        if images:
            image = _micrograph(rng, self.size)
            write_pyramid(self.store, index, image, pixel_size_angstrom=PIXEL)
            self.writer.write_images(
                index,
                thumbnail=_thumbnail(image),
                spectrum=_spectrum(rng, defocus_um, fit=False),
                spectrum_fit=_spectrum(rng, defocus_um, fit=True),
            )
        return MovieResult(
            run_id=str(self.run_id),
            index=index,
            frames=FRAMES,
            metrics={
                "defocus_um": defocus_um,
                "defocus_u_angstrom": defocus_um * 1e4 + astigmatism_nm * 5,
                "defocus_v_angstrom": defocus_um * 1e4 - astigmatism_nm * 5,
                "astigmatism_nm": astigmatism_nm,
                "astigmatism_angle_deg": float(rng.uniform(0, 180)),
                "ctf_resolution_angstrom": resolution,
                "ctf_score": float(rng.uniform(0.1, 0.25)),
                "drift_total_angstrom": drift,
                "drift_early_angstrom": drift * 0.6,
                "drift_late_angstrom": drift * 0.4,
                "drift_mean_angstrom": drift / FRAMES,
                "drift_direction_deg": float(rng.uniform(0, 360)),
                "mean_intensity_e_per_px": 0.7,
                "dose_e_per_A2": 40.0,
                "pixel_size_angstrom": PIXEL,
                "frame_count": float(FRAMES),
                "spectrum_nyquist_per_angstrom": NYQUIST,
                "processing_s": 4.2,
            },
            global_motion=whole.ravel().tolist(),
            patch_motion=field.ravel().tolist(),
            patch_grid=PATCHES,
            ctf_curves=_curves(rng, defocus_um, resolution),
            software="played",
        )


def _phase(frequency: NDArray[np.float64], defocus_um: float) -> NDArray[np.float64]:
    return (
        np.pi * WAVELENGTH * defocus_um * 1e4 * frequency**2 - np.pi / 2 * 2.7e7 * WAVELENGTH**3 * frequency**4 + 0.07
    )


def _curves(rng: np.random.Generator, defocus_um: float, resolution: float) -> list[list[float]]:
    frequency = np.linspace(0, NYQUIST, layout.CURVE_LENGTH)
    theory = np.abs(np.sin(_phase(frequency, defocus_um)))
    quality = 1 / (1 + np.exp((frequency - 1 / resolution) * 60))
    measured = theory * quality * 0.9 + rng.normal(0, 0.04, frequency.size) + 0.05
    return [frequency.tolist(), measured.tolist(), theory.tolist(), quality.tolist()]


def _motion(rng: np.random.Generator, drift: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    time = np.linspace(0, 1, FRAMES)[:, None]
    angle = rng.uniform(0, 2 * np.pi)
    path = (1 - np.exp(-4 * time)) * drift * np.array([[np.cos(angle), np.sin(angle)]])
    path = path + np.cumsum(rng.normal(0, drift / 120, (FRAMES, 2)), axis=0)
    path -= path[0]
    y, x = np.mgrid[-1:1:5j, -1:1:5j]
    local = time[..., None, None] * drift * 0.25 * np.stack([y * rng.normal(), x * rng.normal()], axis=-1)[None]
    return path, path[:, None, None, :] + local.reshape(FRAMES, *PATCHES, 2)


def _micrograph(rng: np.random.Generator, size: tuple[int, int]) -> NDArray[np.float32]:
    height, width = size
    image = rng.normal(0, 1, size).astype(np.float32)
    reach = 22
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    radius = np.hypot(y, x)
    particle = (-1.6 * np.exp(-(((radius - 13) / 4) ** 2)) + 0.4 * np.exp(-(((radius - 20) / 2) ** 2))).astype(
        np.float32
    )
    for _ in range(int(size[0] * size[1] / 9000)):
        top, left = rng.integers(0, height - 2 * reach - 1), rng.integers(0, width - 2 * reach - 1)
        image[top : top + 2 * reach + 1, left : left + 2 * reach + 1] += particle
    return image * 3 + 40


def _thumbnail(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    small = image
    while max(small.shape) > layout.THUMBNAIL_SIZE:
        small = halve(small)
    low, high = small.mean() - 3 * small.std(), small.mean() + 3 * small.std()
    return np.clip((small - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def _spectrum(rng: np.random.Generator, defocus_um: float, *, fit: bool) -> NDArray[np.uint8]:
    edge = layout.SPECTRUM_SIZE
    y, x = np.mgrid[-edge // 2 : edge // 2, -edge // 2 : edge // 2] / (edge / 2) * NYQUIST
    frequency = np.hypot(y, x)
    rings = np.sin(_phase(frequency, defocus_um)) ** 2 * np.exp(-frequency * 5)
    noisy = rings + rng.normal(0, 0.12, frequency.shape)
    shown = np.where(x < 0, rings, noisy) if fit else noisy
    return np.clip(shown * 200 + 60, 0, 255).astype(np.uint8)
