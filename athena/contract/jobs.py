"""Jobs: long work, kept as rows."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from athena.contract.base import Wire


class JobKind(StrEnum):
    """What a job does. A processing job is a run's: it plans, follows and collects all its acquisitions."""

    PROCESSING = "processing"


class JobState(StrEnum):
    """Life of a job."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Wire):
    """A job as the caller may see it; ``element_name`` is "Private entity" where it may not see the element (JB-02)."""

    id: UUID
    kind: JobKind
    state: JobState
    element_id: UUID | None
    element_name: str
    done: int
    total: int
    message: str = ""
    initiator: str
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
