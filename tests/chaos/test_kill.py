"""Kill -9 of runner, Dask workers and API at random moments of a run: nothing is lost, doubled or torn."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import numpy as np
import psutil
import pytest
from sqlalchemy import select

from athena.contract.elements import DatasetType
from athena.contract.events import EventKind
from athena.contract.runs import SourceCreate
from athena.db.acquisitions import AcquisitionRow, RunRow
from athena.db.engine import Database
from athena.db.events import EventRow
from athena.formats.movies import open_movie
from athena.services import paths, runs, users
from athena.settings import Settings
from athena.zarrio.pyramid import read_level
from athena.zarrio.reader import open_results
from athena.zarrio.stores import open_store
from athena_pipelines.simulate.session import EpuSimulator
from tests.chaos.microscope import Replay

PLUGIN = Path(__file__).resolve().parent.parent / "jobs" / "plugin"

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

MOVIES = 20
KILLS = 6
"""In a round; each of runner, worker and API twice."""
ROUNDS = int(os.environ.get("ATHENA_CHAOS_ROUNDS", "2"))
PATIENCE_SECONDS = float(os.environ.get("ATHENA_CHAOS_PATIENCE", "240"))


@pytest.fixture(scope="module")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated session of small movies."""
    out = tmp_path_factory.mktemp("microscope")
    return EpuSimulator(out, movies=MOVIES, size=(256, 256), frames=8, interval_s=0.0, seed=7).run()


