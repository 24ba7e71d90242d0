"""Tokens that people make for their scripts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire
from athena.contract.people import TokenScope

MAX_TOKEN_DAYS = 3660

TokenName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class TokenCreate(Wire):
    """A token to be made; without days it lasts until it is revoked."""

    name: TokenName
    scope: TokenScope = TokenScope.READ
    days: int | None = Field(90, ge=1, le=MAX_TOKEN_DAYS)


class Token(Wire):
    """A token, without its text."""

    id: UUID
    name: str
    scope: TokenScope
    start: str = Field(description="How its text begins.")
    created: datetime
    expires: datetime | None
    last_used: datetime | None = Field(description="To five minutes.")


class TokenMade(Wire):
    """A new token with its text, which is shown this once."""

    token: Token
    text: str = Field(repr=False)
