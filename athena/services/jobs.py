"""Jobs as a caller may see them, and the one way to start and steer them (JB-01 … JB-04)."""

import pkgutil
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.elements import DatasetType, ElementKind
from athena.contract.events import EventKind
from athena.contract.jobs import Job, JobAction, JobCreate, JobKind, JobKindInfo, JobState
from athena.contract.people import Action, Principal
from athena.db.base import now
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.db.people import UserRow
from athena.db.tree import lock_tree
from athena.db.visibility import restrict
from athena.domain.job_kinds import CONTENT, JobSpec, Prepared
from athena.domain.job_life import ENDED, OPEN, JobMove, after, can_move
from athena.domain.tree import path_ids
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services.audit import record
from athena.services.guard import get_visible_element, require_owner, require_writer
from athena.services.job_kinds import check_parameters, installed_kinds, label_of, load_kind
from athena.settings import Settings

PRIVATE = "Private entity"
"""What the name of an element reads for those who may not see it."""
MAX_PAGE = 1000

_OPEN = tuple(state.value for state in OPEN)
_ENDED = tuple(state.value for state in ENDED)
_GUARDS: dict[Action, Callable[[Session, Principal, UUID], ElementRow]] = {
    Action.VIEW: get_visible_element,
    Action.WRITE: require_writer,
    Action.DELETE: require_owner,
    Action.SHARE: require_owner,
}


def list_kinds(principal: Principal) -> tuple[JobKindInfo, ...]:
    """Kinds of jobs that the caller could start where it has the role."""
    return tuple(
        JobKindInfo(
            name=spec.name,
            label=spec.label,
            elements=spec.elements if spec.action is not None else (),
            dataset_types=spec.dataset_types if ElementKind.DATASET in spec.elements and spec.action else (),
            parameters=spec.parameters.model_json_schema(),
        )
        for spec in installed_kinds().values()
        if spec.startable and (spec.action is not None or principal.is_admin)
    )


def list_jobs(
    session: Session, principal: Principal, *, element_id: UUID | None = None, limit: int = 200
) -> tuple[Job, ...]:
    """Pending and running jobs of everyone, ended ones of the caller (administrators: of all), newest first.

    ``element_id`` : only those of this element, which the caller must see. A job on an element the caller may not see
    shows that it runs and how far, but neither the element nor any word that might name it.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A list of jobs has 1 to {MAX_PAGE} of them.")
    query = _seen(principal)
    if element_id is not None:
        get_visible_element(session, principal, element_id)
        query = query.where(JobRow.element_id == element_id)
    found = session.execute(query.order_by(JobRow.created.desc(), JobRow.id).limit(limit)).all()
    return _describe(session, principal, [(row, username) for row, username in found])


def get_job(session: Session, principal: Principal, job_id: UUID) -> Job:
    """One job, NotFound for an ended one of somebody else."""
    found = session.execute(_seen(principal).where(JobRow.id == job_id)).one_or_none()
    if found is None:
        raise NotFound(f"There is no job {job_id}.", hint="Ended jobs are seen by who started them.")
    return _describe(session, principal, [(found[0], found[1])])[0]


def start_job(session: Session, principal: Principal, wanted: JobCreate, *, settings: Settings) -> Job:
    """Start a job on an element, or (kinds for administrators) on the platform.

    Raises
    ------
    Invalid : no such kind, not on such an element, or parameters the kind does not take.
    NotFound, Forbidden : the element is not visible, or the caller's role does not allow it.
    Conflict : another job has the element, or the state of things does not allow it.
    """
    # the element's guard comes first: a stranger learns nothing from the rest
    element = get_visible_element(session, principal, wanted.element_id) if wanted.element_id is not None else None
    spec = load_kind(wanted.kind)
    if not spec.startable:
        raise Invalid(f"A job of kind “{spec.label}” is not started by people.")
    _check_place(session, principal, spec, element)
    parameters = check_parameters(spec, wanted.parameters)
    if element is not None:
        # checks over the tree hold until commit, and nothing is being made below that this cannot see yet
        lock_tree(session, alone=True)
        session.refresh(element)
        if spec.slot == CONTENT:
            refuse_content_jobs(session, principal, element, label=spec.label)
    else:
        _refuse_second(session, spec)
    prepared = Prepared(parameters)
    if spec.prepare:
        prepared = pkgutil.resolve_name(spec.prepare)(session, principal, element, parameters, settings)
    row = JobRow(
        kind=spec.name,
        element_id=element.id if element is not None else None,
        subject=element.name if element is not None else "",
        slot=spec.slot,
        unit=spec.unit,
        initiator_id=principal.user_id,
        parameters=prepared.parameters.model_dump(mode="json"),
        result=dict(prepared.result),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise _taken(element, spec.label) from error
    if element is not None:
        told = prepared.parameters.model_dump(mode="json")
        record(session, principal, AuditAction.JOB_STARTED, element, kind=spec.name, parameters=told)
        session.flush()
    append_event(session, EventKind.JOB_CHANGED, element_id=row.element_id)
    return get_job(session, principal, row.id)


def cancel_job(session: Session, principal: Principal, job_id: UUID) -> Job:
    """Call off a job: one's own, or (administrators) any. A running one ends as soon as it has tidied up."""
    row = _steered(session, principal, job_id, JobMove.CANCEL)
    _cancel(row)
    element = session.get(ElementRow, row.element_id) if row.element_id is not None else None
    if element is not None:
        record(session, principal, AuditAction.JOB_CANCELLED, element, kind=row.kind)
    session.flush()
    append_event(session, EventKind.JOB_CHANGED, element_id=row.element_id)
    return get_job(session, principal, job_id)


