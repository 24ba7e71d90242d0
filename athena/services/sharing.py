"""Who may do what with an element: shown to all who see it, changed by its owners (SH-01…05)."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.elements import Crumb, ElementKind
from athena.contract.people import Action, Principal, Role
from athena.contract.sharing import GrantChange, Grantee, Permissions, PermissionsReplace, PublicRole
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.tree import copy_set, delete_set, lock_tree, repoint
from athena.domain.permissions import can
from athena.errors import Conflict, Invalid, NotFound
from athena.services.access import access_of, complete_names, find_grantee, put_role, tell
from athena.services.audit import record
from athena.services.guard import find_visible, require_sharer

SHARED_KINDS = (ElementKind.FOLDER, ElementKind.WORKFLOW)
"""What permissions can be set on; all below a workflow has the workflow's (SH-01)."""


MAX_NAMES = 50


def get_permissions(session: Session, principal: Principal, element_id: UUID) -> Permissions:
    """Who may do what with an element, for everyone who sees it; NotFound for others."""
    visible = find_visible(session, principal, element_id)
    row = visible.row
    # whoever sees the element sees the one its set belongs to: it has the same set
    source = session.scalars(
        select(ElementRow).where(ElementRow.permission_set_id == row.permission_set_id, ~ElementRow.inherits)
    ).one()
    access = access_of(session, row.permission_set_id)
    return Permissions(
        element_id=row.id,
        source=Crumb(id=source.id, kind=ElementKind(source.kind), name=source.name),
        inherits=row.inherits,
        revision=access.revision,
        public=access.public,
        grants=access.described(session),
        my_role=visible.role,
        may_edit=row.kind in SHARED_KINDS and can(Action.SHARE, visible.role),
    )


def set_grant(session: Session, principal: Principal, element_id: UUID, change: GrantChange) -> Permissions | None:
    """Give a user or group a role on an element and all that inherits from it, or take it away.

    Breaks the element's inheritance if it had any (SH-03). Returns None when the caller has lost sight of the element.

    Raises
    ------
    NotFound : the element, or nobody of this name, or nobody who has a role that could be taken away.
    Forbidden : the caller is not an owner.
    Conflict : it would leave no user as owner, or the element is being deleted.
    Invalid : the element takes no permissions of its own.
    """

    def apply(row: ElementRow) -> None:
        grantee = find_grantee(session, change.kind, change.name)
        put_role(session, row.permission_set_id, grantee, change.role)
        told = {"kind": grantee.kind.value, "name": grantee.name}
        if change.role is None:
            record(session, principal, AuditAction.UNSHARED, row, **told)
        else:
            record(session, principal, AuditAction.SHARED, row, **told, role=change.role.value)

    return _change(session, principal, element_id, apply)


def set_public(session: Session, principal: Principal, element_id: UUID, role: PublicRole | None) -> Permissions | None:
    """Let Everybody view an element, or view and change it, or (None) make it private (SH-04); see ``set_grant``."""

    def apply(row: ElementRow) -> None:
        _set_public(session, row.permission_set_id, role)
        record(session, principal, AuditAction.PUBLIC_SET, row, role=role.value if role else None)

    return _change(session, principal, element_id, apply)


def replace_permissions(
    session: Session, principal: Principal, element_id: UUID, wanted: PermissionsReplace
) -> Permissions | None:
    """Set all permissions of an element at once; Conflict if they changed since ``wanted.revision``."""
    named = [(change.kind, change.name) for change in wanted.grants]
    if len(set(named)) < len(named) or any(change.role is None for change in wanted.grants):
        raise Invalid("A whole set of permissions names everybody once, with a role.")

    def apply(row: ElementRow) -> None:
        before = access_of(session, row.permission_set_id)
        chosen = {find_grantee(session, change.kind, change.name): change.role for change in wanted.grants}
        kept = {(grantee.kind, grantee.id) for grantee in chosen}
        for grant in before.described(session):
            if (grant.grantee.kind, grant.grantee.id) not in kept:
                put_role(session, row.permission_set_id, grant.grantee, None)
        for grantee, role in chosen.items():
            put_role(session, row.permission_set_id, grantee, role)
        _set_public(session, row.permission_set_id, wanted.public)
        grants = [[grantee.kind.value, grantee.name, role] for grantee, role in chosen.items()]
        record(session, principal, AuditAction.SHARED, row, grants=grants, public=wanted.public)

    return _change(session, principal, element_id, apply, revision=wanted.revision)


