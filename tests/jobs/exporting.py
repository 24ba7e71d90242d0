"""A run with a session folder on disk, for the tests of what moves files."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from athena.contract.acquisitions import Optics
from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.runs import SourceState
from athena.db.acquisitions import AcquisitionRow, RunRow, SourceRow, bump_version
from athena.db.engine import Database
from athena.db.events import append_event
from athena.settings import Settings
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter
from tests.jobs.conftest import JobUnderTest
from tests.zarrio.factories import make_result

START = datetime(2024, 5, 17, 12, tzinfo=UTC)


class Session:
    """A session folder that grows, and the rows that ingest and processing would make of it."""

    def __init__(self, database: Database, settings: Settings, run: Element, folder: Path) -> None:
        self.run, self.folder = run, folder
        self._database, self._settings = database, settings
        self.names: list[str] = []
        (folder / "Metadata").mkdir(parents=True)
        (folder / "EpuSession.dm").write_text("<session/>")
        (folder / "Metadata" / "GridSquare_1.dm").write_text("<square/>")
        (folder / "gain.tiff").write_bytes(b"gain")
        with database.session() as session:
            session.add(
                SourceRow(
                    run_id=run.id,
                    adapter="epu",
                    path=str(folder),
                    state=SourceState.WATCHING.value,
                    gain_reference=str(folder / "gain.tiff"),
                )
            )

    def add(self, count: int, *, state: str = "registered", size: int = 1000, side_files: bool = True) -> None:
        """Let acquisitions arrive, each with a movie, an integrated image and metadata."""
        with self._database.session() as session:
            row = session.get_one(RunRow, self.run.id)
            for index in range(row.acquisition_count, row.acquisition_count + count):
                name = f"FoilHole_{index:05d}"
                self.names.append(name)
                data = self.folder / "Images-Disc1" / f"GridSquare_{index // 100}" / "Data"
                data.mkdir(parents=True, exist_ok=True)
                movie = data / f"{name}_fractions.tiff"
                movie.write_bytes(hashlib.sha256(name.encode()).digest() * (size // 32))
                files = {}
                for kind, suffix in (("xml", ".xml"), ("image", ".mrc"), ("preview", ".jpg")) if side_files else ():
                    (data / f"{name}{suffix}").write_bytes(f"{kind} of {name}".encode())
                    files[kind] = str(data / f"{name}{suffix}")
                session.add(
                    AcquisitionRow(
                        run_id=self.run.id,
                        index=index,
                        name=name,
                        state=state,
                        movie=str(movie),
                        files=files,
                        acquired=START + timedelta(seconds=index),
                        optics=Optics(pixel_size_angstrom=0.84, voltage_kv=300.0).model_dump(mode="json"),
                    )
                )
            row.acquisition_count += count
            version = bump_version(session, self.run.id)
            append_event(session, EventKind.RUN_CHANGED, element_id=self.run.id, version=version)

    def process(self, indices: range, *, defocus_um: float = 1.0) -> None:
        """Complete acquisitions with a metric of their own: defocus_um + index."""
        store = self._settings.run_store(str(self.run.id))
        writer = RunWriter.create(store, frames=6)
        writer.write_results([make_result(index, defocus_um=defocus_um + index) for index in indices])
        for index in indices:
            picture = np.full((256, 256), 1 + index % 255, np.uint8)
            writer.write_images(index, thumbnail=picture, spectrum=picture, spectrum_fit=picture)
            write_pyramid(store, index, micrograph(index), pixel_size_angstrom=0.84)
        with self._database.session() as session:
            rows = session.query(AcquisitionRow).filter_by(run_id=self.run.id)
            for row in rows.filter(AcquisitionRow.index.in_(list(indices))):
                row.state = "completed"
            bump_version(session, self.run.id)

    def end(self) -> None:
        """Let the microscope finish."""
        with self._database.session() as session:
            source = session.get_one(SourceRow, self.run.id)
            source.state = SourceState.COMPLETED.value
            # else the runner's follower, which still watches the folder, would say that it does
            source.lease_owner = source.lease_until = None
            bump_version(session, self.run.id)


def micrograph(index: int) -> np.ndarray:
    """Micrograph that tells its index."""
    return (np.arange(60)[:, None] + np.arange(70)[None, :] / 1000 + index).astype(np.float32)


def files_below(folder: Path) -> dict[str, bytes]:
    """Content of every file, by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def listed_sums(folder: Path) -> Iterator[tuple[str, str]]:
    """(name, SHA-256) as the export's list says."""
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        sha256, name = line.split("  ", 1)
        yield name, sha256


def check_sums(folder: Path) -> int:
    """Every file but the list is in the list, and is what the list says; returns how many."""
    listed = dict(listed_sums(folder))
    found = {name: hashlib.sha256(data).hexdigest() for name, data in files_below(folder).items()}
    found.pop("SHA256SUMS")
    assert found == listed
    return len(listed)


def folder_of(job: JobUnderTest, settings: Settings) -> Path:
    """Where an export goes."""
    return settings.home / "export" / str(job.now().result["folder"])


def no_leftovers(settings: Settings) -> None:
    """Nothing half written is left."""
    assert not list((settings.home / "export").rglob(".partial*"))
