"""Notes on elements."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.notes import Note, NoteWrite
from athena.server.caller import CallerDep
from athena.services import notes

router = APIRouter(prefix="/elements/{element_id}/notes", tags=["notes"])


@router.get("")
def list_notes(caller: CallerDep, element_id: UUID) -> tuple[Note, ...]:
    """Give the notes of an element, the newest first. Their text is markdown and is not made safe for HTML here."""
    with caller.reading() as session:
        return notes.list_notes(session, caller.principal, element_id)


@router.post("", status_code=201)
def add_note(caller: CallerDep, element_id: UUID, new: NoteWrite) -> Note:
    """Write a note on an element."""
    with caller.writing() as session:
        return notes.add_note(session, caller.principal, element_id, new)


@router.put("/{note_id}")
def change_note(caller: CallerDep, element_id: UUID, note_id: UUID, new: NoteWrite) -> Note:
    """Replace what a note says; its author and the element's owners may."""
    with caller.writing() as session:
        return notes.change_note(session, caller.principal, element_id, note_id, new)


@router.delete("/{note_id}", status_code=204)
def delete_note(caller: CallerDep, element_id: UUID, note_id: UUID) -> None:
    """Delete a note; its author and the element's owners may."""
    with caller.writing() as session:
        notes.delete_note(session, caller.principal, element_id, note_id)
