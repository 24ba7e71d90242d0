"""State of the platform's parts, and what is installed."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire

Word = Annotated[str, Field(min_length=1, max_length=100)]
Note = Annotated[str, Field(max_length=1000)]


class Health(Wire):
    """Answer of the open health route: that it lives, and which version it is."""

    status: str
    version: str


class ServiceKind(StrEnum):
    """What kind of part. The first three say themselves that they live; the others are looked at."""

    API = "api"
    PORTAL = "portal"
    RUNNER = "runner"
    DASK = "dask"
    DATABASE = "database"
    HUB = "hub"
    STORAGE = "storage"


class ServiceState(StrEnum):
    """How a part stands (AD-02)."""

    STABLE = "stable"
    WAITING = "waiting"
    """It lives, but something it needs is not there yet; its message says what."""
    DOWN = "down"


class WorkerHealth(Wire):
    """A process that computes."""

    name: str
    threads: int
    memory_bytes: int = 0
    tasks: int = Field(0, description="Movies it has been given and not finished.")


class ClusterHealth(Wire):
    """The Dask cluster of a runner. ``wanted`` workers are to be there; ``workers`` are."""

    address: str = ""
    version: str = ""
    wanted: int = 0
    in_flight: int = Field(0, description="Movies handed to the cluster and not yet back.")
    workers: tuple[WorkerHealth, ...] = ()


class ServiceReport(Wire):
    """What a service says of itself at each heartbeat. ``id`` is one start of one process."""

    id: UUID
    kind: ServiceKind
    version: Word
    host: Word
    pid: Annotated[int, Field(ge=0, le=2**31 - 1)]
    started: datetime
    period_s: Annotated[float, Field(gt=0, le=3600, description="When the next heartbeat is due.")]
    message: Note = Field("", description="What it waits for; empty: nothing.")
    cluster: ClusterHealth | None = None


class ServiceHealth(Wire):
    """One part: its version, whether it answers, and why not."""

    kind: ServiceKind
    name: str
    state: ServiceState
    version: str = ""
    message: str = ""
    host: str = ""
    pid: int | None = None
    started: datetime | None = None
    seen: datetime | None = Field(None, description="Last heartbeat, of parts that have one.")
    workers: tuple[WorkerHealth, ...] = ()


class QueueHealth(Wire):
    """Work of the whole instance that waits or is under way."""

    jobs_waiting: int
    jobs_running: int
    oldest_waiting: datetime | None = Field(description="When the job that has waited longest was asked for.")
    movies_waiting: int
    movies_processing: int


class InstanceHealth(Wire):
    """Every part of the instance, and its queues."""

    version: str
    time: datetime
    services: tuple[ServiceHealth, ...]
    queue: QueueHealth


class Plugin(Wire):
    """Something that an installed package adds to Athena through an entry point."""

    type: str = Field(description="Group of the entry point without 'athena.': steps, acquisition, jobs …")
    name: str
    distribution: str
    version: str
    target: str = Field(description="Where it is: module:object.")
