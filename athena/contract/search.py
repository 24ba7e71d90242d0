"""Search over everything the caller may see (SE-01, SE-02), and places: elements with the way to them."""

from enum import StrEnum

from pydantic import Field

from athena.contract.base import Wire
from athena.contract.elements import Crumb, Element


class SearchIn(StrEnum):
    """Where words are looked for. Descriptions count as notes; samples as metadata."""

    NAME = "name"
    METADATA = "metadata"
    NOTES = "notes"


class SearchKind(StrEnum):
    """What is looked for."""

    FOLDER = "folder"
    WORKFLOW = "workflow"
    STEP = "step"
    DATASET = "dataset"
    FILE = "file"


class Placed(Wire):
    """An element with the way to it, as far as the caller may see it; its own crumb last."""

    element: Element
    breadcrumb: tuple[Crumb, ...]


class SearchHit(Placed):
    """Something that was found: an element, or a file in it."""

    file: str = Field("", description="Name of the file that was found in the element; empty: the element itself.")


class SearchPage(Wire):
    """Hits, the best first."""

    hits: tuple[SearchHit, ...]
    total: int = Field(description="How many were found and ranked.")
    more: bool = Field(description="Whether there are more than were ranked: the total is then a lower bound.")
