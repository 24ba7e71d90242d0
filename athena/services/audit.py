"""The audit trail (BY-11): every service that changes an element records it in the same transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction, AuditEntry, AuditPage
from athena.contract.people import Principal
from athena.db.audit import AuditRow
from athena.db.elements import ElementRow
from athena.db.visibility import restrict
from athena.errors import Invalid
from athena.services.guard import get_visible_element, require_auditor

MAX_PAGE = 1000
_PLACES = ("from_id", "to_id")
"""Details that name elements: shown to those only who may see these."""


def record(session: Session, principal: Principal, action: AuditAction, element: ElementRow, **detail: Any) -> None:
    """Note in the transaction at hand that the caller did this; for services, which have checked that it may.

    ``detail`` is kept as JSON for good: no secrets, and elements by id under ``from_id`` and ``to_id`` only.
    """
    session.add(
        AuditRow(
            user_id=principal.user_id,
            username=principal.username,
            action=action.value,
            element_id=element.id,
            element_kind=element.kind,
            element_name=element.name,
            detail=detail,
        )
    )


def list_audit(
    session: Session, principal: Principal, element_id: UUID, *, offset: int = 0, limit: int = 100
) -> AuditPage:
    """What was done to an element, newest first, for its owners; for administrators also after it was deleted.

    Raises NotFound, Forbidden (not an owner).
    """
    if not principal.is_admin:
        require_auditor(session, principal, element_id)
    if offset < 0 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page starts at 0 or later and has 1 to {MAX_PAGE} entries.")
    this = AuditRow.element_id == element_id
    total = session.scalar(select(func.count()).select_from(AuditRow).where(this)) or 0
    if principal.is_admin and not total:
        get_visible_element(session, principal, element_id)
    rows = session.scalars(select(AuditRow).where(this).order_by(AuditRow.id.desc()).offset(offset).limit(limit)).all()
    named = {UUID(row.detail[key]) for row in rows for key in _PLACES if row.detail.get(key)}
    seen = set(session.scalars(restrict(select(ElementRow.id).where(ElementRow.id.in_(named)), principal)))
    return AuditPage(items=tuple(_entry(row, seen if not principal.is_admin else named) for row in rows), total=total)


def _entry(row: AuditRow, seen: set[UUID]) -> AuditEntry:
    hidden = {key for key in _PLACES if row.detail.get(key) and UUID(row.detail[key]) not in seen}
    return AuditEntry(
        id=row.id,
        time=row.time,
        username=row.username,
        action=row.action,
        element_id=row.element_id,
        element_kind=row.element_kind,
        element_name=row.element_name,
        detail={key: value for key, value in row.detail.items() if key not in hidden},
    )
