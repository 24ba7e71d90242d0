"""Acquisitions of a run as a list to go through: filtered, in an order, a page at a time."""

from enum import StrEnum

from pydantic import Field

from athena.contract.acquisitions import AcquisitionState
from athena.contract.base import Wire
from athena.contract.neighbours import Shown


class ListingSort(StrEnum):
    """What a list of acquisitions is ordered by."""

    INDEX = "index"
    NAME = "name"
    ACQUIRED = "acquired"


class ListedAcquisition(Wire):
    """An acquisition as a line of a list."""

    index: int
    name: str
    state: AcquisitionState
    error: str = ""


class Listing(Wire):
    """A page of a list."""

    items: tuple[ListedAcquisition, ...]
    offset: int = Field(description="Where the page begins.")
    total: int = Field(description="How many are shown.")
    run_total: int = Field(description="How many the run has.")
    shown: Shown = Field(description="Which are shown; where that was not said: what the run's filter keeps, if any.")
