"""The guards every service begins with: what may not be seen is absent, what may not be done is forbidden."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.elements import ElementKind, State
from athena.contract.people import Action, Principal, Role
from athena.db.acquisitions import RunRow
from athena.db.elements import ElementRow
from athena.db.visibility import effective_role, one_visible
from athena.domain.permissions import actions_on, can
from athena.domain.roles import PlatformAction, may, roles_allowing_on_platform
from athena.errors import Conflict, Forbidden, NotFound


@dataclass(frozen=True)
class Visible:
    """An element the caller may see, with the caller's role on it."""

    row: ElementRow
    role: Role


def absent(element_id: UUID) -> NotFound:
    """The one answer for what is not there and for what the caller may not know of."""
    return NotFound(
        f"There is no element {element_id}.", hint="It may have been deleted, or it is not shared with you."
    )


def find_visible(session: Session, principal: Principal, element_id: UUID) -> Visible:
    """Element with the caller's role; NotFound if it is not there or may not be seen."""
    asked = {"me": principal.user_id, "element": element_id}
    found = session.execute(one_visible(is_admin=principal.is_admin), asked).one_or_none()
    if found is None:
        raise absent(element_id)
    row, *roles = found
    role = effective_role(principal, *roles)
    if role is None:
        raise absent(element_id)
    return Visible(row, role)


def get_visible_element(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element the caller may open, else NotFound (unseen) or Conflict (being deleted)."""
    row = find_visible(session, principal, element_id).row
    _refuse_deleting(row)
    return row


def get_visible_run(session: Session, principal: Principal, run_id: UUID) -> RunRow:
    """Run the caller may see, else NotFound (also for elements that are not runs)."""
    get_visible_element(session, principal, run_id)
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id}.", hint="The element is not a dataset filled by an acquisition.")
    return run


def require_writer(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element the caller may change, else NotFound (unseen), Forbidden (viewer) or Conflict (being deleted)."""
    return _require(session, principal, element_id, action=Action.WRITE)


def require_owner(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element the caller owns, else NotFound (unseen), Forbidden (not its owner) or Conflict (being deleted)."""
    return _require(session, principal, element_id, action=Action.DELETE)


def require_admin(principal: Principal) -> None:
    """Refuse with Forbidden who is no administrator."""
    if not principal.is_admin:
        raise Forbidden("Only administrators may do this.")


def require_sharer(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element whose permissions the caller may change, else NotFound, Forbidden or Conflict (being deleted)."""
    return _require(session, principal, element_id, action=Action.SHARE)


def require_mover(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element the caller may move elsewhere, else NotFound, Forbidden or Conflict (being deleted).

    Owners only: an element that inherits its permissions gets those of its new place.
    """
    return _require(session, principal, element_id, action=Action.MOVE)


def require_auditor(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element whose audit trail the caller may read, else NotFound or Forbidden."""
    return _require(session, principal, element_id, action=Action.AUDIT, also_deleting=True)


def require_deleter(session: Session, principal: Principal, element_id: UUID) -> ElementRow:
    """Element the caller may delete, else NotFound, Forbidden or Conflict (being deleted already).

    Its owners may; a folder only its creator among them, or an administrator (WS-13).
    """
    row = _require(session, principal, element_id, action=Action.DELETE)
    kind, creator = ElementKind(row.kind), row.creator_id == principal.user_id
    # a template's step is refused where deletion is prepared, with its own reason
    if kind is ElementKind.FOLDER and Action.DELETE not in actions_on(
        Role.OWNER, kind, row.type, creator=creator, admin=principal.is_admin
    ):
        raise Forbidden(
            f"The folder “{row.name}” can be deleted by who made it, or by an administrator.",
            hint="What lies in it may be other people's.",
        )
    return row


def require_platform(principal: Principal, action: PlatformAction) -> None:
    """Refuse with Forbidden who has no role that allows an action on the platform."""
    if not may(action, principal.roles):
        holders = ", ".join(role.value for role in roles_allowing_on_platform(action))
        raise Forbidden(f"You may not {action.value}.", hint=f"This takes one of the roles: {holders}.")


def require_user_manager(principal: Principal) -> None:
    """Refuse with Forbidden who may not manage the platform's users."""
    require_platform(principal, PlatformAction.MANAGE_USERS)


def may_manage_users(principal: Principal) -> bool:
    """Whether the caller may manage the platform's users and groups."""
    return may(PlatformAction.MANAGE_USERS, principal.roles)


def lock_element(session: Session, row: ElementRow) -> None:
    """Lock an element's row until the transaction ends, and read into it what others have committed meanwhile.

    Raises NotFound or Conflict if the element has gone or is being deleted by now.
    """
    # not the full row lock: inserts that refer to the row (events, its children's keys) need not wait
    this = select(ElementRow).where(ElementRow.id == row.id).with_for_update(key_share=True)
    if session.scalars(this.execution_options(populate_existing=True)).one_or_none() is None:
        raise absent(row.id)
    if row.state == State.DELETING:
        raise Conflict(f"“{row.name}” is being deleted.")


def _require(
    session: Session, principal: Principal, element_id: UUID, *, action: Action, also_deleting: bool = False
) -> ElementRow:
    found = find_visible(session, principal, element_id)
    if not can(action, found.role):
        raise Forbidden(
            f"You may see “{found.row.name}” as {found.role.value}, but not {action.value} it.",
            hint="Ask one of its owners for a stronger role.",
        )
    if not also_deleting:
        _refuse_deleting(found.row)
    return found.row


def _refuse_deleting(row: ElementRow) -> None:
    if row.state == State.DELETING:
        raise Conflict(f"“{row.name}” is being deleted.")
