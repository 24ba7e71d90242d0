"""What changes whole branches of the tree in single statements: places and permission sets of all that lies below."""

from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, insert, literal, select, text, update
from sqlalchemy.orm import Session

from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.groups import GroupGrantRow

TREE_LOCK = 0x74726565
"""Key of PostgreSQL's advisory lock on the shape of the tree."""


def lock_tree(session: Session, *, alone: bool) -> None:
    """Hold the shape of the tree until the transaction ends; take it before any lock on rows.

    ``alone``: to move a branch or to change which permission set it refers to. Row locks could not do that: an element
    being made below is seen by nobody until it is committed. Otherwise: to make an element, or to change a permission
    set; many may at once. SQLite needs nothing, its writers queue up anyway.
    """
    if session.get_bind().dialect.name != "sqlite":
        kind = "" if alone else "_shared"
        session.execute(text(f"SELECT pg_advisory_xact_lock{kind}(:key)"), {"key": TREE_LOCK})


def in_branch(path: str) -> ColumnElement[bool]:
    """Condition on ``ElementRow``: the element at this path, or one below it."""
    # paths end with a slash and compare byte by byte, and "0" is the byte after the slash
    return and_(ElementRow.path >= path, ElementRow.path < f"{path[:-1]}0")


def copy_set(session: Session, set_id: UUID) -> UUID:
    """Make a permission set with the same roles and revision; returns its id."""
    known = select(PermissionSetRow.public_role, PermissionSetRow.revision).where(PermissionSetRow.id == set_id)
    public, revision = session.execute(known).one()
    made = uuid4()
    # the revision goes on from the old one: whoever read that must not take the copy, once changed, for it
    session.execute(insert(PermissionSetRow).values(id=made, public_role=public, revision=revision))
    for table, grantee in ((GrantRow, GrantRow.user_id), (GroupGrantRow, GroupGrantRow.group_id)):
        held = select(literal(made, type_=table.permission_set_id.type), grantee, table.role).where(
            table.permission_set_id == set_id
        )
        session.execute(insert(table).from_select(["permission_set_id", grantee.key, "role"], held))
    return made


def delete_set(session: Session, set_id: UUID) -> None:
    """Delete a permission set that no element refers to any more, with its grants."""
    session.execute(delete(PermissionSetRow).where(PermissionSetRow.id == set_id))


def repoint(session: Session, path: str, *, old: UUID, new: UUID) -> None:
    """Let a branch refer to another permission set, where it refers to ``old``: what broke with that keeps its own."""
    affected = and_(in_branch(path), ElementRow.permission_set_id == old)
    _lock_rows(session, affected)
    # the time of change is left alone: nobody has changed these elements
    session.execute(
        update(ElementRow)
        .where(affected)
        .values(permission_set_id=new, updated=ElementRow.updated)
        .execution_options(synchronize_session=False)
    )


def move_branch(session: Session, path: str, *, to: str) -> None:
    """Change the paths of an element and of all below it."""
    _lock_rows(session, in_branch(path))
    session.execute(
        update(ElementRow)
        .where(in_branch(path))
        .values(path=literal(to).concat(func.substr(ElementRow.path, len(path) + 1)), updated=ElementRow.updated)
        .execution_options(synchronize_session=False)
    )


def depth_below(session: Session, path: str) -> int:
    """Levels of a branch below its top; 0 when nothing is in it."""
    longest = session.scalar(select(func.max(func.length(ElementRow.path))).where(in_branch(path))) or len(path)
    return (longest - len(path)) // 33  # 32 digits and a slash a level


def _lock_rows(session: Session, affected: ColumnElement[bool]) -> None:
    """Lock rows from the top down, as everybody does who locks several: an update alone takes them in any order."""
    if session.get_bind().dialect.name != "sqlite":
        rows = select(ElementRow.id).where(affected).order_by(ElementRow.path).with_for_update(key_share=True)
        session.execute(select(func.count()).select_from(rows.subquery()))
