"""Live runs: what is acquired now, how fast, and what is wrong with it."""

from datetime import datetime

from pydantic import Field

from athena.contract.base import Wire
from athena.contract.filters import FilterRule
from athena.contract.runs import RunCounts, SourceState
from athena.contract.search import Placed
from athena.contract.user_metrics import UserMetric


class RuleFailures(Wire):
    """How many of the latest processed acquisitions fail a rule of the run's criteria."""

    rule: FilterRule
    failing: int


class LiveRun(Placed):
    """A run whose session folder is followed."""

    state: SourceState
    message: str = Field("", description="What the last scan of the folder found, in words.")
    last_scan: datetime | None = None
    counts: RunCounts
    rate_per_h: float | None = Field(None, description="Of the latest acquisitions; None where they are too few.")
    usual_interval_s: float | None = Field(None, description="Median time between the latest acquisitions.")
    last_index: int | None = None
    last_name: str = ""
    last_registered: datetime | None = None
    shown_index: int | None = Field(None, description="The latest processed acquisition: it has pictures.")
    latest: int = Field(0, description="How many of the latest acquisitions were looked at for failures.")
    latest_failed: int = Field(0, description="How many of those could not be processed.")
    judged: int = Field(0, description="How many of the latest processed acquisitions were held against the criteria.")
    complying: int = Field(0, description="How many of those meet all criteria.")
    failures: tuple[RuleFailures, ...] = Field((), description="By rule, where any fails it.")
    user_metrics: tuple[UserMetric, ...] = Field((), description="Metrics that people added, without their source.")
