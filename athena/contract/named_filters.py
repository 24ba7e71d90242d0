"""Named filters: rules that a workflow keeps under a name, for all its runs (EQ-08)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire
from athena.contract.filters import MAX_RULES, FilterRule

FilterName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
FilterRules = Annotated[tuple[FilterRule, ...], Field(min_length=1, max_length=MAX_RULES)]


class NamedFilterCreate(Wire):
    """Rules to keep under a name; upper and lower case make no other name."""

    name: FilterName
    rules: FilterRules


class NamedFilterUpdate(Wire):
    """What to change; what is left out stays."""

    name: FilterName | None = None
    rules: FilterRules | None = None
    revision: int | None = Field(None, description="The one it was made on: refused where it is not the present one.")


class NamedFilter(Wire):
    """Rules under a name. They do nothing by themselves: the filter of a run is what was saved for that run."""

    id: UUID
    name: str
    rules: tuple[FilterRule, ...]
    revision: int = Field(description="Grows with each change: the number of its newest version.")
    creator: str
    created: datetime
    updated: datetime
    lacking: tuple[str, ...] = Field((), description="Metrics of its rules that the run asked for has not.")


class FilterVersion(Wire):
    """What a named filter was from one change to the next. It outlives the filter."""

    filter_id: UUID
    number: int
    name: str
    rules: tuple[FilterRule, ...]
    username: str = Field(description="Who made it so; empty: not known, of changes before versions were kept.")
    time: datetime
