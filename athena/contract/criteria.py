"""Quality criteria: what a good acquisition of a run is (EQ-12)."""

from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire
from athena.contract.filters import MAX_RULES, FilterRule, Operator

DEFAULT_CRITERIA = (
    FilterRule(metric="ctf_resolution_angstrom", operator=Operator.AT_MOST, value=6.0),
    FilterRule(metric="astigmatism_nm", operator=Operator.AT_MOST, value=100.0),
    FilterRule(metric="drift_total_angstrom", operator=Operator.AT_MOST, value=20.0),
)
"""What is asked of an acquisition where neither its run nor the settings say otherwise."""


class Criteria(Wire):
    """Rules that an acquisition must all match to comply; a metric without a value does not comply."""

    rules: tuple[FilterRule, ...] = Field((), max_length=MAX_RULES)


class RunCriteria(Wire):
    """Quality criteria of a run, and how many of its processed acquisitions comply with them now."""

    run_id: UUID
    rules: tuple[FilterRule, ...]
    own: bool = Field(description="Whether they were set for this run; else they are the instance's.")
    complying: int
    judged: int = Field(description="Acquisitions that are processed.")
    recent_complying: int = Field(description="Of the latest ones, as many as the instance's settings look at.")
    recent_judged: int
    warning: bool = Field(description="Whether so few of the latest comply that the run's status is Warning.")
