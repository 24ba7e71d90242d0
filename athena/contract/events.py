"""Events: what changed, never the data itself."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire


class EventKind(StrEnum):
    """What kind of change."""

    ELEMENT_CREATED = "element.created"
    ELEMENT_UPDATED = "element.updated"
    ELEMENT_DELETED = "element.deleted"
    RUN_CHANGED = "run.changed"
    SOURCE_CHANGED = "source.changed"
    ACQUISITION_REGISTERED = "acquisition.registered"
    ACQUISITION_COMPLETED = "acquisition.completed"
    ACQUISITION_FAILED = "acquisition.failed"
    JOB_CHANGED = "job.changed"
    FILE_CHANGED = "file.changed"
    STORAGE_CHANGED = "storage.changed"
    METADATA_CHANGED = "metadata.changed"
    NOTE_CHANGED = "note.changed"
    SAMPLE_CHANGED = "sample.changed"
    PERMISSIONS_CHANGED = "permissions.changed"
    ACCESS_CHANGED = "access.changed"
    """Names nothing: what its reader may see is not what it was, so all that is shown has to be asked for again."""


class Event(Wire):
    """One change. ``seq`` grows without gaps over the whole instance; a caller sees the events it may see."""

    seq: int
    kind: EventKind
    time: datetime
    element_id: UUID | None = None
    parent_id: UUID | None = Field(
        None, description="Of an element that came or changed: where it lies now, if the caller may see that."
    )
    index: int | None = None
    version: int | None = None


class EventPage(Wire):
    """Events after the asked one; ``last_seq`` is where to go on from (also past events the caller may not see)."""

    events: tuple[Event, ...]
    last_seq: int
