"""Samples (WS-22): registered by anybody, seen through what was made of them.

A sample is seen by who registered it and by whoever may see an element that is linked to it; who may write to such an
element may change the sample too. Administrators do both.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select, true
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.elements import ElementKind, MetadataEntry, State
from athena.contract.events import EventKind
from athena.contract.metadata import CUSTOM, MetadataWrite
from athena.contract.people import Action, Principal
from athena.contract.samples import ElementSample, Sample, SampleCreate, SamplePage, SampleUpdate
from athena.contract.search import Placed
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.people import UserRow
from athena.db.samples import SampleLinkRow, SampleRow
from athena.db.visibility import restrict, visible_with_roles
from athena.domain.metadata import checked_entry
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services.audit import record
from athena.services.elements import visible_rows
from athena.services.guard import get_visible_element, require_writer
from athena.services.placed import place_elements

MAX_PAGE = 1000
MAX_PRODUCTS = 1000
LINKED_KINDS = (ElementKind.STEP, ElementKind.DATASET)


def list_samples(
    session: Session, principal: Principal, *, text: str = "", offset: int = 0, limit: int = 100
) -> SamplePage:
    """Samples the caller may see, by name; with ``text`` those that hold it in name, type or barcode."""
    if offset < 0 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page starts at 0 or later and has 1 to {MAX_PAGE} samples.")
    seen = _allowed(principal, Action.VIEW)
    fields = (SampleRow.name, SampleRow.type, SampleRow.barcode)
    held = or_(*(field.icontains(text, autoescape=True) for field in fields)) if text else true()
    total = session.scalar(select(func.count()).select_from(SampleRow).where(seen, held)) or 0
    query = select(SampleRow).where(seen, held).order_by(SampleRow.sort_key, SampleRow.id).offset(offset).limit(limit)
    return SamplePage(items=_described(session, principal, session.scalars(query).all()), total=total)


def get_sample(session: Session, principal: Principal, sample_id: UUID) -> Sample:
    """Sample the caller may see, else NotFound."""
    return _described(session, principal, [_get_visible(session, principal, sample_id)])[0]


def create_sample(session: Session, principal: Principal, new: SampleCreate) -> Sample:
    """Register a sample; nobody else sees it until it is linked. Invalid for metadata that do not fit their type."""
    values = new.model_dump(exclude={"metadata"})
    row = SampleRow(creator_id=principal.user_id, entries=_entries(new.metadata), **values)
    session.add(row)
    session.flush()
    return get_sample(session, principal, row.id)


def update_sample(session: Session, principal: Principal, sample_id: UUID, change: SampleUpdate) -> Sample:
    """Change a sample. Raises NotFound, Forbidden, Invalid."""
    row = _require_writer(session, principal, sample_id)
    values: dict[str, Any] = change.model_dump(exclude_unset=True, exclude={"metadata"})
    values = {name: value for name, value in values.items() if value is not None or name == "slot"}
    if change.metadata is not None:
        values["entries"] = _entries(change.metadata)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(row, name, value)
        session.flush()
        _tell(session, _linked_ids(session, sample_id))
    return get_sample(session, principal, sample_id)


def delete_sample(session: Session, principal: Principal, sample_id: UUID) -> None:
    """Delete a sample and its links, not what was made of it; only who registered it and administrators may.

    Raises NotFound, Forbidden; Conflict while a step or dataset is linked to it.
    """
    row = _get_visible(session, principal, sample_id)
    if not (principal.is_admin or row.creator_id == principal.user_id):
        raise Forbidden(f"Only who registered the sample “{row.name}” may delete it.")
    if _linked_ids(session, sample_id):
        raise Conflict(f"The sample “{row.name}” is linked to steps or datasets.", hint="Unlink them first.")
    session.delete(row)
    session.flush()


def link_sample(session: Session, principal: Principal, sample_id: UUID, element_id: UUID) -> Sample:
    """Say that a step or dataset was made of a sample: from then on whoever sees it sees the sample.

    The caller must be able to change both. Linking twice changes nothing. Raises NotFound, Forbidden; Invalid for
    folders and workflows.
    """
    _require_writer(session, principal, sample_id)
    element = require_writer(session, principal, element_id)
    if element.kind not in LINKED_KINDS:
        raise Invalid(f"“{element.name}” is a {element.kind}: samples are linked to steps and datasets.")
    # of two who link the same at once, the second finds the first one's
    session.execute(select(SampleRow.id).where(SampleRow.id == sample_id).with_for_update(key_share=True))
    if session.get(SampleLinkRow, (sample_id, element_id)) is None:
        session.add(SampleLinkRow(sample_id=sample_id, element_id=element_id))
        record(session, principal, AuditAction.SAMPLE_LINKED, element, sample=str(sample_id))
        session.flush()
        _tell(session, [element_id])
    return get_sample(session, principal, sample_id)


def unlink_sample(session: Session, principal: Principal, sample_id: UUID, element_id: UUID) -> None:
    """Take a link back; who may write to the element may. NotFound where there is none."""
    sample = _get_visible(session, principal, sample_id)
    element = require_writer(session, principal, element_id)
    link = session.get(SampleLinkRow, (sample_id, element_id))
    if link is None:
        raise NotFound(f"The sample “{sample.name}” is not linked to “{element.name}”.")
    session.delete(link)
    record(session, principal, AuditAction.SAMPLE_UNLINKED, element, sample=str(sample_id))
    session.flush()
    _tell(session, [element_id])


def samples_of(session: Session, principal: Principal, element_id: UUID) -> tuple[ElementSample, ...]:
    """Samples that an element, or the one it lies in and the caller may see, was made of; each says which."""
    row = get_visible_element(session, principal, element_id)
    links = restrict(
        select(SampleLinkRow.sample_id, SampleLinkRow.element_id)
        .join(ElementRow, ElementRow.id == SampleLinkRow.element_id)
        .where(or_(ElementRow.id == row.id, ElementRow.id == row.parent_id)),
        principal,
    )
    by_link = {(sample_id, linked_id) for sample_id, linked_id in session.execute(links)}
    ids = {sample_id for sample_id, _ in by_link}
    query = select(SampleRow).where(SampleRow.id.in_(ids)).order_by(SampleRow.sort_key, SampleRow.id)
    return tuple(
        ElementSample(
            **dict(sample),
            here=(sample.id, row.id) in by_link,
            above=row.parent_id if (sample.id, row.parent_id) in by_link else None,
        )
        for sample in _described(session, principal, session.scalars(query).all())
    )


def products_of(session: Session, principal: Principal, sample_id: UUID) -> tuple[Placed, ...]:
    """What came of a sample, as far as the caller sees it: linked steps and datasets, and the datasets in the steps."""
    _get_visible(session, principal, sample_id)
    linked = select(SampleLinkRow.element_id).where(SampleLinkRow.sample_id == sample_id)
    query = (
        visible_with_roles(principal)
        .where(
            or_(ElementRow.id.in_(linked), ElementRow.parent_id.in_(linked)), ElementRow.state != State.DELETING.value
        )
        .order_by(ElementRow.path)
        .limit(MAX_PRODUCTS)
    )
    return place_elements(session, principal, visible_rows(session, principal, query))


def _allowed(principal: Principal, action: Action) -> ColumnElement[bool]:
    """Condition on ``SampleRow``: the caller registered it, or may do the action with an element linked to it."""
    if principal.is_admin:
        return true()
    linked = (
        select(SampleLinkRow.element_id)
        .join(ElementRow, ElementRow.id == SampleLinkRow.element_id)
        .where(SampleLinkRow.sample_id == SampleRow.id)
    )
    return or_(
        SampleRow.creator_id == principal.user_id,
        restrict(linked, principal, action=action).correlate(SampleRow).exists(),
    )


def _get_visible(session: Session, principal: Principal, sample_id: UUID) -> SampleRow:
    row = session.scalar(select(SampleRow).where(SampleRow.id == sample_id, _allowed(principal, Action.VIEW)))
    if row is None:
        raise NotFound(
            f"There is no sample {sample_id}.",
            hint="It may have been deleted, or nothing made of it is shared with you.",
        )
    return row


def _require_writer(session: Session, principal: Principal, sample_id: UUID) -> SampleRow:
    row = _get_visible(session, principal, sample_id)
    if not session.scalar(select(exists().where(SampleRow.id == sample_id, _allowed(principal, Action.WRITE)))):
        raise Forbidden(
            f"You may see the sample “{row.name}”, but not change it.",
            hint="Who registered it, and who may write to what was made of it, can.",
        )
    return row


def _entries(metadata: Sequence[MetadataWrite]) -> list[dict[str, Any]]:
    if len({one.name for one in metadata}) < len(metadata):
        raise Invalid("A name comes twice in the metadata of the sample.")
    return [checked_entry(group=CUSTOM, **one.model_dump()).model_dump() for one in metadata]


def _linked_ids(session: Session, sample_id: UUID) -> list[UUID]:
    return list(session.scalars(select(SampleLinkRow.element_id).where(SampleLinkRow.sample_id == sample_id)))


def _tell(session: Session, element_ids: Sequence[UUID]) -> None:
    for element_id in element_ids:
        append_event(session, EventKind.SAMPLE_CHANGED, element_id=element_id)


def _described(session: Session, principal: Principal, rows: Sequence[SampleRow]) -> tuple[Sample, ...]:
    ids = [row.id for row in rows]
    names: dict[UUID, str] = dict(
        session.execute(select(UserRow.id, UserRow.username).where(UserRow.id.in_({r.creator_id for r in rows}))).all()
    )
    linked = (
        select(SampleLinkRow.sample_id, func.count())
        .join(ElementRow, ElementRow.id == SampleLinkRow.element_id)
        .where(SampleLinkRow.sample_id.in_(ids))
        .group_by(SampleLinkRow.sample_id)
    )
    counts: dict[UUID, int] = dict(session.execute(restrict(linked, principal)).all())
    writable = set(
        session.scalars(select(SampleRow.id).where(SampleRow.id.in_(ids), _allowed(principal, Action.WRITE)))
    )
    return tuple(
        Sample(
            id=row.id,
            name=row.name,
            type=row.type,
            description=row.description,
            barcode=row.barcode,
            cassette=row.cassette,
            slot=row.slot,
            metadata=tuple(MetadataEntry.model_validate(entry) for entry in row.entries),
            creator=names[row.creator_id],
            created=row.created,
            updated=row.updated,
            linked=counts.get(row.id, 0),
            editable=row.id in writable,
        )
        for row in rows
    )
