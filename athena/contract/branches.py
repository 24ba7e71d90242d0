"""Branches of results: a run processed with other parameters, beside what was there (BY-06)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from athena.contract.base import Wire
from athena.contract.filters import RunFilter
from athena.contract.runs import RunCounts

BranchName = Annotated[str, StringConstraints(pattern=r"^\w[\w .()+-]{0,99}$", strip_whitespace=True)]
FIRST = "original"
"""Name of the results that a run begins with."""
MAX_INDICES = 100_000


class Branch(Wire):
    """One set of a run's results. The run's default one is what everything shows that does not ask for another."""

    run_id: UUID
    name: str
    default: bool
    parameters: dict[str, JsonValue] = Field({}, description="Set by people; the rest is as the microscope says.")
    created: datetime
    creator: str
    counts: RunCounts = Field(description="Of another than the default: what it was given.")
    deleting: bool = False


class ReprocessParameters(Wire):
    """Process acquisitions into a branch. A branch that is there goes on with what it does not have, or what failed."""

    branch: BranchName
    parameters: dict[str, JsonValue] = Field(
        {}, description="Over those of the default branch; a branch that is there keeps its own."
    )
    exposures: int | None = Field(None, ge=1, description="Only so many, spread evenly over those that are chosen.")
    filter: RunFilter | None = Field(None, description="Only what matches, by the numbers of the default branch.")
    indices: tuple[int, ...] | None = Field(None, max_length=MAX_INDICES, description="Only these.")


class DeleteBranchParameters(Wire):
    """Delete a branch with everything in it."""

    branch: BranchName


class MetricComparison(Wire):
    """How a metric differs between two branches, over the acquisitions that both know it of. In its stored unit."""

    metric: str
    unit: str
    count: int
    median_this: float | None = None
    median_other: float | None = None
    mean_difference: float | None = Field(None, description="This minus the other.")
    median_difference: float | None = None
    deviation: float | None = Field(None, description="Standard deviation of the differences.")
    lower: int = Field(0, description="Acquisitions where this one's value is lower than the other's.")
    higher: int = 0


class BranchComparison(Wire):
    """Two branches of a run, acquisition by acquisition."""

    run_id: UUID
    this: str
    other: str
    both: int = Field(description="Acquisitions that both have processed.")
    metrics: tuple[MetricComparison, ...]
