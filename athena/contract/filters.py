"""Filters: which acquisitions of a run count, by rules on their metrics."""

from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from athena.contract.base import Wire

MAX_RULES = 50


class Operator(StrEnum):
    """How a rule compares a metric; bounds belong to ``between`` and not to ``outside``."""

    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="
    BETWEEN = "between"
    OUTSIDE = "outside"


class FilterRule(Wire):
    """One rule: a metric by catalogue name, in its stored unit. A metric that is not there (yet) matches no rule."""

    metric: str = Field(min_length=1, max_length=100)
    operator: Operator
    value: float = Field(allow_inf_nan=False)
    upper: float | None = Field(None, allow_inf_nan=False, description="Second bound of between and outside.")

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        two = self.operator in (Operator.BETWEEN, Operator.OUTSIDE)
        if two and (self.upper is None or self.upper < self.value):
            raise ValueError(f"{self.operator.value} takes a value and an upper one that is not below it")
        if not two and self.upper is not None:
            raise ValueError(f"{self.operator.value} takes one value only")
        return self


class RunFilter(Wire):
    """Rules that must all match; none match every acquisition. What people accepted or rejected by hand goes first."""

    rules: tuple[FilterRule, ...] = Field((), max_length=MAX_RULES)


class KeptVersion(Wire):
    """A version of a named filter, as what was made with it names it. It can be asked for even once that is deleted."""

    id: UUID
    name: str = Field(description="As it was called then.")
    version: int


class SavedFilter(Wire):
    """The filter saved for a run, and how many of its acquisitions match it now."""

    run_id: UUID
    filter: RunFilter
    matching: int
    total: int
    accepted: int = Field(0, description="Acquisitions accepted by hand: they match whatever the rules say.")
    rejected: int = Field(0, description="Acquisitions rejected by hand: they never match.")
    named: KeptVersion | None = Field(None, description="Version of a named filter that has these rules.")
