"""Verdicts: acquisitions that people accepted or rejected by hand (BY-09)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire

MAX_VERDICTS = 10_000
"""Acquisitions judged in one request."""


class VerdictKind(StrEnum):
    """What people said of an acquisition; it goes before all rules of a filter."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class VerdictChange(Wire):
    """Judge acquisitions. ``verdict`` None: take back what was said, so that the rules decide again."""

    indices: tuple[int, ...] = Field(min_length=1, max_length=MAX_VERDICTS)
    verdict: VerdictKind | None


class Verdict(Wire):
    """What was said of one acquisition, by whom and when."""

    index: int
    verdict: VerdictKind
    username: str
    time: datetime


class RunVerdicts(Wire):
    """All verdicts on a run's acquisitions, by index."""

    run_id: UUID
    verdicts: tuple[Verdict, ...]
