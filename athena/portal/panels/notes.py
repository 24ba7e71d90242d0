"""The side of the data panel with an element's notes (WS-17)."""

from typing import Any

from athena.contract.elements import Element
from athena.contract.notes import Note, NoteWrite
from athena.domain.markdown import to_html
from athena.errors import Invalid
from athena.portal.components.note_list import NoteList
from athena.portal.panels.side import Side, may_write
from athena.portal.session import PortalSession
from athena.sdk.client import checked


class NotesSide(Side[NoteList]):
    """Notes: read, written, changed, deleted."""

    def __init__(self, session: PortalSession) -> None:
        super().__init__(session, NoteList)

    def _read(self, element: Element) -> None:
        if self.root.element != str(element.id):
            self.root.param.update(notes=[], waiting=True, element=str(element.id))
        self.root.may_write = may_write(element)

        def show(notes: list[Note]) -> None:
            self.root.param.update(notes=[note_item(note) for note in notes], waiting=False)

        self._fetch(element, lambda: self._session.catalogue.notes(element.id), show)

    def _answer(self, element: Element, asked: dict[str, Any]) -> None:
        catalogue = self._session.catalogue
        if asked["do"] == "delete":
            self._do(element, lambda: catalogue.delete_note(element.id, asked["id"]))
            return
        try:
            new = checked(NoteWrite, text=asked["text"], links=asked["links"])
        except Invalid as error:
            self._refused(error)
            return
        if asked["do"] == "add":
            self._do(element, lambda: catalogue.add_note(element.id, new))
        else:
            self._do(element, lambda: catalogue.change_note(element.id, asked["id"], new))


def note_item(note: Note) -> dict[str, Any]:
    """A note as the component takes it, its markdown as HTML that holds nothing of its writer's but text and links."""
    return note.model_dump(mode="json") | {"html": to_html(note.text)}
