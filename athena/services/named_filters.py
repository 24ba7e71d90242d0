"""Named filters (EQ-08, ADR 0175): a workflow keeps them, and each of its runs is looked at through them.

They are asked for by way of a run, whose permissions are those of its workflow.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.filters import FilterRule, RunFilter
from athena.contract.named_filters import NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.contract.people import Principal
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.named_filters import NamedFilterRow
from athena.db.people import UserRow
from athena.domain.filters import check_filter, columns_of
from athena.domain.tree import sort_key
from athena.errors import Conflict, NotFound
from athena.services.audit import record
from athena.services.filter_versions import keep_version, workflow_of
from athena.services.guard import get_visible_run, lock_element, require_writer
from athena.services.user_metrics import known_metrics

MAX_FILTERS = 200
"""Of a workflow."""


def list_filters(session: Session, principal: Principal, run_id: UUID) -> tuple[NamedFilter, ...]:
    """Filters that the workflow of a run keeps, by name."""
    get_visible_run(session, principal, run_id)
    workflow = workflow_of(session, run_id)
    rows = session.scalars(select(NamedFilterRow).where(NamedFilterRow.workflow_id == workflow.id)).all()
    return _described(session, run_id, sorted(rows, key=lambda row: sort_key(row.name)))


def add_filter(session: Session, principal: Principal, run_id: UUID, new: NamedFilterCreate) -> NamedFilter:
    """Keep rules under a name in the workflow of a run.

    Raises NotFound, Forbidden (a viewer), Invalid (no metric of the run), Conflict (the name is taken; too many).
    """
    require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    check_filter(RunFilter(rules=new.rules), known_metrics(session, run_id))
    workflow = workflow_of(session, run_id)
    # of two who take the same name at once, the second finds the first one's
    lock_element(session, workflow)
    kept = select(func.count()).select_from(NamedFilterRow).where(NamedFilterRow.workflow_id == workflow.id)
    if (session.scalar(kept) or 0) >= MAX_FILTERS:
        raise Conflict(f"A workflow keeps at most {MAX_FILTERS} filters.", hint="Delete one first.")
    _refuse_twin(session, workflow, new.name)
    row = NamedFilterRow(
        workflow_id=workflow.id, name=new.name, rules=_told(new.rules), creator_id=principal.user_id, revision=1
    )
    session.add(row)
    record(session, principal, AuditAction.FILTER_NAMED, workflow, name=row.name, rules=row.rules)
    return _changed(session, principal, run_id, row)


def update_filter(
    session: Session, principal: Principal, run_id: UUID, filter_id: UUID, change: NamedFilterUpdate
) -> NamedFilter:
    """Give a filter another name, or other rules. What was saved for runs stays as it is, and so does what it was.

    Raises NotFound, Forbidden, Invalid (no metric of the run), Conflict (the name is taken; it was changed meanwhile).
    """
    workflow, row = _require_filter(session, principal, run_id, filter_id)
    if change.revision is not None and change.revision != row.revision:
        raise Conflict(f"The filter “{row.name}” was changed meanwhile.", hint="Look at it again.")
    name, rules = row.name, row.rules
    if change.rules is not None:
        check_filter(RunFilter(rules=change.rules), known_metrics(session, run_id))
        rules = _told(change.rules)
    if change.name is not None and change.name != name:
        _refuse_twin(session, workflow, change.name, but=row)
        name = change.name
    if (name, rules) == (row.name, row.rules):
        return _described(session, run_id, [row])[0]
    row.name, row.rules = name, rules
    row.revision += 1
    record(session, principal, AuditAction.NAMED_FILTER_CHANGED, workflow, name=row.name, rules=row.rules)
    return _changed(session, principal, run_id, row)


def remove_filter(session: Session, principal: Principal, run_id: UUID, filter_id: UUID) -> None:
    """Forget a named filter. What was saved for runs stays as it is, and its versions can still be asked for."""
    workflow, row = _require_filter(session, principal, run_id, filter_id)
    session.delete(row)
    record(session, principal, AuditAction.NAMED_FILTER_REMOVED, workflow, name=row.name, rules=row.rules)
    _tell(session, workflow)


def _require_filter(
    session: Session, principal: Principal, run_id: UUID, filter_id: UUID
) -> tuple[ElementRow, NamedFilterRow]:
    """A filter to be changed, and its workflow, locked."""
    require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    workflow = workflow_of(session, run_id)
    lock_element(session, workflow)
    row = session.get(NamedFilterRow, filter_id)
    if row is None or row.workflow_id != workflow.id:
        raise NotFound(f"The workflow keeps no filter {filter_id}.", hint="Somebody may have deleted it.")
    return workflow, row


def _refuse_twin(session: Session, workflow: ElementRow, name: str, *, but: NamedFilterRow | None = None) -> None:
    of_name = NamedFilterRow.workflow_id == workflow.id, NamedFilterRow.key == name.casefold()
    twin = session.scalar(select(NamedFilterRow).where(*of_name))
    if twin is not None and twin is not but:
        raise Conflict(f"There is a filter “{twin.name}” already.", hint="Choose another name, or change that one.")


def _told(rules: Sequence[FilterRule]) -> list[dict[str, Any]]:
    return [rule.model_dump(mode="json") for rule in rules]


def _changed(session: Session, principal: Principal, run_id: UUID, row: NamedFilterRow) -> NamedFilter:
    session.flush()
    keep_version(session, principal, row, time=row.updated)
    _tell(session, workflow_of(session, run_id))
    return _described(session, run_id, [row])[0]


def _tell(session: Session, workflow: ElementRow) -> None:
    session.flush()
    append_event(session, EventKind.ELEMENT_UPDATED, element_id=workflow.id)


def _described(session: Session, run_id: UUID, rows: Sequence[NamedFilterRow]) -> tuple[NamedFilter, ...]:
    if not rows:
        return ()
    users = select(UserRow.id, UserRow.username).where(UserRow.id.in_({row.creator_id for row in rows}))
    names: dict[UUID | None, str] = dict(session.execute(users).all())
    known = known_metrics(session, run_id)
    return tuple(
        NamedFilter(
            id=row.id,
            name=row.name,
            rules=tuple(rules.rules),
            revision=row.revision,
            creator=names.get(row.creator_id, ""),
            created=row.created,
            updated=row.updated,
            lacking=tuple(name for name in columns_of(rules) if name not in known),
        )
        for row, rules in ((row, RunFilter.model_validate({"rules": row.rules})) for row in rows)
    )