def cancel_all(session: Session, principal: Principal, kind: str) -> int:
    """Call off every open job of a kind (EX-03: stop all live exports); administrators only. Returns how many."""
    if not principal.is_admin:
        raise Forbidden("Only administrators may stop everyone's jobs.")
    spec = load_kind(kind)
    if not spec.cancellable:
        raise Conflict(f"A job of kind “{spec.label}” cannot be cancelled.")
    query = select(JobRow).where(JobRow.kind == kind, JobRow.state.in_(_OPEN), JobRow.cancelling.is_(False))
    rows = session.scalars(query.order_by(JobRow.id).with_for_update()).all()
    for row in rows:
        _cancel(row)
    session.flush()
    for row in rows:
        append_event(session, EventKind.JOB_CHANGED, element_id=row.element_id)
    return len(rows)


def retry_job(session: Session, principal: Principal, job_id: UUID) -> Job:
    """Begin a failed or cancelled job again, from where it got to; one's own, or (administrators) any."""
    row = _steered(session, principal, job_id, JobMove.RETRY)
    if row.element_id is None and row.subject:
        raise Conflict(f"“{row.subject}” is no more.")
    subject = row.subject
    try:
        with session.begin_nested():
            row.state = JobState.PENDING.value
            row.message, row.item, row.attempts, row.cancelling = "", "", 0, False
            row.finished = row.not_before = row.lease_owner = row.lease_until = None
    except IntegrityError as error:
        raise Conflict(f"Another job is at work on “{subject}”.", hint="Wait for its end, then retry.") from error
    append_event(session, EventKind.JOB_CHANGED, element_id=row.element_id)
    return get_job(session, principal, job_id)


def remove_job(session: Session, principal: Principal, job_id: UUID) -> None:
    """Take an ended job off the list: one's own, or (administrators) any."""
    row = _steered(session, principal, job_id, JobMove.REMOVE)
    element_id = row.element_id
    session.delete(row)
    session.flush()
    append_event(session, EventKind.JOB_CHANGED, element_id=element_id)


