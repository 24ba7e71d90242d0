"""Trying failed acquisitions again, once what was in their way is gone."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow, RunRow, bump_version
from athena.db.events import append_event
from athena.db.jobs import processing_job, reopen_processing
from athena.services.audit import record
from athena.services.guard import get_visible_run, require_writer
from athena.services.statuses import follow_acquisitions


def retry_failed(session: Session, principal: Principal, run_id: UUID) -> int:
    """Make the failed acquisitions of a run ready to process again; returns how many.

    Those that failed without ever having had a movie stay as they are. Raises NotFound, Forbidden.
    """
    element = require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    # the order in which the collector and the registrar lock too
    session.execute(processing_job(run_id).with_for_update())
    session.execute(select(RunRow.id).where(RunRow.id == run_id).with_for_update())
    failed = session.scalars(
        select(AcquisitionRow)
        .where(
            AcquisitionRow.run_id == run_id,
            AcquisitionRow.state == AcquisitionState.ERROR.value,
            AcquisitionRow.movie.is_not(None),
        )
        .order_by(AcquisitionRow.index)
    ).all()
    if not failed:
        return 0
    for row in failed:
        row.state = AcquisitionState.REGISTERED.value
        row.error = ""
        row.flags = []
        row.attempts = 0
    record(session, principal, AuditAction.RETRIED, element, acquisitions=len(failed))
    session.flush()
    reopened = reopen_processing(session, run_id)
    version = bump_version(session, run_id)
    follow_acquisitions(session, run_id)
    for row in failed:
        append_event(session, EventKind.ACQUISITION_REGISTERED, element_id=run_id, index=row.index, version=version)
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    if reopened:
        append_event(session, EventKind.JOB_CHANGED, element_id=run_id)
    return len(failed)