def inherit_again(session: Session, principal: Principal, element_id: UUID) -> Permissions | None:
    """Give an element, and all that inherits from it, the permissions of its parent again (SH-03).

    Returns None when the caller has lost sight of the element by it. Raises NotFound, Forbidden, Invalid as
    ``set_grant``, and Conflict where there is no parent that the caller sees.
    """
    row = _locked(session, principal, element_id, alone=True)
    if row.inherits:
        return get_permissions(session, principal, element_id)
    # a parent the caller does not see is as good as none: it must not show, nor may access be lost to it unseen
    parent = _visible_parent(session, principal, row)
    if parent is None:
        raise Conflict(f"“{row.name}” lies in no folder whose permissions it could have.")
    own, inherited = row.permission_set_id, parent.permission_set_id
    before, after = access_of(session, own), access_of(session, inherited)
    row.inherits = True
    row.permission_set_id = inherited
    session.flush()
    repoint(session, row.path, old=own, new=inherited)
    delete_set(session, own)
    record(session, principal, AuditAction.INHERITANCE_RESTORED, row)
    session.flush()
    tell(session, row.id, before, after)
    session.expire_all()
    return _still_seen(session, principal, element_id)


def find_grantees(session: Session, text: str, *, limit: int = 20) -> tuple[Grantee, ...]:
    """Users and groups whose name begins with a text, for the "add" field: names only. For everybody logged in."""
    if not 1 <= limit <= MAX_NAMES:
        raise Invalid(f"A list of names has 1 to {MAX_NAMES} of them.")
    return complete_names(session, text.strip(), limit=limit) if text.strip() else ()


def break_inheritance(session: Session, principal: Principal, row: ElementRow) -> None:
    """Give an element, and all that inherits from it, a copy of its parent's permissions as its own.

    The caller has checked that it may, and holds the tree alone.
    """
    shared = row.permission_set_id
    own = copy_set(session, shared)
    repoint(session, row.path, old=shared, new=own)
    session.refresh(row)
    row.inherits = False
    session.flush()
    record(session, principal, AuditAction.INHERITANCE_BROKEN, row)


def _change(
    session: Session,
    principal: Principal,
    element_id: UUID,
    apply: Callable[[ElementRow], None],
    *,
    revision: int | None = None,
) -> Permissions | None:
    """Change an element's own permissions (made its own first, if need be) under lock."""
    row = require_sharer(session, principal, element_id)
    alone = row.inherits
    row = _locked(session, principal, element_id, alone=alone)
    if row.inherits and not alone:
        raise Conflict(f"The permissions of “{row.name}” have just changed.", hint="Look at them and try again.")
    _lock_set(session, row, revision)
    before = access_of(session, row.permission_set_id)
    if row.inherits:
        break_inheritance(session, principal, row)
    apply(row)
    session.execute(
        update(PermissionSetRow)
        .where(PermissionSetRow.id == row.permission_set_id)
        .values(revision=PermissionSetRow.revision + 1)
    )
    session.flush()
    owner = select(GrantRow.user_id).where(
        GrantRow.permission_set_id == row.permission_set_id, GrantRow.role == Role.OWNER.value
    )
    if session.scalars(owner.limit(1)).first() is None:
        raise Conflict(
            f"“{row.name}” would be left without an owner.",
            hint="Make another user its owner first; groups do not count.",
        )
    tell(session, row.id, before, access_of(session, row.permission_set_id))
    session.expire_all()
    return _still_seen(session, principal, element_id)


def _locked(session: Session, principal: Principal, element_id: UUID, *, alone: bool) -> ElementRow:
    """Element whose permissions the caller may change, as it is once no other can change the tree beside it."""
    require_sharer(session, principal, element_id)
    lock_tree(session, alone=alone)
    session.expire_all()
    row = require_sharer(session, principal, element_id)
    if row.kind not in SHARED_KINDS:
        raise Invalid(
            f"A {row.kind} has no permissions of its own.", hint="Those of its workflow apply: change them there."
        )
    return row


def _lock_set(session: Session, row: ElementRow, revision: int | None) -> None:
    query = select(PermissionSetRow.revision).where(PermissionSetRow.id == row.permission_set_id)
    present = session.scalars(query.with_for_update(key_share=True)).one()
    if revision is not None and revision != present:
        raise Conflict(
            f"Somebody else has changed the permissions of “{row.name}”.", hint="Look at them and try again."
        )


def _set_public(session: Session, set_id: UUID, role: PublicRole | None) -> None:
    public = role.value if role else None
    session.execute(update(PermissionSetRow).where(PermissionSetRow.id == set_id).values(public_role=public))


def _visible_parent(session: Session, principal: Principal, row: ElementRow) -> ElementRow | None:
    if row.parent_id is None:
        return None
    try:
        return find_visible(session, principal, row.parent_id).row
    except NotFound:
        return None


def _still_seen(session: Session, principal: Principal, element_id: UUID) -> Permissions | None:
    try:
        return get_permissions(session, principal, element_id)
    except NotFound:
        return None
