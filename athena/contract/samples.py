"""Samples: what was vitrified, and what came of it (WS-22)."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire
from athena.contract.elements import MetadataEntry, Name
from athena.contract.metadata import MetadataWrite

MAX_SAMPLE_METADATA = 200


class SampleCreate(Wire):
    """A sample to register."""

    name: Name
    type: str = Field("", max_length=100)
    description: str = Field("", max_length=20_000)
    barcode: str = Field("", max_length=100)
    cassette: str = Field("", max_length=100)
    slot: int | None = Field(None, ge=0, le=10_000)
    metadata: tuple[MetadataWrite, ...] = Field((), max_length=MAX_SAMPLE_METADATA)


class SampleUpdate(Wire):
    """What to change; what is left out stays. ``metadata`` replaces all of it."""

    name: Name | None = None
    type: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=20_000)
    barcode: str | None = Field(None, max_length=100)
    cassette: str | None = Field(None, max_length=100)
    slot: int | None = Field(None, ge=0, le=10_000)
    metadata: tuple[MetadataWrite, ...] | None = Field(None, max_length=MAX_SAMPLE_METADATA)


class Sample(Wire):
    """A sample as the caller may see it."""

    id: UUID
    name: str
    type: str = ""
    description: str = ""
    barcode: str = ""
    cassette: str = ""
    slot: int | None = None
    metadata: tuple[MetadataEntry, ...] = ()
    creator: str
    created: datetime
    updated: datetime
    linked: int = Field(description="How many of the elements made of it the caller may see.")
    editable: bool = Field(description="Whether the caller may change it.")


class ElementSample(Sample):
    """A sample that an element was made of, and by which link that is known."""

    here: bool = Field(description="Whether the element itself is linked.")
    above: UUID | None = Field(None, description="Step that the element lies in, where that is linked to it.")


class SamplePage(Wire):
    """Samples by name."""

    items: tuple[Sample, ...]
    total: int
