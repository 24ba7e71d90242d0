"""Typed metadata, and the quantities and units that its numbers may carry (MD-01…06)."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from athena.contract.base import Wire
from athena.contract.elements import MetadataEntry

MetadataType = Literal["string", "boolean", "date", "double", "integer"]
MetadataName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
MetadataText = Annotated[str, StringConstraints(max_length=4000)]
MetadataValue = bool | int | float | MetadataText

GENERAL = "General"
"""Group of what every element has (MD-01)."""
CUSTOM = "Custom"
"""The one group that users write; all others come with an acquisition."""


class MetadataFormat(StrEnum):
    """What metadata is exported as."""

    CSV = "csv"
    JSON = "json"
    XML = "xml"


class MetadataWrite(Wire):
    """A metadatum of the group Custom, as a user gives it.

    A value that is told as text is read as the type says ("1.5" is a double), so that forms need not convert.
    """

    name: MetadataName
    type: MetadataType
    value: MetadataValue
    quantity: str = Field("", max_length=60, description="Key of a physical quantity; of double and integer only.")
    unit: str = Field("", max_length=40, description="Symbol of a unit of the quantity.")


class MetadataFile(Wire):
    """Exported metadata, as JSON: what an import takes."""

    element: str = Field("", max_length=400)
    metadata: tuple[MetadataEntry, ...] = Field(max_length=10_000)


class MetadataImport(Wire):
    """What an import did. Entries of other groups than Custom are left out: only acquisitions write those."""

    imported: int
    left_out: int


class KnownName(Wire):
    """A name already used, with how it was used last; for completion."""

    name: str
    type: MetadataType
    quantity: str = ""
    unit: str = ""


class Unit(Wire):
    """A unit of a quantity."""

    symbol: str
    name: str


class Quantity(Wire):
    """A physical quantity with its units, the base first."""

    key: str
    label: str
    units: tuple[Unit, ...]


class Converted(Wire):
    """A value in another unit."""

    value: float
    unit: str
