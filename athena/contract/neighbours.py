"""Which acquisitions of a run a gallery shows, and which stand beside one there."""

from enum import StrEnum

from pydantic import Field

from athena.contract.base import Wire


class Shown(StrEnum):
    """Which acquisitions are shown. Filtered and excluded ones are finished: the filter keeps them, or does not."""

    ALL = "all"
    FILTERED = "filtered"
    EXCLUDED = "excluded"
    FINISHED = "finished"
    PROGRESS = "progress"
    ERROR = "error"


class Neighbours(Wire):
    """The place of an acquisition among those shown, which it need not be one of itself."""

    index: int
    shown: Shown
    count: int = Field(description="How many are shown.")
    position: int | None = Field(None, description="Of the acquisition among them, from 0; None: it is none of them.")
    previous: int | None = Field(None, description="Index of the one before it; None: it comes before all of them.")
    following: int | None = Field(None, description="Index of the one after it; None: it comes after all of them.")
