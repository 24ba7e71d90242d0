"""Export of 10 000 files whose runner is killed twice: what it takes, and that nothing is lost, torn or left over.

Minutes long, so only ``make bench`` runs it: ``pytest tests/benchmarks/test_export.py --benchmark-only -s``.
"""

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from athena.contract.elements import Element
from athena.contract.jobs import JobCreate, JobState
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.db.jobs import JobItemRow
from athena.services import jobs
from athena.services.storages import prepare_storages
from athena.settings import Settings
from tests.jobs.exporting import Session, check_sums, files_below

pytestmark = pytest.mark.slow

FILES = 10_000
BYTES = 20_000
KILLS = (2_500, 6_000)
"""Files that are copied when the runner is killed."""
RUNNER = Path(__file__).resolve().parent.parent / "jobs" / "one_runner.py"


@pytest.mark.timeout(1800)
@pytest.mark.feature("EX-05")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_ten_thousand_files_and_two_kills(
    request: pytest.FixtureRequest,
    benchmark: Callable[..., object],
    database: Database,
    database_url: str,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    tmp_path: Path,
) -> None:
    if not request.config.getoption("--benchmark-only"):
        pytest.skip("takes minutes: run it with --benchmark-only")
    settings = Settings(home=tmp_path / "home", database_url=database_url)
    alice = make_user()
    run = make_run(alice)
    with database.session() as session:
        prepare_storages(session, settings)
    microscope = Session(database, settings, run, tmp_path / "session")
    microscope.add(FILES, size=BYTES, side_files=False)
    wanted = JobCreate(kind="export", element_id=run.id, parameters={"folder": "out", "files": "raw"})
    with database.session() as session:
        job = jobs.start_job(session, alice, wanted, settings=settings)
    folder = settings.home / "export" / str(job.result["folder"])

    def export() -> None:
        for limit in (*KILLS, None):
            process = subprocess.Popen([sys.executable, str(RUNNER), str(settings.home), database_url])
            try:
                _await(database, alice, job.id, limit)
                if limit is not None:
                    assert not (folder / "SHA256SUMS").exists()
            finally:
                process.kill()
                process.wait()

    started = time.perf_counter()
    benchmark.pedantic(export, rounds=1)  # type: ignore[attr-defined]
    seconds = time.perf_counter() - started

    with database.session(read_only=True) as session:
        done = jobs.get_job(session, alice, job.id)
    assert done.state is JobState.FINISHED, done.message
    assert done.attempts == len(KILLS) + 1
    assert check_sums(folder) == FILES + 3
    assert not list((settings.home / "export").rglob(".partial*"))
    hashes = {hashlib.sha256(data).hexdigest() for data in files_below(microscope.folder / "Images-Disc1").values()}
    assert hashes <= {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.tiff")}
    print(f"\n{FILES} files of {BYTES} bytes, killed at {KILLS}: {seconds:.0f} s, {FILES / seconds:.0f} files/s")


def _await(database: Database, user: Principal, job_id: object, files: int | None) -> None:
    """Wait until so many files are copied, or (None) the job has ended."""
    while True:
        with database.session(read_only=True) as session:
            job = jobs.get_job(session, user, job_id)  # type: ignore[arg-type]
            count = session.query(JobItemRow).filter(JobItemRow.sha256 != "").count()
        if job.state in (JobState.FINISHED, JobState.FAILED) or (files is not None and count >= files):
            return
        time.sleep(0.05)
