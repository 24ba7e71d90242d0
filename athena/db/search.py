"""The search index: one row for each element and file, kept current in the transaction of each change (SE-01…03).

``search_entry`` holds the words of a thing, the same on every database. Beside it stands ``search_fts``, what the
database itself has for finding words quickly: an FTS5 table on SQLite, a table of tsvectors on PostgreSQL, each kept by
triggers on ``search_entry``. Who may see an entry is never read from here but from its element.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    Text,
    and_,
    column,
    delete,
    event,
    func,
    inspect,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker

from athena.contract.search import SearchIn
from athena.db.base import BYTE_ORDERED, Base
from athena.db.elements import RAW, ElementRow, FileRow, MetadataRow
from athena.db.notes import NoteRow
from athena.db.samples import SampleLinkRow, SampleRow
from athena.domain.words import indexed, name_beginning

FTS_TABLE = "search_fts"
_FIELDS = ("name_key", "name", "metadata", "notes")
_WEIGHTS = {SearchIn.NAME: "A", SearchIn.METADATA: "B", SearchIn.NOTES: "C"}
_AT_ONCE = 400


class SearchEntryRow(Base):
    """The words of an element, or (``file_id``) of a file in it; see ``athena.domain.words.indexed``.

    ``name_key`` is the beginning of ``name``, as long as an index can hold it.
    """

    __tablename__ = "search_entry"
    __table_args__ = (Index("ix_search_entry_element", "element_id"), Index("ix_search_entry_name", "name_key", "id"))

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(unique=True)
    element_id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"))
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("file.id", ondelete="CASCADE"), index=True, default=None)
    name_key: Mapped[str] = mapped_column(BYTE_ORDERED, default="")
    name: Mapped[str] = mapped_column(Text, default="")
    metadata_: Mapped[str] = mapped_column("metadata", Text, default="")
    notes: Mapped[str] = mapped_column(Text, default="")


class ReindexRow(Base):
    """One row while a reindex runs or waits to be resumed: the last element it did."""

    __tablename__ = "reindex"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[UUID | None] = mapped_column(default=None)
    done: Mapped[int] = mapped_column(default=0)


def leave_out_search(name: str | None, kind: str, _parents: object) -> bool:
    """Alembic's ``include_name``: all but the database's own part of the index, which no model describes."""
    return kind != "table" or name is None or not (name == FTS_TABLE or name.startswith(f"{FTS_TABLE}_"))


_ENTRY: Table = inspect(SearchEntryRow).local_table  # type: ignore[assignment]
_COLUMNS: dict[SearchIn, ColumnElement[str]] = {
    SearchIn.NAME: _ENTRY.c.name,
    SearchIn.METADATA: _ENTRY.c.metadata,
    SearchIn.NOTES: _ENTRY.c.notes,
}


def contains_words(words: Sequence[str], within: Iterable[SearchIn]) -> list[ColumnElement[bool]]:
    """Conditions on ``search_entry``: every word begins a word of one of the fields. Read row by row, without index."""
    fields = [_COLUMNS[field] for field in within]
    return [_any([field.contains(f" {word}", autoescape=True) for field in fields]) for word in words]


def begins_with(words: Sequence[str]) -> ColumnElement[bool]:
    """Condition on ``search_entry``: its name begins with the words as typed; the index of names leads to it."""
    typed = name_beginning("".join(f" {word}" for word in words))
    return and_(SearchEntryRow.name_key >= typed, SearchEntryRow.name_key < f"{typed}\U0010ffff")


def matches_words(
    session: Session, words: Sequence[str], within: Iterable[SearchIn]
) -> tuple[Any, ColumnElement[bool], ColumnElement[int]]:
    """The same by the database's index: (table, condition on it, its column that is ``search_entry.id``)."""
    fields = list(within)
    if session.get_bind().dialect.name == "sqlite":
        fts = table(FTS_TABLE, column("rowid", Integer), column(FTS_TABLE, Text))
        columns = " ".join(field.value for field in fields)
        beginnings = " AND ".join(f'"{word}"*' for word in words)
        expression = f"{{{columns}}} : ({beginnings})"
        return fts, fts.c[FTS_TABLE].op("MATCH")(expression), fts.c.rowid
    fts = table(FTS_TABLE, column("id", BigInteger), column("words", postgresql.TSVECTOR))
    weights = "".join(_WEIGHTS[field] for field in fields) if len(fields) < len(_WEIGHTS) else ""
    expression = " & ".join(f"'{word}':*{weights}" for word in words)
    return fts, fts.c.words.op("@@")(func.to_tsquery(literal_column("'simple'"), expression)), fts.c.id


