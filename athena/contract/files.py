"""Files of elements, and uploads on their way to become files."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire
from athena.contract.runs import ImageInfo

FileName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""Checked by ``athena.storages.keys.check_name``; slashes for files of an uploaded folder."""


class FileSort(StrEnum):
    """What a listing of files is ordered by."""

    NAME = "name"
    CREATED = "created"
    SIZE = "size"


class File(Wire):
    """A file of an element."""

    id: UUID
    element_id: UUID
    name: str = Field(description="With slashes where it came from an uploaded folder.")
    role: str = Field(description="What it is to its element: data, unless an acquisition or a job says otherwise.")
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str = Field("", description="Of the whole, in hexadecimal; empty where it is not known.")
    storage: str = Field(description="Name of the storage it lies on.")
    creator: str = Field("", description="Who uploaded it.")
    created: datetime
    acquisition_index: int | None = None


class FileFolder(Wire):
    """A folder that the names of files spell."""

    name: str = Field(description="The last part of its path.")
    count: int = Field(description="Files in it, at any depth.")
    size: int = Field(description="Bytes of all of them.")


class FilePage(Wire):
    """Files of an element, in order."""

    items: tuple[File, ...]
    total: int
    total_bytes: int
    folders: tuple[FileFolder, ...] = Field((), description="Where one folder was asked for: those in it.")


class FileUpdate(Wire):
    """What to change of a file."""

    name: FileName


class FileImageInfo(ImageInfo):
    """What a tiled viewer needs to know of a section of a file that holds images."""

    section: int = Field(description="Which one, from 0.")
    whole: str = Field("", description="``mean`` or ``max`` of all sections along the axis; empty: one section.")
    axes: tuple[str, ...] = Field(description="Along which there are sections: z, and of a volume y and x.")
    counts: tuple[int, ...] = Field(description="Sections along each of the axes.")


class UploadWanted(Wire):
    """What an upload says at its beginning."""

    name: FileName
    size: int = Field(ge=0, le=2**62)
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="What the whole must have; empty: not checked.")


class Upload(Wire):
    """An upload that is not finished. The file it becomes has the same id."""

    id: UUID
    element_id: UUID
    name: str
    size: int
    offset: int = Field(description="Bytes that are here: where to go on.")
    created: datetime
    expires: datetime


class HandOver(Wire):
    """Where a client on the same machine, who owns the instance, may write an upload's bytes himself."""

    path: str = Field(description="An empty file, to be locked (flock) while it is written.")


class HandedOver(Wire):
    """The bytes are all written."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of what was written.")
