"""User metrics: a function of a micrograph's results that people add to a run (NB-05)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
MAX_SOURCE = 50_000


class UserMetricCreate(Wire):
    """A metric as its author gives it. ``source`` defines a function of the metric's name, of one argument."""

    source: str = Field(min_length=1, max_length=MAX_SOURCE)
    label: str = Field("", max_length=100, description="As people name it; empty: from the name.")
    unit: str = Field("", max_length=20)
    digits: int = Field(2, ge=0, le=9, description="Decimals shown.")
    lower_is_better: bool | None = None
    image: bool = Field(False, description="Whether it looks at the whole corrected micrograph.")


class UserMetric(Wire):
    """A metric that people added to a run; a column of it like any other."""

    run_id: UUID
    name: MetricName
    label: str
    unit: str
    digits: int
    lower_is_better: bool | None = None
    image: bool
    source: str
    sha256: str = Field(description="Of the source.")
    creator: str
    created: datetime
    failed: int = Field(0, description="Acquisitions of the default branch that it gives no number for.")


class MetricFailure(Wire):
    """Why a metric has no value for an acquisition."""

    index: int
    reason: str
