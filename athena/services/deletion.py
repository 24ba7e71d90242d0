"""What a deletion does the moment it is asked for: it closes the content, which its job then takes away (WS-13)."""

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from athena.contract.base import Wire
from athena.contract.elements import ElementKind, State
from athena.contract.events import EventKind
from athena.contract.people import Action, Principal
from athena.contract.runs import SourceState
from athena.db.acquisitions import SourceRow
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.visibility import restrict
from athena.domain.job_kinds import Prepared
from athena.errors import Forbidden, Invalid
from athena.services.guard import require_deleter
from athena.services.jobs import cancel_below, refuse_content_jobs
from athena.settings import Settings


def prepare(
    session: Session, principal: Principal, element: ElementRow, parameters: Wire, _settings: Settings
) -> Prepared:
    """Grey out an element with all below it, and end what is at work there.

    Raises
    ------
    Forbidden : a folder of somebody else, or something below is not the caller's to delete.
    Invalid : a step that comes with its workflow's template.
    """
    require_deleter(session, principal, element.id)
    if element.kind == ElementKind.STEP and element.type:
        raise Invalid(
            f"The step “{element.name}” belongs to its workflow's template and stays.",
            hint="Delete its datasets, or the whole workflow.",
        )
    above = session.get(ElementRow, element.parent_id) if element.parent_id is not None else None
    if above is not None:
        refuse_content_jobs(session, principal, above, label="Deletion", below=False)
    _require_all(session, principal, element)
    within = ElementRow.path.startswith(element.path, autoescape=True)
    cancel_below(session, element.path)
    session.execute(
        update(SourceRow)
        .where(SourceRow.run_id.in_(select(ElementRow.id).where(within)))
        .values(state=SourceState.COMPLETED.value, follow=False, lease_owner=None, lease_until=None)
    )
    # `updated` stays: the content is as it was
    session.execute(update(ElementRow).where(within).values(state=State.DELETING.value, updated=ElementRow.updated))
    session.expire_all()
    append_event(session, EventKind.ELEMENT_UPDATED, element_id=element.id)
    return Prepared(parameters)


def _require_all(session: Session, principal: Principal, element: ElementRow) -> None:
    """Refuse with Forbidden where something below has permissions of its own that do not let the caller delete it."""
    if principal.is_admin:
        return
    within = ElementRow.path.startswith(element.path, autoescape=True)
    own = restrict(select(ElementRow.id).where(within), principal, action=Action.DELETE)
    foreign = select(exists().where(within, ElementRow.id.not_in(own)))
    if session.scalar(foreign):
        raise Forbidden(
            f"“{element.name}” cannot be deleted by you as a whole: not all of it is yours.",
            hint="Delete what is yours in it, or ask an administrator.",
        )