@dataclass
class Instance:
    """Athena's processes on a home of its own, each started again when it was killed, as a supervisor would."""

    settings: Settings
    database: Database

    def __post_init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kills: Counter[str] = Counter()
        for name in ("api", "runner"):
            self._start(name)

    def kill(self, what: str) -> bool:
        """Send SIGKILL to the API, the runner or one of the runner's Dask workers; False when there is none yet."""
        if what == "worker":
            workers = self._workers()
            if not workers:
                return False
            random.choice(workers).kill()
        else:
            self._processes[what].kill()
            self._processes[what].wait()
            self._start(what)
        self.kills[what] += 1
        return True

    def close(self) -> None:
        """End all of it, politely."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(60)

    def _start(self, name: str) -> None:
        environment = os.environ | {
            "ATHENA_HOME": str(self.settings.home),
            "ATHENA_API_PORT": str(self.settings.api_port),
            "ATHENA_WORKERS": "2",
            "ATHENA_POLL_SECONDS": "0.2",
            "ATHENA_LEASE_SECONDS": "5",
            "ATHENA_MOVIE_STEP": "test",
            "ATHENA_TEST_STEP_SECONDS": "0.4",
            "PYTHONPATH": str(PLUGIN),
        }
        with (self.settings.home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "athena", name], env=environment, stdout=log, stderr=log
            )

    def _workers(self) -> list[psutil.Process]:
        try:
            children = psutil.Process(self._processes["runner"].pid).children(recursive=True)
            return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        except psutil.NoSuchProcess:
            return []


@pytest.fixture
def instance(tmp_path: Path, unused_port: int) -> Iterator[Instance]:
    settings = Settings(home=tmp_path / "home", api_port=unused_port)
    settings.home.mkdir()
    database = Database(settings.resolved_database_url)
    database.migrate()
    started = Instance(settings, database)
    yield started
    started.close()
    database.dispose()


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.timeout(PATIENCE_SECONDS + 120)
@pytest.mark.parametrize("round_", range(ROUNDS))
def test_every_movie_is_processed_exactly_once(
    round_: int, instance: Instance, session_folder: Path, tmp_path: Path
) -> None:
    dice = random.Random(round_)
    folder = tmp_path / "storage" / session_folder.name
    with Replay(session_folder, folder, seconds=0.3):
        _wait(folder.joinpath("EpuSession.dm").exists, instance, seconds=30)
        run_id = _attach(instance, folder)
        victims = ["runner", "worker", "api"] * (KILLS // 3)
        dice.shuffle(victims)
        moments = sorted(dice.randrange(MOVIES - 1) for _ in victims)
        for victim, moment in zip(victims, moments, strict=True):
            _wait(lambda moment=moment: _completed(instance, run_id) >= moment, instance)
            time.sleep(dice.uniform(0.0, 1.5))  # the random moment itself, no waiting for something
            _wait(lambda victim=victim: instance.kill(victim), instance)
        _wait(lambda: _completed(instance, run_id) >= MOVIES, instance)
    _wait(lambda: _api_answers(instance), instance)

    assert instance.kills == {"runner": 2, "worker": 2, "api": 2}
    _check_catalogue(instance, run_id)
    _check_arrays(instance, run_id)
    _check_events_over_the_api(instance)


def _attach(instance: Instance, folder: Path) -> UUID:
    with instance.database.session() as session:
        users.ensure_local_user(session, "alice")
        alice = users.principal_for(session, "alice")
        run = paths.ensure_path(session, alice, "Folder/Workflow/Imaging/Run", dataset_type=DatasetType.EPU_RUN)
        runs.attach_source(session, alice, run.id, SourceCreate(path=str(folder)), settings=instance.settings)
    return run.id


def _completed(instance: Instance, run_id: UUID) -> int:
    with instance.database.session(read_only=True) as session:
        states = session.scalars(select(AcquisitionRow.state).where(AcquisitionRow.run_id == run_id)).all()
    assert "error" not in states, "a movie failed"
    return sum(state == "completed" for state in states)


def _check_catalogue(instance: Instance, run_id: UUID) -> None:
    with instance.database.session(read_only=True) as session:
        rows = session.scalars(select(AcquisitionRow).order_by(AcquisitionRow.index)).all()
        events = session.scalars(select(EventRow).order_by(EventRow.seq)).all()
        version = session.get_one(RunRow, run_id).version
    assert [row.index for row in rows] == list(range(MOVIES))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    ends = Counter(event.index for event in events if event.kind == EventKind.ACQUISITION_COMPLETED)
    assert ends == dict.fromkeys(range(MOVIES), 1)
    begins = Counter(event.index for event in events if event.kind == EventKind.ACQUISITION_REGISTERED)
    assert begins == dict.fromkeys(range(MOVIES), 1)
    assert not [event for event in events if event.kind == EventKind.ACQUISITION_FAILED]
    assert [e.version for e in events if e.kind == EventKind.RUN_CHANGED] == list(range(1, version + 1))


def _check_arrays(instance: Instance, run_id: UUID) -> None:
    """Every number and picture is what its movie says."""
    store = str(instance.settings.run_store(str(run_id)))
    results = open_results(open_store(store, read_only=True), length=MOVIES).load()
    with instance.database.session(read_only=True) as session:
        rows = session.scalars(select(AcquisitionRow).order_by(AcquisitionRow.index)).all()
    for row in rows:
        assert row.movie is not None
        with open_movie(row.movie) as movie:
            total = np.sum([movie.read(i) for i in range(movie.frames)], axis=0, dtype=np.float64)
            frames = movie.frames
        one = results.isel(acquisition=row.index)
        assert float(one["mean_intensity_e_per_px"]) == total.mean() / frames
        assert float(one["defocus_um"]) == 1.0 + row.index
        for name in ("acquired_unix_s", "processing_s", "frame_count", "dose_e_per_A2"):
            assert np.isfinite(one[name]), name
        assert (one["motion_global"] == 0.5).all()
        assert (one["motion"] == 0.25).all()
        assert (one["ctf_curves"] == 1.0).all()
        picture = np.clip(total, 0, 255).astype(np.uint8)
        assert np.array_equal(one["thumbnail"], picture)
        assert np.array_equal(one["spectrum"], picture)
        assert np.array_equal(one["spectrum_fit"], 255 - picture)
        assert np.array_equal(read_level(store, row.index), total)


def _check_events_over_the_api(instance: Instance) -> None:
    token = instance.settings.token_file.read_text().strip()
    address = f"http://127.0.0.1:{instance.settings.api_port}/api"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        page = client.get(f"{address}/events", params={"after": 0}).raise_for_status().json()
    seqs = [event["seq"] for event in page["events"]]
    assert seqs == list(range(1, page["last_seq"] + 1))


def _api_answers(instance: Instance) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{instance.settings.api_port}/api/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def _wait(condition: Callable[[], bool], instance: Instance, *, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            log = (instance.settings.home / "runner.log").read_text()[-4000:]
            pytest.fail(f"nothing more happened for {seconds} s; the runner's log ends:\n{log}")
        time.sleep(0.1)
