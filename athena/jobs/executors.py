"""Executors: where movies are processed. They know tasks and outcomes, nothing of runs or the catalogue."""

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.core import Status
from distributed.diagnostics.plugin import WorkerPlugin

from athena.contract.health import ClusterHealth
from athena.contract.processing import MovieTask
from athena.jobs.clusters import described
from athena.jobs.work import Outcome, run_step, warm_up
from athena.settings import Settings

log = logging.getLogger(__name__)

MAX_WORKER_DEATHS = 3
"""A movie whose worker died this often is given up: most likely it is the movie that kills them."""

STARTING_SECONDS = 180.0
"""A worker process that takes longer to start is replaced."""
DEAD_SECONDS = 10.0
"""A worker without a process for longer than this is replaced; its nanny would have restarted it by then."""
CLOSE_SECONDS = 10.0

Report = Callable[[Outcome], None]
"""Takes an outcome, from any thread, exactly once a submitted task."""


class Executor(Protocol):
    """Runs movie tasks somewhere."""

    @property
    def workers(self) -> int:
        """Movies that run at the same time."""
        ...

    def start(self) -> None:
        """Get ready; may take seconds; calling it again does nothing."""
        ...

    def submit(self, task: MovieTask, report: Report) -> None:
        """Queue a movie; ``report`` hears of its end."""
        ...

    def tend(self) -> None:
        """Replace workers that died; the runner calls it now and then."""
        ...

    def cluster(self) -> ClusterHealth | None:
        """How the machines behind it stand; None when there are none."""
        ...

    def cancel(self, run_id: str, branch: int = 0) -> None:
        """Forget the queued movies of a branch of a run; their reports hear that they are lost."""
        ...

    def close(self) -> None:
        """Stop at once; what still runs is dropped."""
        ...


class SerialExecutor:
    """One movie at a time on a thread of this process: for tests and debugging."""

    workers = 1

    def __init__(self, step: str) -> None:
        self._step = step
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="step")
        self._cancelled: set[tuple[str, int]] = set()

    def start(self) -> None:
        """Nothing to start."""

    def submit(self, task: MovieTask, report: Report) -> None:
        """Queue a movie."""
        self._cancelled.discard((task.run_id, task.branch))
        self._pool.submit(self._work, task, report)

    def tend(self) -> None:
        """Nothing can die here alone."""

    def cluster(self) -> None:
        """There is none."""

    def cancel(self, run_id: str, branch: int = 0) -> None:
        """Forget the queued movies of a branch of a run."""
        self._cancelled.add((run_id, branch))

    def close(self) -> None:
        """Wait for the movie at hand; drop the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, task: MovieTask, report: Report) -> None:
        gone = (task.run_id, task.branch) in self._cancelled
        report(Outcome(index=task.index, lost=True) if gone else run_step(self._step, task))


class _WarmUp(WorkerPlugin):  # type: ignore[misc] # distributed is untyped
    """Compiles the steps' kernels on a thread of each new worker, which meanwhile can be told of its first movie."""

    name = "athena-warm-up"

    def __init__(self, step: str) -> None:
        self._step = step

    def setup(self, worker: Any) -> None:
        threading.Thread(target=warm_up, args=(self._step,), name="warm-up", daemon=True).start()


