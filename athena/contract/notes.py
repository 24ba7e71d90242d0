"""Notes on elements: markdown, with links (WS-17)."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from athena.contract.base import Wire

MAX_NOTE = 20_000
MAX_LINKS = 50

NoteText = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=MAX_NOTE, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
    ),
]


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        proper = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        proper = False
    if not proper or not text.isprintable() or any(c in text for c in " <>\"'\\"):
        raise ValueError("a link begins with http:// or https:// and a host, and has neither password nor blanks")
    return text


WebAddress = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_web_address)]


class NoteLinkWrite(Wire):
    """A link as its writer gives it: to an element, or to an address on the web."""

    element_id: UUID | None = None
    url: WebAddress | None = None
    title: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _one_target(self) -> "NoteLinkWrite":
        if (self.element_id is None) == (self.url is None):
            raise ValueError("a link leads to either an element or a url")
        return self


class NoteLink(Wire):
    """A link as a reader may see it. One to an element that the reader may not see has neither id nor title."""

    element_id: UUID | None = None
    url: str | None = None
    title: str = ""
    hidden: bool = False


class NoteWrite(Wire):
    """A new note, or what one is to say from now on."""

    text: NoteText
    links: tuple[NoteLinkWrite, ...] = Field((), max_length=MAX_LINKS)


class Note(Wire):
    """A note. ``text`` is markdown as written: whoever shows it leaves out raw HTML and foreign schemes."""

    id: UUID
    element_id: UUID
    author: str
    text: str
    links: tuple[NoteLink, ...] = ()
    created: datetime
    updated: datetime
    editable: bool = Field(description="Whether the caller may change and delete it.")
