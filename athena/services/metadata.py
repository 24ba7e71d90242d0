"""Metadata of elements: read, write, import (MD-01…06); and the catalogue of quantities."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.elements import MetadataEntry
from athena.contract.events import EventKind
from athena.contract.metadata import (
    CUSTOM,
    GENERAL,
    Converted,
    KnownName,
    MetadataFile,
    MetadataImport,
    MetadataWrite,
    Quantity,
    Unit,
)
from athena.contract.people import Principal
from athena.db import base
from athena.db.elements import ElementRow, MetadataRow
from athena.db.events import append_event
from athena.db.people import UserRow
from athena.db.visibility import restrict
from athena.domain import units
from athena.domain.metadata import checked_entry, name_key
from athena.domain.words import typed_words, words_of
from athena.errors import Conflict, Invalid, NotFound
from athena.services.audit import record
from athena.services.guard import get_visible_element, require_writer

MAX_CUSTOM = 500
"""Metadata a user may add to one element: a panel, not a table of results."""
NAMES_OFFERED = 20
_NAMES_TRIED = 200


def list_metadata(
    session: Session, principal: Principal, element_id: UUID, *, filter_text: str = ""
) -> tuple[MetadataEntry, ...]:
    """Metadata of an element: the group General, Custom, then those of the acquisition, each by name.

    ``filter_text`` keeps the entries that hold each of its words in group, name, value or unit (MD-05).
    """
    row = get_visible_element(session, principal, element_id)
    entries = (*_general(session, row), *_stored(session, element_id))
    wanted = typed_words(filter_text)
    return tuple(entry for entry in entries if not wanted or _answers(entry, wanted))


def add_metadatum(session: Session, principal: Principal, element_id: UUID, new: MetadataWrite) -> MetadataEntry:
    """Add a metadatum of the group Custom.

    Raises NotFound, Forbidden; Conflict where the name is taken; Invalid, with the reason, for a value or unit that
    does not fit.
    """
    _lock(session, require_writer(session, principal, element_id))
    if _custom(session, element_id, new.name) is not None:
        raise Conflict(f"There is a metadatum “{new.name}” already.", hint="Change it, or choose another name.")
    return set_metadatum(session, principal, element_id, new)


def set_metadatum(session: Session, principal: Principal, element_id: UUID, new: MetadataWrite) -> MetadataEntry:
    """Add a metadatum of the group Custom, or replace the one of this name. Raises as ``add_metadatum`` does."""
    element = require_writer(session, principal, element_id)
    _lock(session, element)
    entry = checked_entry(group=CUSTOM, **new.model_dump())
    if _write(session, principal, element, [entry]):
        append_event(session, EventKind.METADATA_CHANGED, element_id=element_id)
    return entry


def remove_metadatum(session: Session, principal: Principal, element_id: UUID, name: str) -> None:
    """Remove a metadatum of the group Custom. NotFound where it has none of this name."""
    element = require_writer(session, principal, element_id)
    row = _custom(session, element_id, name)
    if row is None:
        raise NotFound(
            f"“{element.name}” has no metadatum “{name}” in the group {CUSTOM}.",
            hint="Those that an acquisition brought cannot be removed.",
        )
    session.delete(row)
    element.updated = base.now()
    record(session, principal, AuditAction.METADATA_REMOVED, element, names=[name])
    session.flush()
    append_event(session, EventKind.METADATA_CHANGED, element_id=element_id)


def import_metadata(session: Session, principal: Principal, element_id: UUID, file: MetadataFile) -> MetadataImport:
    """Take over the Custom entries of an export, all or none; those of the same name are replaced.

    Entries of other groups are left out: only acquisitions write those.
    """
    element = require_writer(session, principal, element_id)
    _lock(session, element)
    own = [checked_entry(**entry.model_dump()) for entry in file.metadata if entry.group == CUSTOM]
    for entry in own:
        MetadataWrite.model_validate(entry.model_dump(exclude={"group"}))
    if len({entry.name for entry in own}) < len(own):
        raise Invalid("A name comes twice in the file.", hint="Nothing was imported: keep one entry of each name.")
    if _write(session, principal, element, own):
        append_event(session, EventKind.METADATA_CHANGED, element_id=element_id)
    return MetadataImport(imported=len(own), left_out=len(file.metadata) - len(own))


def known_names(session: Session, principal: Principal, typed: str) -> tuple[KnownName, ...]:
    """Names used on visible elements that begin with what was typed, in order (MD-04)."""
    beginning, found = name_key(typed), list[KnownName]()
    last = ""
    # from name to name along the index: there are few names and very many rows
    for _ in range(_NAMES_TRIED):
        following = select(func.min(MetadataRow.name_key)).where(
            MetadataRow.name_key > last,
            MetadataRow.name_key >= beginning,
            MetadataRow.name_key < f"{beginning}\U0010ffff",
        )
        key = session.scalar(following)
        if key is None or len(found) == NAMES_OFFERED:
            break
        last = key
        seen = (
            select(MetadataRow.name, MetadataRow.type, MetadataRow.quantity, MetadataRow.unit)
            .join(ElementRow, ElementRow.id == MetadataRow.element_id)
            .where(MetadataRow.name_key == key)
            .limit(1)
        )
        row = session.execute(restrict(seen, principal)).one_or_none()
        if row is not None:
            name, kind, quantity, unit = row
            found.append(KnownName.model_validate({"name": name, "type": kind, "quantity": quantity, "unit": unit}))
    return tuple(found)


def list_quantities(_principal: Principal, *, text: str = "") -> tuple[Quantity, ...]:
    """Quantities with their units; with ``text`` those that begin so, by name, unit or symbol. Open to every caller."""
    return tuple(
        Quantity(
            key=one.key,
            label=one.label,
            units=tuple(Unit(symbol=unit.symbol, name=unit.name) for unit in one.units),
        )
        for one in sorted(units.search_quantities(text), key=lambda one: one.label)
    )


def convert(_principal: Principal, value: float, quantity: str, *, unit: str, to: str) -> Converted:
    """A value in another unit of its quantity. Open to every caller; Invalid for unknown names."""
    target = units.get_quantity(quantity).unit(to)
    return Converted(value=units.convert(value, quantity, unit=unit, to=to), unit=target.symbol)


def _general(session: Session, row: ElementRow) -> tuple[MetadataEntry, ...]:
    creator = session.scalar(select(UserRow.username).where(UserRow.id == row.creator_id)) or ""
    texts = {"Name": row.name, "Id": str(row.id), "Creator": creator, "Description": row.description}
    dates = {"Created": row.created.isoformat(), "Updated": row.updated.isoformat()}
    return (
        *(MetadataEntry(group=GENERAL, name=name, type="string", value=text) for name, text in texts.items() if text),
        *(MetadataEntry(group=GENERAL, name=name, type="date", value=text) for name, text in dates.items()),
    )


def _stored(session: Session, element_id: UUID) -> list[MetadataEntry]:
    rows = session.scalars(
        select(MetadataRow)
        .where(MetadataRow.element_id == element_id)
        .order_by(MetadataRow.group != CUSTOM, MetadataRow.group, MetadataRow.name)
    )
    return [row.entry() for row in rows]


def _answers(entry: MetadataEntry, wanted: tuple[str, ...]) -> bool:
    have = words_of(f"{entry.group} {entry.name} {entry.value} {entry.unit}")
    return all(any(word.startswith(one) for word in have) for one in wanted)


def _lock(session: Session, element: ElementRow) -> None:
    """Queue up with others who write to the element: the number of its metadata is limited."""
    session.execute(select(ElementRow.id).where(ElementRow.id == element.id).with_for_update(key_share=True))


def _custom(session: Session, element_id: UUID, name: str) -> MetadataRow | None:
    return session.scalar(
        select(MetadataRow).where(
            MetadataRow.element_id == element_id, MetadataRow.group == CUSTOM, MetadataRow.name == name
        )
    )


def _write(session: Session, principal: Principal, element: ElementRow, entries: Sequence[MetadataEntry]) -> bool:
    """Write checked entries of the group Custom; True when anything changed."""
    rows = session.scalars(select(MetadataRow).where(MetadataRow.element_id == element.id, MetadataRow.group == CUSTOM))
    known = {row.name: row for row in rows}
    changed = list[str]()
    for entry in entries:
        row = known.get(entry.name)
        if row is None:
            row = known[entry.name] = MetadataRow(element_id=element.id, group=CUSTOM, name=entry.name)
            session.add(row)
        if row.fill(entry):
            changed.append(entry.name)
    if len(known) > MAX_CUSTOM:
        raise Invalid(f"“{element.name}” would have more than {MAX_CUSTOM} metadata of your own.")
    if changed:
        element.updated = base.now()
        record(session, principal, AuditAction.METADATA_SET, element, names=changed)
        session.flush()
    return bool(changed)
