"""Quality report of a run (EQ-10)."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire
from athena.contract.filters import FilterRule, KeptVersion

FEW_IMAGES = 30
"""Of fewer images, rates, shares and distributions say little: they are shown with that said beside them."""


class MetricSummary(Wire):
    """How a metric is distributed over a run's processed acquisitions; None where no value is known."""

    metric: str = Field(description="Catalogue name, or that of a user metric; values are in its stored unit.")
    label: str = ""
    unit: str = ""
    digits: int = Field(2, description="Decimals shown.")
    count: int = Field(description="Acquisitions whose value is known.")
    mean: float | None = None
    median: float | None = None
    deviation: float | None = Field(None, description="Standard deviation of the population.")
    low: float | None = None
    high: float | None = None
    edges: tuple[float, ...] = Field((), description="Edges of the histogram's bins, one more than counts.")
    counts: tuple[int, ...] = ()


class QualityReport(Wire):
    """What a run was worth. None or empty: unknown, shown as N/A."""

    run_id: UUID
    name: str
    path: tuple[str, ...] = Field((), description="Names of the elements above it, from the root.")
    session: str = ""
    branch: str = Field("", description="Branch of results it rests on; empty: the default one.")
    version: int = Field(description="Of the run: the report is of this state.")
    made: datetime
    software: str = Field(description="Athena's version.")
    data_hash: str = Field(description="SHA-256 over the numbers the report rests on: equal data, equal hash.")
    started: datetime | None = Field(None, description="First acquisition.")
    ended: datetime | None = Field(None, description="Last acquisition.")
    duration_h: float | None = None
    microscope: str = ""
    camera: str = ""
    voltage_kv: float | None = None
    pixel_size_angstrom: float | None = None
    images: int = Field(description="Acquisitions.")
    processed: int
    failed: int
    complying: int = Field(description="Processed acquisitions within the quality criteria.")
    images_per_h: float | None = Field(
        None, description="By the intervals between the first image and the last, one fewer than images."
    )
    complying_per_h: float | None = None
    criteria: tuple[FilterRule, ...] = ()
    criteria_named: KeptVersion | None = Field(None, description="Version of a named filter that has these rules.")
    metrics: tuple[MetricSummary, ...] = ()
    user_metrics: tuple[MetricSummary, ...] = Field((), description="Of metrics that people added to the run.")

    @property
    def too_few(self) -> bool:
        """Whether it rests on so few images that its rates and distributions say little."""
        return min(self.images, self.processed) < FEW_IMAGES
