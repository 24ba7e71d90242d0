"""The guards every service begins with: what may not be seen is absent, what may not be done is forbidden."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from athena.contract.elements import State
from athena.contract.people import PlatformRole, Principal, Role
from athena.db.acquisitions import RunRow
from athena.db.elements import ElementRow
from athena.db.visibility import effective_role, visible_with_roles
from athena.domain.permissions import Action, can
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
    found = session.execute(visible_with_roles(principal).where(ElementRow.id == element_id)).one_or_none()
    if found is None:
        raise absent(element_id)
    row, own, public = found
    role = effective_role(principal, own=own, public=public)
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


def require_user_manager(principal: Principal) -> None:
    """Refuse with Forbidden who may not manage the platform's users."""
    if not (principal.is_admin or PlatformRole.USER_MANAGER in principal.roles):
        raise Forbidden("Only administrators and user managers may do this.")


def _require(session: Session, principal: Principal, element_id: UUID, *, action: Action) -> ElementRow:
    found = find_visible(session, principal, element_id)
    if not can(action, found.role):
        raise Forbidden(
            f"You may see “{found.row.name}” as {found.role.value}, but not {action.value} it.",
            hint="Ask one of its owners for a stronger role.",
        )
    _refuse_deleting(found.row)
    return found.row


def _refuse_deleting(row: ElementRow) -> None:
    if row.state == State.DELETING:
        raise Conflict(f"“{row.name}” is being deleted.")
