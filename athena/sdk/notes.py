"""Notes on an element (WS-17)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload
from uuid import UUID

from athena.contract import notes as wire
from athena.domain.markdown import to_html
from athena.sdk import html
from athena.sdk.client import Client, checked

if TYPE_CHECKING:
    from athena.sdk.elements import Element


class Note:
    """A note, as it was when read."""

    def __init__(self, client: Client, model: wire.Note) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> wire.Note:
        """All that the API said of it."""
        return self._model

    @property
    def text(self) -> str:
        """What it says, in markdown."""
        return self._model.text

    @property
    def author(self) -> str:
        """User name of who wrote it."""
        return self._model.author

    def edit(self, text: str, *, links: "Sequence[Element | str] | None" = None) -> None:
        """Replace what it says; links stay unless some are given."""
        kept = tuple(_kept(link) for link in self._model.links if not link.hidden)
        new = checked(wire.NoteWrite, text=text, links=kept if links is None else _links(links))
        self._model = self._client.put(self._path, new, wire.Note)

    def delete(self) -> None:
        """Delete it."""
        self._client.delete(self._path)

    @property
    def _path(self) -> str:
        return f"/api/elements/{self._model.element_id}/notes/{self._model.id}"

    def __repr__(self) -> str:
        return f"<Note by {self.author}: {self.text[:40]!r}>"

    def _repr_html_(self) -> str:
        return html.page(shown(self._model))


class Notes(Sequence[Note]):
    """Notes on an element, the newest first, as they were when it was asked for."""

    def __init__(self, client: Client, element_id: UUID) -> None:
        self._client = client
        self._path = f"/api/elements/{element_id}/notes"
        self._notes = [Note(client, model) for model in client.get(self._path, list[wire.Note])]

    def add(self, text: str, *, links: "Sequence[Element | str]" = ()) -> Note:
        """Write a note in markdown; links lead to elements or to http(s) addresses."""
        new = checked(wire.NoteWrite, text=text, links=_links(links))
        note = Note(self._client, self._client.post(self._path, new, wire.Note))
        self._notes.insert(0, note)
        return note

    @overload
    def __getitem__(self, key: int) -> Note: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Note]: ...
    def __getitem__(self, key: int | slice) -> Note | Sequence[Note]:
        return self._notes[key]

    def __len__(self) -> int:
        return len(self._notes)

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self._notes))}]"

    def _repr_html_(self) -> str:
        return html.page(*(shown(note.model) for note in self._notes)) if self else html.page(html.text("no notes"))


def shown(note: wire.Note) -> str:
    """A note as a card: its markdown without anything that loads or runs."""
    links = [html.text("an element you may not see" if link.hidden else link.title) for link in note.links]
    when = f"{note.updated:%Y-%m-%d %H:%M} UTC"
    return html.card(note.author, when, to_html(note.text), html.row(*links) if links else "")


def _links(links: "Sequence[Element | str]") -> tuple[dict[str, object], ...]:
    return tuple({"url": link} if isinstance(link, str) else {"element_id": link.id} for link in links)


def _kept(link: wire.NoteLink) -> dict[str, object]:
    return {"element_id": link.element_id, "url": link.url, "title": link.title}
