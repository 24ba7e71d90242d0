"""Executors: the same contract for the serial one and for a real Dask cluster."""

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import distributed
import psutil
import pytest

from athena.contract.processing import MovieParameters, MovieTask
from athena.errors import Unavailable
from athena.jobs.clusters import standing
from athena.jobs.executors import DaskExecutor, Executor, SerialExecutor
from athena.jobs.work import Outcome, load_step, run_step
from athena.zarrio.writer import RunWriter


@pytest.fixture
def task(tmp_path: Path, folder) -> Callable[..., MovieTask]:
    """``task(name, index)`` is the work on a new movie."""
    store = str(tmp_path / "run.zarr")
    RunWriter.create(store, frames=3)

    def make(name: str, index: int, run_id: str = "run") -> MovieTask:
        movie = str(folder.add_movie(name))
        parameters = MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0)
        return MovieTask(run_id=run_id, index=index, movie=movie, store=store, parameters=parameters)

    return make


class ExecutorContract:
    """What every executor does."""

    def test_outcomes_are_reported_once_each(self, executor: Executor, task: Callable[..., MovieTask]) -> None:
        reports: queue.Queue[Outcome] = queue.Queue()
        executor.start()
        assert executor.workers >= 1
        for index, name in enumerate(("a", "b_raise", "c_refuse", "d")):
            executor.submit(task(name, index), reports.put)
        outcomes = sorted((reports.get(timeout=120) for _ in range(4)), key=lambda outcome: outcome.index)
        assert [outcome.result is not None for outcome in outcomes] == [True, False, False, True]
        assert outcomes[1].error == "ValueError: the step is not up to it"
        assert "Traceback" in outcomes[1].trace
        assert outcomes[2].error == "this movie is refused. Take another."
        assert reports.empty()

    def test_cancelled_work_is_lost(self, executor: Executor, task: Callable[..., MovieTask]) -> None:
        reports: queue.Queue[Outcome] = queue.Queue()
        for index in range(6):
            executor.submit(task(f"slow{index}", index), reports.put)
        executor.cancel("run")
        outcomes = [reports.get(timeout=120) for _ in range(6)]
        assert sorted(outcome.index for outcome in outcomes) == list(range(6))
        assert any(outcome.lost for outcome in outcomes)
        executor.submit(task("again", 7), reports.put)
        assert reports.get(timeout=120).result is not None


class TestSerialExecutor(ExecutorContract):
    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        executor = SerialExecutor("test")
        yield executor
        executor.close()


class TestDaskExecutor(ExecutorContract):
    @pytest.fixture(scope="class")
    @classmethod
    def executor(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
        with pytest.MonkeyPatch.context() as patch:
            plugin = str(Path(__file__).resolve().parent / "plugin")
            patch.setenv("PYTHONPATH", plugin)
            patch.syspath_prepend(plugin)
            executor = DaskExecutor(step="test", workers=2, scratch=tmp_path_factory.mktemp("scratch"))
            yield executor
            executor.close()

    def test_a_movie_that_kills_its_workers_is_given_up(
        self, executor: DaskExecutor, task: Callable[..., MovieTask]
    ) -> None:
        reports: queue.Queue[Outcome] = queue.Queue()
        executor.submit(task("crash", 0), reports.put)
        executor.submit(task("bystander", 1), reports.put)
        outcomes = sorted((reports.get(timeout=90) for _ in range(2)), key=lambda outcome: outcome.index)
        assert outcomes[0].error.startswith("The worker died 3 times")
        assert outcomes[1].result is not None

    def test_a_killed_worker_is_replaced_and_its_movie_done_again(
        self, executor: DaskExecutor, task: Callable[..., MovieTask]
    ) -> None:
        reports: queue.Queue[Outcome] = queue.Queue()
        for index in range(4):
            executor.submit(task(f"slow{index}", index), reports.put)
        victims = [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
        assert victims
        for victim in victims[:2]:
            victim.kill()
        outcomes: list[Outcome] = []
        deadline = time.monotonic() + 90
        while len(outcomes) < 4 and time.monotonic() < deadline:
            executor.tend()
            with contextlib.suppress(queue.Empty):
                outcomes.append(reports.get(timeout=0.5))
        assert len(outcomes) == 4
        assert all(outcome.result is not None for outcome in outcomes)
        assert executor.workers == 2

    @pytest.mark.feature("AD-02")
    def test_it_says_how_the_cluster_stands(self, executor: DaskExecutor, tmp_path: Path) -> None:
        executor.start()
        deadline = time.monotonic() + 60
        while len((found := executor.cluster()).workers) < 2:
            assert time.monotonic() < deadline
            executor.tend()
        assert found.version == distributed.__version__
        assert found.address.startswith("tcp://")
        assert [worker.threads for worker in found.workers] == [1, 1]
        assert (found.wanted, found.in_flight) == (2, 0)
        assert standing(executor).message == ""
        cold = DaskExecutor(step="test", workers=2, scratch=tmp_path)
        assert standing(cold).message == "The Dask cluster starts."


def test_an_unknown_step_is_named(task: Callable[..., MovieTask]) -> None:
    with pytest.raises(Unavailable, match="No installed package offers the step 'nonsense'"):
        load_step("nonsense")
    assert run_step("nonsense", task("a", 0)).error.startswith("No installed package offers the step")
