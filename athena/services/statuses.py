"""Statuses that follow from what happens below (WS-04). For Athena's own processes: no principal, no guard."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import ElementKind, Status
from athena.contract.events import EventKind
from athena.contract.runs import SourceState
from athena.db.acquisitions import AcquisitionRow, RunRow, SourceRow
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.domain.lifecycle import run_status, step_status


def follow_acquisitions(session: Session, run_id: UUID) -> Status:
    """Set the status of a run from its source and acquisitions, and that of its step; appends events where they change.

    Costs a few index look-ups whatever the size of the run, so callers may run it after every change. Call it before
    appending events of your own.
    """
    source = session.scalar(select(SourceRow.state).where(SourceRow.run_id == run_id))
    run = session.get_one(ElementRow, run_id)
    status = run_status(
        source=SourceState(source) if source is not None else None,
        begun=bool(session.scalar(select(exists().where(AcquisitionRow.run_id == run_id)))),
        pending=_any(session, run_id, AcquisitionState.REGISTERED, AcquisitionState.PROCESSING),
        failed=_any(session, run_id, AcquisitionState.ERROR),
        below_criteria=bool(session.scalar(select(RunRow.below_criteria).where(RunRow.id == run_id))),
    )
    if run.status == status:
        return status
    step = session.get_one(ElementRow, run.parent_id, with_for_update={"key_share": True}, populate_existing=True)
    run.status = status.value
    session.flush()
    changed_step = follow_datasets(session, step.id)
    for element_id in filter(None, (run.id, changed_step)):
        append_event(session, EventKind.ELEMENT_UPDATED, element_id=element_id)
    return status


def follow_datasets(session: Session, step_id: UUID) -> UUID | None:
    """Set the status of a step, whose row the caller has locked, from its datasets; its id if that changed it.

    For what is not a step (a step's own status was set) nothing follows. The event is the caller's to append.
    """
    step = session.get_one(ElementRow, step_id)
    if step.kind != ElementKind.STEP:
        return None
    datasets = session.scalars(select(ElementRow.status).where(ElementRow.parent_id == step.id))
    above = step_status(Status(step.status), [Status(dataset) for dataset in datasets])
    if above == step.status:
        return None
    step.status = above.value
    session.flush()
    return step.id


def _any(session: Session, run_id: UUID, *states: AcquisitionState) -> bool:
    found = exists().where(AcquisitionRow.run_id == run_id, AcquisitionRow.state.in_(states))
    return bool(session.scalar(select(found)))
