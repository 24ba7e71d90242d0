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
    volume: UUID | None = Field(None, description="Of a zarr folder: the file that stands for it in a viewer.")


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
    binning: int = Field(
        1, description="Pixels averaged in each direction: a cut that would read all of a large volume."
    )


class VolumeItem(Wire):
    """Something among the files of a folder that can be looked at as a volume."""

    file: File = Field(description="The file by which it is asked for: itself, one of a zarr folder, first of a stack.")
    name: str = Field(description="For people.")
    sections: int = Field(0, description="How many; 0: not known before it is opened.")
    stack: bool = Field(False, description="Whether it is the images of the folder on one another.")


class VolumeList(Wire):
    """What of a folder can be looked at as a volume."""

    items: tuple[VolumeItem, ...]


class VolumeInfo(Wire):
    """What a volumetric viewer needs to know of a volume before it reads any of it."""

    name: str
    shape: tuple[int, int, int] = Field(description="Sections, rows and columns: z, y, x.")
    pixel_size_angstrom: float = Field(description="0: not known.")
    content_hash: str


class TextureHead(Wire):
    """Head of a volume of bytes: 0 stands for ``low``, 255 for ``high``."""

    shape: tuple[int, int, int] = Field(description="z, y, x; y upwards.")
    low: float
    high: float
    mean: float = Field(description="At this size, as is σ.")
    sigma: float
    dark: bool = Field(description="Whether what is dense is dark, as in a tomogram.")
    missing: float = Field(description="Share of the voxels that hold no number, and count as 0.")


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
