"""Elements of the workspace tree: make, list, open, change."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from athena.contract.audit import AuditAction
from athena.contract.elements import (
    Crumb,
    DatasetCreate,
    Element,
    ElementCreate,
    ElementKind,
    ElementPage,
    ElementSort,
    ElementUpdate,
    WorkflowCreate,
)
from athena.contract.events import EventKind
from athena.contract.people import Principal, Role
from athena.db import base
from athena.db.acquisitions import RunRow
from athena.db.elements import ElementRow, GrantRow, LastUseRow, PermissionSetRow
from athena.db.events import append_event
from athena.db.people import UserRow
from athena.db.tree import lock_tree
from athena.db.visibility import effective_role, restrict, visible_counts, visible_sets, visible_with_roles
from athena.domain.templates import RUN_STEPS, check_template
from athena.domain.tree import check_child, check_status, child_path, path_ids
from athena.errors import Conflict, Invalid, NotFound
from athena.services.audit import record
from athena.services.describe import describe_element, describe_elements
from athena.services.guard import Visible, find_visible, get_visible_element, lock_element, require_writer
from athena.services.statuses import follow_datasets

MAX_PAGE = 1000
_AUDITED = {
    "name": AuditAction.RENAMED,
    "description": AuditAction.DESCRIBED,
    "status": AuditAction.STATUS_SET,
}
_SORT_COLUMNS: dict[ElementSort, InstrumentedAttribute[Any]] = {
    ElementSort.POSITION: ElementRow.position,
    ElementSort.NAME: ElementRow.sort_key,
    ElementSort.CREATED: ElementRow.created,
    ElementSort.UPDATED: ElementRow.updated,
}


def create_element(
    session: Session, principal: Principal, wanted: ElementCreate, *, features: frozenset[str] | None = None
) -> Element:
    """Make a folder, workflow (with its template's steps), step or dataset.

    At the root anyone may make a folder and becomes its owner; below, the caller must be able to write to the parent,
    and the new element shares the parent's permission set. Raises NotFound, Forbidden, or Invalid where such an
    element cannot be made there. ``features`` of the licence limit the templates (None: all may be used).
    """
    parent = None if wanted.parent_id is None else require_writer(session, principal, wanted.parent_id)
    check_child(ElementKind(parent.kind) if parent else None, parent.type if parent else "", child=wanted)
    spec = check_template(wanted.template, features) if isinstance(wanted, WorkflowCreate) else None
    lock_children(session, principal, parent)
    row = _add(session, principal, wanted, parent=parent)
    if isinstance(wanted, DatasetCreate) and wanted.type in RUN_STEPS:
        session.add(RunRow(id=row.id))
    if spec is not None:
        for position, step in enumerate(spec.steps):
            session.add(
                _row(principal, ElementKind.STEP, step, type_=step, position=position, parent=row, permissions=None)
            )
    record(session, principal, AuditAction.CREATED, row, type=row.type)
    session.flush()
    append_event(session, EventKind.ELEMENT_CREATED, element_id=row.id)
    return get_element(session, principal, row.id)


def get_element(session: Session, principal: Principal, element_id: UUID) -> Element:
    """Element as the caller sees it, else NotFound."""
    return describe_element(session, principal, find_visible(session, principal, element_id))


def list_children(
    session: Session,
    principal: Principal,
    parent_id: UUID | None,
    *,
    offset: int = 0,
    limit: int = 100,
    sort: ElementSort | None = None,
    descending: bool = False,
    holding: UUID | None = None,
) -> ElementPage:
    """Visible children of an element, or (``parent_id`` None) what the caller sees at the top of its workspace.

    The top holds root folders, and folders and workflows shared by themselves out of folders the caller may not see.
    Without ``sort`` the top is ordered by name and everything else by position. With ``holding``, an element among
    them, the page of ``limit`` that it is on is given, whatever the ``offset``; NotFound if it is not among them.
    """
    if parent_id is not None:
        get_visible_element(session, principal, parent_id)
    if offset < 0 or not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page starts at 0 or later and has 1 to {MAX_PAGE} elements.")
    place = at_top(principal) if parent_id is None else ElementRow.parent_id == parent_id
    total = _count_top(session, principal) if parent_id is None else _count_children(session, principal, parent_id)
    column = _SORT_COLUMNS[sort or (ElementSort.NAME if parent_id is None else ElementSort.POSITION)]
    order = (column.desc(), ElementRow.id.desc()) if descending else (column, ElementRow.id)
    if holding is not None:
        before = _count_before(session, principal, place, holding, column=column, descending=descending)
        offset = before - before % limit
    page = visible_with_roles(principal).where(place).order_by(*order).offset(offset).limit(limit)
    items = describe_elements(session, principal, visible_rows(session, principal, page))
    return ElementPage(items=items, total=total, offset=offset)


def update_element(session: Session, principal: Principal, element_id: UUID, change: ElementUpdate) -> Element:
    """Rename, describe or set the status of an element; a run's status follows its acquisitions and is not set.

    The status of a dataset also changes that of its step (WS-04). Raises NotFound, Forbidden, Invalid, or Conflict
    where the element has been changed since ``change.revision``.
    """
    row = require_writer(session, principal, element_id)
    values = change.model_dump(exclude_none=True, exclude={"revision"})
    if "status" in values:
        check_status(ElementKind(row.kind), row.type, row.name)
    if "status" in values and row.kind == ElementKind.DATASET:
        # a step before its datasets, as everybody locks who needs both
        session.execute(select(ElementRow.id).where(ElementRow.id == row.parent_id).with_for_update(key_share=True))
    lock_element(session, row)
    check_revision(row, change.revision)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return get_element(session, principal, element_id)
    for name, value in changed.items():
        record(session, principal, _AUDITED[name], row, **_told(row, name, value))
        setattr(row, name, value)
    row.revision += 1
    session.flush()
    step = follow_datasets(session, row.parent_id) if "status" in changed and row.parent_id else None
    for changed_id in filter(None, (row.id, step)):
        append_event(session, EventKind.ELEMENT_UPDATED, element_id=changed_id)
    return get_element(session, principal, element_id)


def check_revision(row: ElementRow, revision: int | None) -> None:
    """Refuse with Conflict a change that was made on an older state of the element than the present one."""
    if revision is not None and revision != row.revision:
        raise Conflict(
            f"“{row.name}” has been changed by somebody else meanwhile.", hint="Read it again, then change it."
        )


def _told(row: ElementRow, name: str, value: Any) -> dict[str, Any]:
    """What the audit trail says of a change; descriptions are too long for it."""
    return {} if name == "description" else {"before": getattr(row, name), "after": value}


def breadcrumb(session: Session, principal: Principal, element_id: UUID) -> tuple[Crumb, ...]:
    """Way from the root to an element, its own crumb last; levels the caller may not see are left out."""
    row = get_visible_element(session, principal, element_id)
    way = path_ids(row.path)
    query = select(ElementRow.id, ElementRow.kind, ElementRow.name).where(ElementRow.id.in_(way))
    found = {
        crumb_id: Crumb(id=crumb_id, kind=ElementKind(kind), name=name)
        for crumb_id, kind, name in session.execute(restrict(query, principal))
    }
    return tuple(found[step] for step in way if step in found)


def mark_opened(session: Session, principal: Principal, element_id: UUID) -> None:
    """Note that the caller opened an element just now (recently used, WS-19)."""
    get_visible_element(session, principal, element_id)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    opened = base.now()
    session.execute(
        insert(LastUseRow)
        .values(user_id=principal.user_id, element_id=element_id, opened=opened)
        .on_conflict_do_update(index_elements=["user_id", "element_id"], set_={"opened": opened})
    )


def at_top(principal: Principal) -> Any:
    """Condition on ``ElementRow``: it has no parent, or none the caller may see."""
    if principal.is_admin:
        return ElementRow.parent_id.is_(None)
    parent = aliased(ElementRow)
    parent_seen = restrict(
        select(parent.id).where(parent.id == ElementRow.parent_id), principal, of=parent.permission_set_id
    ).exists()
    # only an element with permissions of its own can be seen without its parent; each set belongs to one such element,
    # so naming the sets leads to the few there are for this caller, however many tops others have
    mine = ElementRow.permission_set_id.in_(visible_sets(principal))
    return and_(~ElementRow.inherits, mine, or_(ElementRow.parent_id.is_(None), ~parent_seen))


def _count_top(session: Session, principal: Principal) -> int:
    # each has a permission set of its own, so counting by set would only stand in the way of the index of tops
    query = select(func.count()).select_from(ElementRow).where(at_top(principal))
    return session.scalar(restrict(query, principal)) or 0


def _count_children(session: Session, principal: Principal, parent_id: UUID) -> int:
    return sum(count for _, count in session.execute(visible_counts(principal, ElementRow.parent_id == parent_id)))


def _count_before(
    session: Session,
    principal: Principal,
    place: ColumnElement[bool],
    element_id: UUID,
    *,
    column: InstrumentedAttribute[Any],
    descending: bool,
) -> int:
    """How many of the visible elements of a place come before one of them."""
    known = restrict(select(column, ElementRow.id).where(place, ElementRow.id == element_id), principal)
    found = session.execute(known).one_or_none()
    if found is None:
        raise NotFound(f"There is no element {element_id} here.", hint="It may have been moved or deleted.")
    value, id_ = found
    here = tuple_(column, ElementRow.id)
    mark = tuple_(literal(value, column.type), literal(id_, ElementRow.id.type))
    query = select(func.count()).select_from(ElementRow).where(place, here > mark if descending else here < mark)
    return session.scalar(restrict(query, principal)) or 0


def visible_rows(
    session: Session, principal: Principal, query: Select[ElementRow, str | None, str | None, str | None]
) -> list[Visible]:
    """Rows of a ``visible_with_roles`` query, each with the caller's role."""
    found = ((row, effective_role(principal, *roles)) for row, *roles in session.execute(query))
    return [Visible(row, role) for row, role in found if role is not None]


def lock_children(session: Session, principal: Principal, parent: ElementRow | None) -> None:
    """Queue up with others who add to the same place; what they committed is seen afterwards, also in ``parent``.

    At the root the caller's own user row stands for the place. SQLite needs no lock: its writers queue up anyway.
    Raises NotFound or Conflict if the place has gone or is being deleted meanwhile.
    """
    lock_tree(session, alone=False)
    if parent is not None:
        lock_element(session, parent)
        return
    session.execute(select(UserRow.id).where(UserRow.id == principal.user_id).with_for_update(key_share=True))


def _add(session: Session, principal: Principal, wanted: ElementCreate, *, parent: ElementRow | None) -> ElementRow:
    """Add the row of one element as the last of its siblings."""
    position, permissions = 0, None
    if parent is not None:
        last = session.scalar(select(func.max(ElementRow.position)).where(ElementRow.parent_id == parent.id))
        position = 0 if last is None else last + 1
    else:
        permissions = PermissionSetRow(grants=[GrantRow(user_id=principal.user_id, role=Role.OWNER.value)])
        session.add(permissions)
        session.flush()
    type_ = ""
    if isinstance(wanted, WorkflowCreate):
        type_ = wanted.template
    elif isinstance(wanted, DatasetCreate):
        type_ = wanted.type.value
    row = _row(
        principal,
        ElementKind(wanted.kind),
        wanted.name,
        type_=type_,
        position=position,
        parent=parent,
        permissions=permissions,
    )
    session.add(row)
    session.flush()
    return row


def _row(
    principal: Principal,
    kind: ElementKind,
    name: str,
    *,
    type_: str,
    position: int,
    parent: ElementRow | None,
    permissions: PermissionSetRow | None,
) -> ElementRow:
    """Row of a new element with its own permission set, or (``permissions`` None) its parent's by reference."""
    element_id = uuid4()
    if permissions is None and parent is None:
        raise AssertionError("a root element has permissions of its own")
    return ElementRow(
        id=element_id,
        kind=kind.value,
        name=name,
        type=type_,
        position=position,
        parent_id=parent.id if parent is not None else None,
        path=child_path(parent.path if parent is not None else None, element_id),
        permission_set_id=permissions.id if permissions is not None else parent.permission_set_id,  # type: ignore[union-attr]
        inherits=permissions is None,
        creator_id=principal.user_id,
    )
