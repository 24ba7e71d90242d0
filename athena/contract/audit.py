"""The audit trail: who did what to an element, when (BY-11)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire


class AuditAction(StrEnum):
    """What was done."""

    CREATED = "created"
    RENAMED = "renamed"
    DESCRIBED = "described"
    STATUS_SET = "status_set"
    MOVED = "moved"
    PLACED = "placed"
    SHARED = "shared"
    UNSHARED = "unshared"
    PUBLIC_SET = "public_set"
    INHERITANCE_BROKEN = "inheritance_broken"
    INHERITANCE_RESTORED = "inheritance_restored"
    SOURCE_ATTACHED = "source_attached"
    RETRIED = "retried"
    PARAMETERS_SET = "parameters_set"
    BRANCH_PROMOTED = "branch_promoted"
    METADATA_SET = "metadata_set"
    METADATA_REMOVED = "metadata_removed"
    NOTE_ADDED = "note_added"
    NOTE_CHANGED = "note_changed"
    NOTE_DELETED = "note_deleted"
    SAMPLE_LINKED = "sample_linked"
    SAMPLE_UNLINKED = "sample_unlinked"
    JOB_STARTED = "job_started"
    JOB_CANCELLED = "job_cancelled"
    FILTER_SAVED = "filter_saved"
    FILTER_NAMED = "filter_named"
    NAMED_FILTER_CHANGED = "named_filter_changed"
    NAMED_FILTER_REMOVED = "named_filter_removed"
    CRITERIA_SET = "criteria_set"
    METRIC_SET = "metric_set"
    METRIC_REMOVED = "metric_removed"
    VERDICT_GIVEN = "verdict_given"
    FILE_ADDED = "file_added"
    FILE_RENAMED = "file_renamed"
    FILE_DELETED = "file_deleted"


class AuditEntry(Wire):
    """One deed. ``element_name`` is the name at that time; ``detail`` depends on the action."""

    id: int
    time: datetime
    username: str
    action: str
    element_id: UUID
    element_kind: str
    element_name: str
    detail: dict[str, Any] = Field(default_factory=dict)


class AuditPage(Wire):
    """Deeds, newest first."""

    items: tuple[AuditEntry, ...]
    total: int