def remove_ended(session: Session, principal: Principal) -> int:
    """Take all of the caller's own ended jobs off the list; returns how many. Processing jobs are their runs' own."""
    own = (
        JobRow.initiator_id == principal.user_id,
        JobRow.state.in_(_ENDED),
        JobRow.kind.not_in((JobKind.PROCESSING.value, JobKind.USER_METRICS.value)),
        or_(JobRow.kind != JobKind.DELETE.value, JobRow.state == JobState.FINISHED.value),
    )
    gone = session.execute(delete(JobRow).where(*own).returning(JobRow.element_id)).all()
    if gone:
        append_event(session, EventKind.JOB_CHANGED)
    return len(gone)


def cancel_below(session: Session, path: str) -> None:
    """Call off every open job on the elements of a subtree. For services that have passed the guard of its top."""
    below = select(ElementRow.id).where(ElementRow.path.startswith(path, autoescape=True))
    rows = session.scalars(
        select(JobRow)
        .where(JobRow.element_id.in_(below), JobRow.state.in_(_OPEN))
        .order_by(JobRow.id)
        .with_for_update()
    ).all()
    for row in rows:
        _cancel(row)
    session.flush()


def _cancel(row: JobRow) -> None:
    # a processing job has nothing to tidy: whoever works it finds its lease void
    if row.state == JobState.PENDING.value or row.kind == JobKind.PROCESSING.value:
        row.state = JobState.CANCELLED.value
        row.finished = now()
        row.message = "Cancelled."
        return
    row.cancelling = True


def _seen(principal: Principal) -> Select[JobRow, str]:
    query = select(JobRow, UserRow.username).join(UserRow, UserRow.id == JobRow.initiator_id)
    if principal.is_admin:
        return query
    return query.where(or_(JobRow.state.in_(_OPEN), JobRow.initiator_id == principal.user_id))


def _steered(session: Session, principal: Principal, job_id: UUID, move: JobMove) -> JobRow:
    """Job to act on, locked; NotFound (unseen), Forbidden (another's) or Conflict (not possible as it stands)."""
    get_job(session, principal, job_id)
    row = session.get_one(JobRow, job_id, with_for_update=True, populate_existing=True)
    if row.initiator_id != principal.user_id and not principal.is_admin:
        raise Forbidden(f"This job is not yours to {move.value}.", hint="Ask who started it, or an administrator.")
    after(JobState(row.state), move)
    _check_kind(row, move)
    return row


def _check_kind(row: JobRow, move: JobMove) -> None:
    """Refuse with Conflict what jobs of this kind do not allow."""
    label = label_of(row.kind)
    if row.kind == JobKind.PROCESSING.value and move in (JobMove.RETRY, JobMove.REMOVE):
        hint = "Retry the run's failed acquisitions, or attach its session folder again."
        raise Conflict("A run's processing job stays with its run.", hint=hint)
    if row.kind == JobKind.USER_METRICS.value and move is JobMove.REMOVE:
        raise Conflict("The job of a run's user metrics stays with its run.", hint="Remove the metrics, or cancel it.")
    if row.kind == JobKind.DELETE.value and move is JobMove.REMOVE and row.state != JobState.FINISHED.value:
        raise Conflict("The deletion is not done yet.", hint="Retry it; it goes on where it stopped.")
    if move is JobMove.CANCEL and not load_kind(row.kind).cancellable:
        raise Conflict(f"A job of kind “{label}” cannot be cancelled.", hint="What is gone cannot be brought back.")
    if move is JobMove.RETRY and not load_kind(row.kind).retriable:
        raise Conflict(f"A job of kind “{label}” cannot be begun again.", hint="Start a new one.")


def _check_place(session: Session, principal: Principal, spec: JobSpec, element: ElementRow | None) -> None:
    if spec.action is None:
        if not principal.is_admin:
            raise Forbidden(f"Only administrators may start a job of kind “{spec.label}”.")
        if element is not None:
            raise Invalid(f"A job of kind “{spec.label}” works on no element.")
        return
    if element is None:
        raise Invalid(f"A job of kind “{spec.label}” needs an element to work on.")
    _GUARDS[spec.action](session, principal, element.id)
    wrong_type = element.kind == ElementKind.DATASET and DatasetType(element.type) not in spec.dataset_types
    if ElementKind(element.kind) not in spec.elements or wrong_type:
        what = element.type if wrong_type else element.kind
        raise Invalid(f"“{element.name}” is a {what.replace('_', ' ')}: “{spec.label}” is not for that.")


