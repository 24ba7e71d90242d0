"""Groups of users (BY-08)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire
from athena.contract.elements import Name

Username = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Group(Wire):
    """People who are shared with as one."""

    id: UUID
    name: str
    description: str = ""
    members: tuple[str, ...] = Field((), description="User names, in order.")
    created: datetime


class GroupCreate(Wire):
    """A new group."""

    name: Name
    description: str = Field("", max_length=2000)
    members: tuple[Username, ...] = Field((), max_length=10_000)


class GroupUpdate(Wire):
    """What to change of a group; what is left out stays."""

    name: Name | None = None
    description: str | None = Field(None, max_length=2000)
    add: tuple[Username, ...] = Field((), max_length=10_000, description="User names to take in.")
    remove: tuple[Username, ...] = Field((), max_length=10_000, description="User names to take out.")