class DaskExecutor:
    """Movies on a Dask cluster: one of this process's own (a process a core), or one that runs at an address."""

    def __init__(self, *, step: str, address: str = "local", workers: int = 0, scratch: Path) -> None:
        self._step = step
        self._address = address
        self._workers = workers or os.cpu_count() or 1
        self._scratch = scratch
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._closed = False
        self._cluster: LocalCluster | None = None
        self._client: Client | None = None
        self._absent_since: dict[Any, float] = {}
        self._futures: dict[str, tuple[Future, MovieTask, Report]] = {}

    @property
    def workers(self) -> int:
        """Threads of the cluster, at least one: a queue may wait while the cluster grows."""
        if self._client is None or self._cluster is not None:
            return self._workers
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def start(self) -> None:
        """Start or find the cluster, and warm its workers up."""
        with self._starting:
            if self._client is not None or self._closed:
                return
            if self._address == "local":
                self._cluster = self._local_cluster()
            self._client = Client(self._cluster or self._address, set_as_default=False)
            self._client.register_plugin(_WarmUp(self._step))

    def submit(self, task: MovieTask, report: Report) -> None:
        """Send a movie to the cluster, starting it if need be."""
        self.start()
        if self._client is None:  # closed meanwhile
            report(Outcome(index=task.index, lost=True))
            return
        key = f"movie-{task.run_id}-{task.branch}-{task.index}-{uuid4().hex[:8]}"
        future = self._client.submit(run_step, self._step, task, key=key, pure=False)
        with self._lock:
            self._futures[key] = (future, task, report)
        future.add_done_callback(self._done)

    def tend(self) -> None:
        """Replace workers of our own cluster that their nannies gave up.

        A nanny restarts a worker that dies at work, but not one that dies while it starts.
        """
        cluster = self._cluster
        if cluster is not None and self._client is not None and not self._closed:
            cluster.loop.add_callback(self._replace_dead, cluster)

    def cluster(self) -> ClusterHealth:
        """The scheduler's word on itself and its workers; without a version while it has not answered."""
        wanted = self._workers if self._address == "local" else 0
        client = self._client
        if client is None or self._closed:
            return ClusterHealth(address=self._address, wanted=wanted)
        return described(client.scheduler_info(), wanted=wanted, in_flight=len(self._futures))

    def _replace_dead(self, cluster: LocalCluster) -> None:
        """On the cluster's own loop, so that no worker registers between the look and the act."""
        registered = {worker.name for worker in cluster.scheduler.workers.values()}
        for name, nanny in list(cluster.workers.items()):
            if name in registered:
                self._absent_since.pop(name, None)
                continue
            absent = time.monotonic() - self._absent_since.setdefault(name, time.monotonic())
            process = nanny.process
            alive = process is not None and process.is_alive() and nanny.status not in (Status.closed, Status.failed)
            if absent > (STARTING_SECONDS if alive else DEAD_SECONDS):
                log.warning("worker %s does not come back; starting another", name)
                del self._absent_since[name], cluster.workers[name]
                cluster.loop.add_callback(nanny.close)
        if len(cluster.workers) < self._workers:
            cluster.scale(self._workers)

    def cancel(self, run_id: str, branch: int = 0) -> None:
        """Drop the movies of a branch of a run from the cluster."""
        with self._lock:
            futures = [
                future for future, task, _ in self._futures.values() if (task.run_id, task.branch) == (run_id, branch)
            ]
        if self._client is not None and futures:
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        """Leave the cluster, and stop it if it is our own."""
        self._closed = True
        with self._lock:
            self._futures.clear()
        if not self._starting.acquire(timeout=CLOSE_SECONDS):
            log.warning("the cluster was still starting; its processes end with this one")
            return
        try:
            if self._client is not None:
                self._client.close(timeout=CLOSE_SECONDS)
            if self._cluster is not None:
                self._cluster.close(timeout=CLOSE_SECONDS)
        except (OSError, TimeoutError) as error:
            log.warning("the cluster did not end in time; its processes end with this one: %s", error)

    def _local_cluster(self) -> LocalCluster:
        self._scratch.mkdir(parents=True, exist_ok=True)
        settings = {
            "distributed.scheduler.allowed-failures": MAX_WORKER_DEATHS - 1,
            # One task a worker at a time: Dask blames a dead worker's whole queue for its death.
            "distributed.scheduler.worker-saturation": 1.0,
            # The cluster would close the nanny of a worker that takes longer to come back, and a movie it just got with
            # it; replacing workers is left to `tend`.
            "distributed.deploy.lost-worker-timeout": "1 day",
            # A kernel may hold the interpreter for long; a worker that is silent for a while is not dead.
            "distributed.scheduler.worker-ttl": "10 minutes",
            "distributed.admin.tick.limit": "60s",
            # samples every thread's stack all the time, which costs an idle worker several per cent of a core
            "distributed.worker.profile.enabled": False,
            "distributed.nanny.pre-spawn-environ.NUMBA_NUM_THREADS": 1,
        }
        dask.config.set(settings)
        return LocalCluster(
            n_workers=self._workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",  # the scheduler's own HTTP server, which else wants port 8787
            scheduler_kwargs={"dashboard": False},
            local_directory=str(self._scratch),
            silence_logs=logging.ERROR,
        )

    def _done(self, future: Future) -> None:
        with self._lock:
            found = self._futures.pop(future.key, None)
        if found is None:
            return
        _, task, report = found
        report(self._outcome(future, task))

    def _outcome(self, future: Future, task: MovieTask) -> Outcome:
        if future.status == "finished":
            try:
                outcome: Outcome = future.result(timeout=60)
            except (CancelledError, OSError, TimeoutError) as error:  # its worker died with the result in its memory
                log.warning("result of movie %d of run %s was lost: %s", task.index, task.run_id, error)
                return Outcome(index=task.index, lost=True)
            return outcome
        if future.status == "error":
            raised = future.exception()
            if isinstance(raised, KilledWorker):
                reason = f"The worker died {MAX_WORKER_DEATHS} times while processing this movie (out of memory?)."
                return Outcome(index=task.index, error=reason)
            return Outcome(index=task.index, error=f"{type(raised).__name__}: {raised}")
        return Outcome(index=task.index, lost=True)


def make_executor(settings: Settings) -> Executor:
    """Executor that the settings ask for."""
    return DaskExecutor(
        step=settings.movie_step,
        address=settings.dask,
        workers=settings.workers,
        scratch=settings.home / "scratch",
    )
