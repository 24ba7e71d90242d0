"""Where elements stand: moving them to another parent, and their order among their siblings."""

from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.elements import Element, ElementKind
from athena.contract.events import EventKind
from athena.contract.people import Principal
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.tree import depth_below, lock_tree, move_subtree, repoint
from athena.domain.tree import check_depth, check_move, check_order, child_path, path_ids
from athena.errors import Conflict, Invalid, NotFound
from athena.services.access import access_of, tell
from athena.services.audit import record
from athena.services.elements import check_revision, get_element, lock_children
from athena.services.guard import get_visible_element, require_mover, require_writer
from athena.services.sharing import break_inheritance


def move_element(
    session: Session, principal: Principal, element_id: UUID, parent_id: UUID | None, *, revision: int | None = None
) -> Element | None:
    """Move an element, with all that is in it, to the end of another parent (None: the root, for folders).

    An element that inherits its permissions gets those of its new parent; one with its own keeps them. At the root,
    where there is nothing to inherit, it keeps those it has. Returns None when the caller has lost sight of it.

    Raises
    ------
    NotFound : the element, or the parent.
    Forbidden : the caller does not own the element, or may not write to the parent.
    Conflict : it would lie in itself, it has changed since ``revision``, or one of the two is being deleted.
    Invalid : such an element cannot lie there, or the tree would get too deep.
    """
    require_mover(session, principal, element_id)
    lock_tree(session, alone=True)
    session.expire_all()
    row = require_mover(session, principal, element_id)
    parent = None if parent_id is None else require_writer(session, principal, parent_id)
    check_revision(row, revision)
    if parent_id == row.parent_id:
        return get_element(session, principal, element_id)
    _check_place(session, row, parent)
    lock_children(session, principal, parent)
    before = access_of(session, row.permission_set_id)
    if parent is None and row.inherits:
        break_inheritance(session, principal, row)
    origin, path = row.parent_id, child_path(parent.path if parent else None, row.id)
    move_subtree(session, row.path, to=path)
    session.refresh(row)
    row.position, row.parent_id = _next_position(session, parent_id), parent_id
    row.revision += 1
    session.flush()
    if parent is not None and row.inherits and row.permission_set_id != parent.permission_set_id:
        repoint(session, path, old=row.permission_set_id, new=parent.permission_set_id)
        session.refresh(row)
    places = {"from_id": str(origin) if origin else None, "to_id": str(parent_id) if parent_id else None}
    record(session, principal, AuditAction.MOVED, row, **places)
    session.flush()
    append_event(session, EventKind.ELEMENT_UPDATED, element_id=row.id)
    tell(session, row.id, before, access_of(session, row.permission_set_id))
    session.expire_all()
    try:
        return get_element(session, principal, element_id)
    except NotFound:
        return None


def place_element(session: Session, principal: Principal, element_id: UUID, before_id: UUID | None) -> Element:
    """Put an element before one of its siblings, or (None) last; steps of a template keep its order.

    Raises NotFound (the element, or no such sibling that the caller sees), Forbidden (the caller may not write to the
    parent), Invalid (a template's step, or an element at the top).
    """
    row = get_visible_element(session, principal, element_id)
    parent = _writable_parent(session, principal, row)
    check_order(ElementKind(row.kind), row.type)
    lock_children(session, principal, parent)
    found = session.execute(
        select(ElementRow.id, ElementRow.position)
        .where(ElementRow.parent_id == parent.id)
        .order_by(ElementRow.position)
    )
    held: dict[UUID, int] = {id_: position for id_, position in found}  # noqa: C416 - rows are not tuples to mypy
    siblings = list(held)
    if row.id not in siblings:
        raise Conflict(f"“{row.name}” has just been moved.", hint="Look where it is and try again.")
    wanted = [sibling for sibling in siblings if sibling != row.id]
    if before_id is not None and before_id != row.id:
        get_visible_element(session, principal, before_id)
    if before_id is None:
        wanted.append(row.id)
    elif before_id in wanted:
        wanted.insert(wanted.index(before_id), row.id)
    elif before_id == row.id:
        wanted = siblings
    else:
        raise NotFound(f"There is no element {before_id} beside “{row.name}”.")
    if wanted != siblings:
        _renumber(session, parent.id, {id_: n for n, id_ in enumerate(wanted) if held[id_] != n})
        record(session, principal, AuditAction.PLACED, row, position=wanted.index(row.id))
        session.flush()
        append_event(session, EventKind.ELEMENT_UPDATED, element_id=row.id)
    session.expire_all()
    return get_element(session, principal, element_id)


def _check_place(session: Session, row: ElementRow, parent: ElementRow | None) -> None:
    """Refuse places where the element cannot lie."""
    if parent is not None and parent.path.startswith(row.path):
        raise Conflict(f"“{row.name}” cannot be moved into itself.")
    same_workflow = parent is not None and _workflow(session, row) == _workflow(session, parent)
    check_move(
        ElementKind(row.kind),
        row.type,
        to=ElementKind(parent.kind) if parent else None,
        to_type=parent.type if parent else "",
        same_workflow=same_workflow,
    )
    check_depth(child_path(parent.path if parent else None, row.id), depth_below(session, row.path))


def _workflow(session: Session, row: ElementRow) -> UUID | None:
    """Workflow an element lies in, or is; None above workflows."""
    return session.scalar(
        select(ElementRow.id).where(
            ElementRow.id.in_(path_ids(row.path)), ElementRow.kind == ElementKind.WORKFLOW.value
        )
    )


def _next_position(session: Session, parent_id: UUID | None) -> int:
    if parent_id is None:
        return 0
    last = session.scalar(select(func.max(ElementRow.position)).where(ElementRow.parent_id == parent_id))
    return 0 if last is None else last + 1


def _writable_parent(session: Session, principal: Principal, row: ElementRow) -> ElementRow:
    """Parent in which the caller may order things; at the top of its workspace there is no order to set."""
    if row.parent_id is not None:
        try:
            return require_writer(session, principal, row.parent_id)
        except NotFound:
            pass  # shared out of a folder the caller does not see: for it, the element is at the top
    raise Invalid(f"“{row.name}” is at the top of the workspace, which is ordered by name or date.")


def _renumber(session: Session, parent_id: UUID, positions: dict[UUID, int]) -> None:
    """Give some children these positions, which only they held.

    Positions are unique at every moment, also within a statement: so all of them take a free, negative one first.
    """
    table = ElementRow.metadata.tables[ElementRow.__tablename__]
    # the time of change is left alone: nothing but the order has changed
    each = update(table).where(table.c.id == bindparam("of")).values(position=bindparam("to"), updated=table.c.updated)
    session.connection().execute(each, [{"of": id_, "to": -1 - n} for id_, n in positions.items()])
    turned = update(table).where(table.c.parent_id == parent_id, table.c.position < 0)
    session.connection().execute(turned.values(position=-1 - table.c.position, updated=table.c.updated))
