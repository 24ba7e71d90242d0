"""Notes on elements (WS-17): who may write to an element notes on it; who wrote a note, and owners, change it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.notes import Note, NoteLink, NoteLinkWrite, NoteWrite
from athena.contract.people import Action, Principal
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.notes import NoteRow
from athena.db.people import UserRow
from athena.db.visibility import restrict
from athena.domain.permissions import can
from athena.errors import Forbidden, Invalid, NotFound
from athena.services.audit import record
from athena.services.guard import Visible, find_visible, require_writer

MAX_NOTES = 1000
"""Notes of one element, so that all of them make a page."""


def list_notes(session: Session, principal: Principal, element_id: UUID) -> tuple[Note, ...]:
    """Notes of an element, the newest first."""
    visible = find_visible(session, principal, element_id)
    query = select(NoteRow).where(NoteRow.element_id == element_id).order_by(NoteRow.created.desc(), NoteRow.id)
    return _described(session, principal, visible, session.scalars(query).all())


def add_note(session: Session, principal: Principal, element_id: UUID, new: NoteWrite) -> Note:
    """Write a note on an element. Raises NotFound, Forbidden; Invalid where a link leads to no visible element."""
    element = require_writer(session, principal, element_id)
    held = session.scalars(select(NoteRow.id).where(NoteRow.element_id == element_id).limit(MAX_NOTES)).all()
    if len(held) == MAX_NOTES:
        raise Invalid(f"An element has at most {MAX_NOTES} notes.", hint="Change one of them, or delete some.")
    row = NoteRow(
        element_id=element_id,
        author_id=principal.user_id,
        text=new.text,
        links=_checked_links(session, principal, new.links),
    )
    session.add(row)
    record(session, principal, AuditAction.NOTE_ADDED, element)
    session.flush()
    append_event(session, EventKind.NOTE_CHANGED, element_id=element_id)
    return _described(session, principal, find_visible(session, principal, element_id), [row])[0]


def change_note(session: Session, principal: Principal, element_id: UUID, note_id: UUID, new: NoteWrite) -> Note:
    """Replace what a note says; its author and the element's owners may. Raises as ``add_note`` does.

    Links that the caller may not see stay: nobody loses what they cannot know of.
    """
    row = _require_note(session, principal, element_id, note_id)
    titles = _titles(session, principal, [row])
    hidden = [link for link in row.links if _is_hidden(link, titles)]
    row.links = [*_checked_links(session, principal, new.links), *hidden]
    row.text = new.text
    record(session, principal, AuditAction.NOTE_CHANGED, session.get_one(ElementRow, element_id))
    session.flush()
    append_event(session, EventKind.NOTE_CHANGED, element_id=element_id)
    return _described(session, principal, find_visible(session, principal, element_id), [row])[0]


def delete_note(session: Session, principal: Principal, element_id: UUID, note_id: UUID) -> None:
    """Delete a note; its author and the element's owners may."""
    session.delete(_require_note(session, principal, element_id, note_id))
    record(session, principal, AuditAction.NOTE_DELETED, session.get_one(ElementRow, element_id))
    session.flush()
    append_event(session, EventKind.NOTE_CHANGED, element_id=element_id)


def _require_note(session: Session, principal: Principal, element_id: UUID, note_id: UUID) -> NoteRow:
    """Note that the caller may change."""
    require_writer(session, principal, element_id)
    visible = find_visible(session, principal, element_id)
    row = session.scalar(select(NoteRow).where(NoteRow.id == note_id, NoteRow.element_id == element_id))
    if row is None:
        raise NotFound(f"“{visible.row.name}” has no note {note_id}.", hint="It may have been deleted.")
    if not _may_change(principal, visible, row):
        raise Forbidden("This note is somebody else's.", hint="Its author and the owners of the element may change it.")
    return row


def _may_change(principal: Principal, visible: Visible, row: NoteRow) -> bool:
    own = row.author_id == principal.user_id and can(Action.WRITE, visible.role)
    return own or can(Action.SHARE, visible.role)


def _checked_links(session: Session, principal: Principal, links: Sequence[NoteLinkWrite]) -> list[dict[str, Any]]:
    """Links as they are stored; those to elements must lead to ones that the writer may see."""
    wanted = {link.element_id for link in links if link.element_id is not None}
    seen = set(session.scalars(restrict(select(ElementRow.id).where(ElementRow.id.in_(wanted)), principal)))
    if wanted - seen:
        raise Invalid(
            "A link of the note leads to no element that you may see.", hint="It may have been deleted, or not shared."
        )
    return [link.model_dump(mode="json", exclude_none=True) for link in links]


def _titles(session: Session, principal: Principal, rows: Sequence[NoteRow]) -> dict[str, str]:
    """Names of the linked elements that the caller may see, by id."""
    ids = {UUID(link["element_id"]) for row in rows for link in row.links if "element_id" in link}
    query = select(ElementRow.id, ElementRow.name).where(ElementRow.id.in_(ids))
    return {str(element_id): name for element_id, name in session.execute(restrict(query, principal))} if ids else {}


def _is_hidden(link: dict[str, Any], titles: dict[str, str]) -> bool:
    return "element_id" in link and link["element_id"] not in titles


def _described(session: Session, principal: Principal, visible: Visible, rows: Sequence[NoteRow]) -> tuple[Note, ...]:
    titles = _titles(session, principal, rows)
    authors: dict[UUID, str] = dict(
        session.execute(
            select(UserRow.id, UserRow.username).where(UserRow.id.in_({row.author_id for row in rows}))
        ).all()
    )
    return tuple(
        Note(
            id=row.id,
            element_id=row.element_id,
            author=authors[row.author_id],
            text=row.text,
            links=tuple(_shown(link, titles) for link in row.links),
            created=row.created,
            updated=row.updated,
            editable=_may_change(principal, visible, row),
        )
        for row in rows
    )


def _shown(link: dict[str, Any], titles: dict[str, str]) -> NoteLink:
    if _is_hidden(link, titles):
        return NoteLink(hidden=True)
    if "element_id" in link:
        return NoteLink(element_id=link["element_id"], title=link.get("title") or titles[link["element_id"]])
    return NoteLink(url=link["url"], title=link.get("title") or link["url"])
