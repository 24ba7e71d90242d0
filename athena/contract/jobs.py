"""Jobs: long work, kept as rows."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from athena.contract.base import Wire
from athena.contract.elements import DatasetType, ElementKind

KindName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""Name of a job kind. Not an enumeration: installed packages add kinds (entry points ``athena.jobs``)."""


class JobKind(StrEnum):
    """The kinds that come with Athena. A processing job is a run's: it follows and collects all its acquisitions."""

    PROCESSING = "processing"
    DELETE = "delete"
    EXPORT = "export"
    LIVE_EXPORT = "live_export"
    CLEANUP = "cleanup"
    ARCHIVE = "archive"
    RESTORE = "restore"
    REINDEX = "reindex"
    REPROCESS = "reprocess"
    DELETE_BRANCH = "delete_branch"
    USER_METRICS = "user_metrics"


class JobState(StrEnum):
    """Life of a job; ``athena.domain.job_life`` says which follows which."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobAction(StrEnum):
    """What the caller may do with a job as it stands."""

    CANCEL = "cancel"
    RETRY = "retry"
    REMOVE = "remove"


class NoParameters(Wire):
    """Parameters of a job kind that takes none."""


class Job(Wire):
    """A job as the caller may see it; ``element_name`` is "Private entity" where it may not see the element (JB-02)."""

    id: UUID
    kind: KindName
    label: str = Field(description="The kind as people name it.")
    state: JobState
    cancelling: bool = Field(False, description="It was cancelled, and ends as soon as it has tidied up.")
    element_id: UUID | None
    element_name: str
    done: int
    total: int
    unit: str = Field("", description="What is counted: files, acquisitions, elements …")
    message: str = Field("", description="How it stands, in words; of a failed job the reason.")
    item: str = Field("", description="What a failed job failed on.")
    attempts: int = Field(0, description="How often it was begun since it was last asked for.")
    result: dict[str, JsonValue] = Field({}, description="What it made, by kind: e.g. the path of an export.")
    initiator: str
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    actions: tuple[JobAction, ...] = Field((), description="What the caller may do with it now.")


class JobCreate(Wire):
    """A job to start; ``GET /jobs/kinds`` says which there are."""

    kind: KindName
    element_id: UUID | None = None
    parameters: dict[str, JsonValue] = Field({}, description="As the kind's model takes them.")


class JobKindInfo(Wire):
    """A kind of job that may be started."""

    name: KindName
    label: str
    elements: tuple[ElementKind, ...] = Field(description="Kinds of elements it works on; empty: on none.")
    dataset_types: tuple[DatasetType, ...] = Field((), description="Of datasets, the types it works on.")
    parameters: dict[str, Any] = Field(description="JSON schema of its parameters.")


class JobCount(Wire):
    """How many jobs a request reached."""

    count: int
