"""Fixtures of the runner's tests: a session folder, a run that it fills, a runner on a thread."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import tifffile

from athena.contract.elements import Element
from athena.contract.jobs import Job, JobCreate, JobKind
from athena.contract.people import Principal
from athena.contract.runs import SourceState
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.domain.job_life import ENDED
from athena.jobs.executors import Executor, SerialExecutor
from athena.jobs.runner import Runner
from athena.services import jobs
from athena.settings import Settings

PLUGIN = Path(__file__).resolve().parent / "plugin"


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the test package, for this process and for those it starts."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.setenv("PYTHONPATH", str(PLUGIN))


class Folder:
    """A session folder that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        (path / "session.json").write_text("{}")
        self._count = 0

    def add_metadata(self, name: str, **optics: object) -> None:
        """Write an exposure's metadata, acquired one second after the one before."""
        self._count += 1
        acquired = datetime(2024, 5, 17, 12, self._count // 60, self._count % 60, tzinfo=UTC).isoformat()
        said = {"acquired": acquired, "pixel_size_angstrom": 0.8, "voltage_kv": 300.0, "frame_count": 3} | optics
        said.setdefault("total_dose_e_per_A2", 30)
        partial = self.path.parent / f"{name}.json.partial"
        partial.write_text(json.dumps({key: value for key, value in said.items() if value is not None}))
        partial.rename(self.path / f"{name}.json")

    def movie_bytes(self, name: str) -> bytes:
        """A small movie, other for each name."""
        seed = sum(name.encode())
        frames = np.random.default_rng(seed).poisson(2.0, size=(3, 32, 48)).astype(np.uint8)
        path = self.path.parent / f"{name}.partial.tif"
        tifffile.imwrite(path, frames, compression="lzw", photometric="minisblack")
        data = path.read_bytes()
        path.unlink()
        return data

    def add(self, name: str, **optics: object) -> None:
        """Write an exposure with its movie."""
        self.add_metadata(name, **optics)
        self.add_movie(name)

    def add_movie(self, name: str) -> Path:
        """Write a movie all at once."""
        path = self.path / f"{name}.tif"
        path.write_bytes(self.movie_bytes(name))
        return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty session folder."""
    return Folder(tmp_path / "storage" / "session")


@pytest.fixture
def quick(database_url: str, tmp_path: Path) -> Settings:
    """Settings in which a test need not wait: short polls, small patience."""
    return Settings(
        home=tmp_path / "home",
        database_url=database_url,
        poll_seconds=0.05,
        settle_seconds=0.1,
        stable_seconds=0.2,
        lease_seconds=2.0,
        movie_step="test",
        workers=2,
    )


class RunUnderTest:
    """A run with its source and job, and looks at it."""

    def __init__(self, database: Database, run_id: UUID) -> None:
        self.id = run_id
        self._database = database

    def acquisitions(self) -> list[AcquisitionRow]:
        """Rows in order of index."""
        with self._database.session(read_only=True) as session:
            query = session.query(AcquisitionRow).where(AcquisitionRow.run_id == self.id)
            return list(query.order_by(AcquisitionRow.index))

    def states(self) -> dict[str, str]:
        """State of each acquisition by name."""
        return {row.name: row.state for row in self.acquisitions()}

    def source(self) -> SourceRow:
        """Row of the source."""
        with self._database.session(read_only=True) as session:
            return session.get_one(SourceRow, self.id)

    def job(self) -> JobRow:
        """Row of the job."""
        with self._database.session(read_only=True) as session:
            return session.query(JobRow).where(JobRow.element_id == self.id).one()


@pytest.fixture
def attach(
    database: Database, make_user: Callable[..., Principal], make_run: Callable[..., Element]
) -> Callable[..., RunUnderTest]:
    """``attach(folder, follow=True)`` makes a run that the folder fills, with its job."""

    def make(folder: Path, *, follow: bool = True) -> RunUnderTest:
        user = make_user()
        run = make_run(user)
        state = SourceState.WATCHING if follow else SourceState.IMPORTING
        with database.session() as session:
            session.add(SourceRow(run_id=run.id, adapter="plain", path=str(folder), follow=follow, state=state.value))
            session.add(JobRow(kind=JobKind.PROCESSING.value, element_id=run.id, initiator_id=user.user_id))
        return RunUnderTest(database, run.id)

    return make


RunsRunner = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def running(quick: Settings) -> RunsRunner:
    """``with running(executor=None):`` has a runner work on a thread; it has ended cleanly afterwards."""

    @contextmanager
    def run(executor: Executor | None = None, *, settings: Settings = quick) -> Iterator[None]:
        own = executor or SerialExecutor(settings.movie_step)
        stop = threading.Event()
        runner = Runner(settings, executor=own)
        thread = threading.Thread(target=runner.run, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(120)
            if executor is None:
                own.close()
        assert not thread.is_alive()

    return run


class JobUnderTest:
    """A job started through the services, and looks at it."""

    def __init__(self, database: Database, user: Principal, job: Job, settings: Settings) -> None:
        self.id = job.id
        self.user = user
        self._database = database
        self._settings = settings

    def now(self) -> Job:
        """As its owner sees it."""
        with self._database.session(read_only=True) as session:
            return jobs.get_job(session, self.user, self.id)

    def state(self) -> str:
        """Where it stands."""
        return self.now().state.value

    def ended(self) -> bool:
        """Whether it is done, well or not."""
        return self.now().state in ENDED

    def cancel(self) -> Job:
        """Call it off."""
        with self._database.session() as session:
            return jobs.cancel_job(session, self.user, self.id)

    def retry(self) -> Job:
        """Begin it again."""
        with self._database.session() as session:
            return jobs.retry_job(session, self.user, self.id)


StartJob = Callable[..., JobUnderTest]


@pytest.fixture
def start_job(database: Database, quick: Settings) -> StartJob:
    """``start_job(user, kind, element, **parameters)`` starts a job through the services."""

    def start(user: Principal, kind: str, element: Element | None, **parameters: Any) -> JobUnderTest:
        wanted = JobCreate(kind=kind, element_id=element.id if element else None, parameters=parameters)
        with database.session() as session:
            return JobUnderTest(database, user, jobs.start_job(session, user, wanted, settings=quick), quick)

    return start


@pytest.fixture
def runner_process(quick: Settings) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """``runner_process()`` starts a runner in a process of its own, which may be killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        script = Path(__file__).parent / "one_runner.py"
        argv = [sys.executable, str(script), str(quick.home), quick.resolved_database_url]
        started.append(subprocess.Popen(argv))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], *, seconds: float = 60.0, what: str = "the condition") -> None:
    """Return as soon as the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.02)


@pytest.fixture(name="wait_for")
def wait_for_fixture() -> Callable[..., None]:
    """``wait_for(condition, seconds=20, what="")``."""
    return wait_for
