"""How a Dask cluster stands, in the words of the contract."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import distributed

from athena.contract.health import ClusterHealth, WorkerHealth
from athena.services.heartbeat import Standing

if TYPE_CHECKING:
    from athena.jobs.executors import Executor

log = logging.getLogger(__name__)

OPEN_TASKS = frozenset({"ready", "waiting", "executing", "long-running", "constrained"})
"""Task states of a worker that mean work which is still to be done."""


def described(identity: Mapping[str, Any], *, wanted: int, in_flight: int) -> ClusterHealth:
    """State of a cluster from the scheduler's ``identity``; without a version if that is empty."""
    workers = identity.get("workers", {})
    return ClusterHealth(
        address=str(identity.get("address", "")),
        version=distributed.__version__ if identity else "",
        wanted=wanted,
        in_flight=in_flight,
        workers=tuple(_worker(address, about) for address, about in sorted(workers.items())),
    )


def standing(executor: "Executor") -> Standing:
    """What the heartbeat of a runner with this executor says."""
    try:
        cluster = executor.cluster()
    except OSError as error:  # a scheduler elsewhere that has gone: its runner goes on and waits for it
        log.warning("the cluster does not say how it stands: %s", error)
        return Standing(f"The Dask scheduler does not answer: {error}")
    if cluster is None:
        return Standing()
    if not cluster.version:
        return Standing("The Dask cluster starts.", cluster)
    return Standing("" if cluster.workers else "No Dask worker is there.", cluster)


def _worker(address: str, about: Mapping[str, Any]) -> WorkerHealth:
    metrics = about.get("metrics", {})
    return WorkerHealth(
        name=str(about.get("name", address)),
        threads=int(about.get("nthreads", 0)),
        memory_bytes=int(metrics.get("memory", 0)),
        tasks=sum(int(count) for state, count in metrics.get("task_counts", {}).items() if state in OPEN_TASKS),
    )
