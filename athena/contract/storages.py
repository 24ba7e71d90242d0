"""Storages: where files lie."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire

StorageName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^/\x00-\x1f]+$")
]
StorageUrl = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x20\x7f]+$")]
OptionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")]
OptionValue = Annotated[str, StringConstraints(max_length=10_000)]


class StorageRole(StrEnum):
    """What a storage is for (ST-01)."""

    PRIMARY = "primary"
    """What people upload."""
    ACQUISITION = "acquisition"
    """What microscopes write; Athena only reads there."""
    EXPORT = "export"
    ARCHIVE = "archive"


class StorageState(StrEnum):
    """How a storage answered when it was last looked at."""

    UNKNOWN = "unknown"
    STABLE = "stable"
    DOWN = "down"


class StorageUse(Wire):
    """What a storage holds and has room for, in bytes; looked at in the background, every five minutes at most."""

    state: StorageState
    message: str = Field("", description="Why it is down.")
    checked: datetime | None = Field(None, description="When it was last looked at.")
    file_count: int = Field(description="Files that Athena keeps there.")
    used_bytes: int = Field(description="Size of these files together.")
    total_bytes: int | None = Field(None, description="Size of the device; null where there is no bound.")
    free_bytes: int | None = None
    quota_bytes: int | None = Field(None, description="How much Athena's files may take together; null: no bound.")


class Storage(Wire):
    """A connected storage. Where it lies and how it is reached is told to administrators only, secrets to nobody."""

    id: UUID
    name: str
    role: StorageRole
    read_only: bool
    chosen: bool = Field(description="Whether new files of its role go there.")
    use: StorageUse
    url: str | None = None
    options: dict[str, str] | None = None
    secrets: tuple[str, ...] | None = Field(None, description="Names of the options that are kept secret.")


class StorageCreate(Wire):
    """A storage to connect."""

    name: StorageName
    url: StorageUrl = Field(description="file:///folder, home:folder, s3://bucket/folder, gs://…, az://….")
    role: StorageRole
    options: dict[OptionName, OptionValue] = Field(
        default_factory=dict,
        max_length=40,
        description="How an object store is reached: endpoint, region, access_key_id, secret_access_key, ….",
    )
    quota_bytes: int | None = Field(None, ge=0, le=2**62)
    chosen: bool = Field(False, description="Let new files of its role go there from now on.")


class StorageUpdate(Wire):
    """What to change; what is left out stays. Options are merged; an empty value removes one."""

    name: StorageName | None = None
    options: dict[OptionName, OptionValue] | None = Field(None, max_length=40)
    quota_bytes: int | None = Field(None, ge=0, le=2**62, description="0: no bound.")
    chosen: bool | None = Field(None, description="True: new files of its role go there from now on.")