def _any(conditions: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    found = conditions[0]
    for other in conditions[1:]:
        found = found | other
    return found


# ── keeping it current ───────────────────────────────────────────────────────────────────────────────────────────


def keep_current(sessions: sessionmaker[Session]) -> None:
    """Index, at each flush of these sessions, the elements whose words it changed."""

    @event.listens_for(sessions, "after_flush")
    def _after_flush(session: Session, _context: Any) -> None:
        changed, files = _changed(session)
        if changed or files:
            index_elements(session.connection(), sorted(changed), files=sorted(files))


def _changed(session: Session) -> tuple[set[UUID], set[UUID]]:
    """Elements and files whose entry a flush has changed."""
    elements: set[UUID] = set()
    files: set[UUID] = set()
    samples: set[UUID] = set()
    new = set(session.new)
    for one in (*session.new, *session.dirty, *session.deleted):
        match one:
            case ElementRow() if one not in session.deleted and (one in new or _renamed(one)):
                elements.add(one.id)
            case MetadataRow() | NoteRow() | SampleLinkRow():
                elements.add(one.element_id)
            case SampleRow() if one not in new:
                samples.add(one.id)
            case FileRow() if one not in session.deleted and one.acquisition_index is None:
                files.add(one.id)
    if samples:
        linked = select(SampleLinkRow.element_id).where(SampleLinkRow.sample_id.in_(samples))
        elements |= set(session.connection().scalars(linked))
    return elements, files


def _renamed(row: ElementRow) -> bool:
    """Whether words of the element changed: what follows from a run below it (its status) is no matter."""
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in ("name", "description"))


def index_elements(connection: Connection, ids: Sequence[UUID], *, files: Sequence[UUID] = ()) -> int:
    """Write the entries of elements and files from the catalogue; returns how many of them changed.

    For changes that go past the session (bulk statements, imports) it is to be called in their transaction.
    """
    changed = 0
    for start in range(0, len(ids), _AT_ONCE):
        changed += _index(connection, _element_words, ids[start : start + _AT_ONCE])
    for start in range(0, len(files), _AT_ONCE):
        changed += _index(connection, _file_words, files[start : start + _AT_ONCE])
    return changed


def _index(connection: Connection, read: Any, ids: Sequence[UUID]) -> int:
    # locked before the words are read: of two who change one element, the second then sees what the first committed
    known = {
        row.subject_id: row
        for row in connection.execute(
            select(_ENTRY).where(_ENTRY.c.subject_id.in_(ids)).order_by(_ENTRY.c.id).with_for_update()
        )
    }
    new, changed = [], 0
    found = read(connection, ids)
    gone = [row.id for subject, row in known.items() if subject not in found]  # a file that waits to be deleted
    if gone:
        connection.execute(delete(_ENTRY).where(_ENTRY.c.id.in_(gone)))
    for subject, words in found.items():
        row = known.get(subject)
        if row is None:
            new.append({"subject_id": subject, **words})
        elif any(getattr(row, name) != value for name, value in words.items()):
            connection.execute(update(_ENTRY).where(_ENTRY.c.id == row.id).values(**words))
            changed += 1
    if new:
        make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        adding = make(_ENTRY)
        # somebody else may just have made it (a reindex beside a change)
        said = {name: adding.excluded[name] for name in _FIELDS}
        connection.execute(adding.on_conflict_do_update(index_elements=["subject_id"], set_=said), new)
    return changed + len(new) + len(gone)


def _element_words(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    elements = connection.execute(
        select(ElementRow.id, ElementRow.name, ElementRow.description).where(ElementRow.id.in_(ids))
    ).all()
    metadata: dict[UUID, list[str]] = {}
    for element_id, name, value, unit in connection.execute(
        select(MetadataRow.element_id, MetadataRow.name, MetadataRow.value, MetadataRow.unit)
        .where(MetadataRow.element_id.in_(ids))
        .order_by(MetadataRow.element_id, MetadataRow.group, MetadataRow.name)
    ):
        metadata.setdefault(element_id, []).extend((name, str(json.loads(value)), unit))
    samples = _texts(
        connection,
        select(SampleLinkRow.element_id, SampleRow.name, SampleRow.type, SampleRow.barcode, SampleRow.description)
        .join(SampleRow, SampleRow.id == SampleLinkRow.sample_id)
        .where(SampleLinkRow.element_id.in_(ids))
        .order_by(SampleLinkRow.element_id, SampleRow.sort_key, SampleRow.id),
    )
    notes = _texts(
        connection,
        select(NoteRow.element_id, NoteRow.text)
        .where(NoteRow.element_id.in_(ids))
        .order_by(NoteRow.element_id, NoteRow.created),
    )
    return {
        one.id: {
            "element_id": one.id,
            "file_id": None,
            "name_key": name_beginning(indexed(one.name)),
            "name": indexed(one.name),
            "metadata": indexed(*metadata.get(one.id, ()), *samples.get(one.id, ())),
            "notes": indexed(one.description, *notes.get(one.id, ())),
        }
        for one in elements
    }


def _texts(connection: Connection, query: Select[*tuple[Any, ...]]) -> dict[UUID, list[str]]:
    """Texts of each row, by the element in its first column."""
    found: dict[UUID, list[str]] = {}
    for element_id, *texts in connection.execute(query):
        found.setdefault(element_id, []).extend(texts)
    return found


def _file_words(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = connection.execute(
        select(FileRow.id, FileRow.element_id, FileRow.name).where(
            FileRow.id.in_(ids), FileRow.deleted.is_(None), FileRow.role != RAW
        )
    )
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        name = indexed(row.name)
        said = {"name_key": name_beginning(name), "name": name, "metadata": "", "notes": ""}
        found[row.id] = {"element_id": row.element_id, "file_id": row.id, **said}
    return found