def _refuse_second(session: Session, spec: JobSpec) -> None:
    """Refuse with Conflict a second job of the platform in its slot."""
    open_one = select(JobRow.id).where(JobRow.element_id.is_(None), JobRow.slot == spec.slot, JobRow.state.in_(_OPEN))
    if spec.slot and session.scalar(open_one.limit(1)) is not None:
        raise _taken(None, spec.label)


def refuse_content_jobs(
    session: Session, principal: Principal, element: ElementRow, *, label: str, below: bool = True
) -> None:
    """Refuse with Conflict where an open job moves or takes away content at or above the element, or below it."""
    places: ColumnElement[bool] = ElementRow.id.in_(path_ids(element.path))
    if below:
        places = or_(places, ElementRow.path.startswith(element.path, autoescape=True))
    query = (
        select(JobRow.kind, ElementRow.id, ElementRow.name)
        .join(ElementRow, ElementRow.id == JobRow.element_id)
        .where(JobRow.slot == CONTENT, JobRow.state.in_(_OPEN), places)
        .limit(1)
    )
    busy = session.execute(query).first()
    if busy is None:
        return
    kind, element_id, name = busy
    seen = session.scalar(restrict(select(ElementRow.id).where(ElementRow.id == element_id), principal))
    where = f"on “{name}”" if seen is not None else f"near “{element.name}”"
    raise Conflict(
        f"“{label}” has to wait: “{label_of(kind)}” is at work {where}.",
        hint="Wait for its end, or cancel it.",
    )


def _taken(element: ElementRow | None, label: str) -> Conflict:
    name = f" on “{element.name}”" if element is not None else ""
    return Conflict(f"“{label}” has to wait: another job is at work{name}.", hint="Wait for its end, or cancel it.")


def _describe(session: Session, principal: Principal, found: Sequence[tuple[JobRow, str]]) -> tuple[Job, ...]:
    targets = {row.element_id for row, _ in found if row.element_id is not None}
    seen = restrict(select(ElementRow.id, ElementRow.name).where(ElementRow.id.in_(targets)), principal)
    names: dict[UUID | None, str] = dict(session.execute(seen).all())
    return tuple(_job(principal, row, username, names) for row, username in found)


def _job(principal: Principal, row: JobRow, username: str, names: dict[UUID | None, str]) -> Job:
    own = principal.is_admin or row.initiator_id == principal.user_id
    # of an element that is gone, only who started the job (or administers all) learns the name
    gone = row.element_id is None
    visible = row.element_id in names or (gone and (own or not row.subject))
    told: dict[str, Any] = {"message": row.message, "item": row.item, "result": row.result} if visible else {}
    return Job(
        id=row.id,
        kind=row.kind,
        label=label_of(row.kind),
        state=JobState(row.state),
        cancelling=row.cancelling,
        element_id=row.element_id if visible else None,
        element_name=names.get(row.element_id, row.subject) if visible else PRIVATE,
        done=row.done,
        total=row.total,
        unit=row.unit,
        attempts=row.attempts,
        initiator=username,
        created=row.created,
        started=row.started,
        finished=row.finished,
        actions=_actions(row) if own else (),
        **told,
    )


def _actions(row: JobRow) -> tuple[JobAction, ...]:
    moves = {JobAction.RETRY: JobMove.RETRY, JobAction.REMOVE: JobMove.REMOVE}
    if not row.cancelling:
        moves[JobAction.CANCEL] = JobMove.CANCEL
    return tuple(action for action, move in moves.items() if can_move(JobState(row.state), move) and _allows(row, move))


def _allows(row: JobRow, move: JobMove) -> bool:
    try:
        _check_kind(row, move)
    except (Conflict, Invalid):  # Invalid: the package that offered the kind is gone
        return False
    return True
