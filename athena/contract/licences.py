"""Licences: what a key says, and how the platform stands."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire

FeatureName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class LicensedFeature(Wire):
    """One feature of a licence. Seats count for ``platform`` (people who may log in); null: no limit."""

    name: FeatureName
    seats: int | None = Field(None, ge=0, le=1_000_000)
    expires: datetime | None = None


class Licence(Wire):
    """What a licence key says, under the vendor's signature."""

    id: UUID
    platform_id: UUID
    customer: str = Field("", max_length=200)
    issued: datetime
    features: tuple[LicensedFeature, ...] = Field(min_length=1, max_length=100)


class LicenceInstall(Wire):
    """A licence key as it was pasted; line breaks and spaces do not matter."""

    key: str = Field(min_length=1, max_length=20_000)


class InstalledLicence(Wire):
    """An installed key and what it says; ``problem`` is why it does not count, if so."""

    licence: Licence | None = Field(description="Null if the key cannot be read with the vendor key of now.")
    key: str
    installed: datetime
    installed_by: str
    problem: str = ""


class FeatureStatus(Wire):
    """One row of the status table, over all installed keys."""

    feature: str
    seats: int | None = Field(description="Null: no limit.")
    used: int | None = Field(description="Seats held; null where seats do not count.")
    expires: datetime | None = Field(description="When the last key for it expires.")
    valid: bool
    message: str = ""


class LicenceStatus(Wire):
    """How the platform stands."""

    platform_id: UUID
    required: bool = Field(description="Whether a seat is needed to log in.")
    features: tuple[FeatureStatus, ...]
    licences: tuple[InstalledLicence, ...]
    message: str = ""
