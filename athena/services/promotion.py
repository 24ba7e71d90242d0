"""Promoting a branch of results: making it the one that everything shows (BY-06)."""

from uuid import UUID

from sqlalchemy import delete, exists, insert, literal, null, or_, select, update
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.audit import AuditAction
from athena.contract.branches import Branch
from athena.contract.events import EventKind
from athena.contract.jobs import JobKind, JobState
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow, RunRow, bump_version
from athena.db.base import now
from athena.db.branches import BranchAcquisitionRow, BranchRow, Results, of_branch
from athena.db.elements import ElementRow
from athena.db.events import append_event
from athena.db.jobs import JobRow, processing_job, reopen_processing
from athena.db.user_metrics import wake_user_metrics
from athena.domain.job_life import OPEN
from athena.errors import Conflict
from athena.services.audit import record
from athena.services.branches import list_branches
from athena.services.guard import get_visible_run, require_writer
from athena.services.results import find_results
from athena.services.statuses import follow_acquisitions

_OPEN = tuple(state.value for state in OPEN)


def promote(session: Session, principal: Principal, run_id: UUID, name: str) -> tuple[Branch, ...]:
    """Make a branch the run's default one: what it has not processed is processed next, with its parameters.

    Nothing is lost: what was the default stays as a branch. Raises NotFound, Forbidden, or Conflict (an export or
    cleanup of the run is under way).
    """
    element = require_writer(session, principal, run_id)
    run = get_visible_run(session, principal, run_id)
    # the order in which the collector and the registrar lock too
    session.execute(processing_job(run_id).with_for_update())
    wake_user_metrics(session, run_id)
    session.refresh(run, with_for_update=True)
    new = find_results(session, run, name)
    if new.default:
        return list_branches(session, principal, run_id)
    _refuse_exports(session, element)
    _end_reprocessing(session, run_id, name)
    _set_aside(session, run)
    _put_forward(session, new)
    run.branch = new.number
    run.parameters = dict(session.get_one(BranchRow, (run_id, new.number)).parameters)
    record(session, principal, AuditAction.BRANCH_PROMOTED, element, branch=name)
    session.flush()
    session.expire_all()
    _take_lease_away(session, run_id)
    version = bump_version(session, run_id)
    follow_acquisitions(session, run_id)
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    append_event(session, EventKind.JOB_CHANGED, element_id=run_id)
    return list_branches(session, principal, run_id)


def _refuse_exports(session: Session, element: ElementRow) -> None:
    """Refuse with Conflict while something copies or takes away what the default branch holds."""
    kinds = (JobKind.EXPORT.value, JobKind.LIVE_EXPORT.value, JobKind.CLEANUP.value)
    busy = exists().where(JobRow.element_id == element.id, JobRow.kind.in_(kinds), JobRow.state.in_(_OPEN))
    if session.scalar(select(busy)):
        raise Conflict(
            f"“{element.name}” is being exported or cleaned up, from the branch that is the default one now.",
            hint="Wait for the end of it, or cancel it, then promote.",
        )


def _end_reprocessing(session: Session, run_id: UUID, name: str) -> None:
    """End the job that fills a branch: what is left of it is the processing's from now on."""
    mine = (JobRow.element_id == run_id, JobRow.kind == JobKind.REPROCESS.value, JobRow.state.in_(_OPEN))
    for row in session.scalars(select(JobRow).where(*mine).with_for_update()):
        if row.parameters.get("branch") == name:
            row.state, row.finished = JobState.CANCELLED.value, now()
            row.fence += 1
            row.message = "The branch became the default one; processing goes on with it."
    session.flush()


def _set_aside(session: Session, run: RunRow) -> None:
    """Keep where the acquisitions of the default branch stand, as those of any branch."""
    stands = select(
        AcquisitionRow.run_id,
        literal(run.branch),
        AcquisitionRow.index,
        AcquisitionRow.state,
        AcquisitionRow.error,
        AcquisitionRow.flags,
        AcquisitionRow.processed,
    ).where(
        AcquisitionRow.run_id == run.id,
        AcquisitionRow.state.in_((AcquisitionState.COMPLETED.value, AcquisitionState.ERROR.value)),
    )
    names = ["run_id", "number", "index", "state", "error", "flags", "processed"]
    session.execute(insert(BranchAcquisitionRow).from_select(names, stands))


def _put_forward(session: Session, new: Results) -> None:
    """Let the acquisitions stand where they stand in a branch; those it has not processed are to be processed."""
    of_run = AcquisitionRow.run_id == new.run_id
    ended = (AcquisitionState.COMPLETED.value, AcquisitionState.ERROR.value)
    there = exists().where(of_branch(new), BranchAcquisitionRow.state.in_(ended)).correlate(AcquisitionRow)
    quiet = {"synchronize_session": False}
    with_movie = AcquisitionRow.movie.is_not(None)
    session.execute(
        update(AcquisitionRow)
        .where(of_run, ~there, with_movie)
        .values(state=AcquisitionState.REGISTERED.value, error="", flags=[], processed=null(), attempts=0),
        execution_options=quiet,
    )
    # a movie that is gone cannot be processed any more
    session.execute(
        update(AcquisitionRow)
        .where(of_run, ~there, ~with_movie, AcquisitionRow.state == AcquisitionState.COMPLETED.value)
        .values(
            state=AcquisitionState.ERROR.value,
            error=f"The branch “{new.name}” has no results of it, and its movie was removed.",
        ),
        execution_options=quiet,
    )
    columns = ("state", "error", "flags", "processed")
    values = {
        name: select(getattr(BranchAcquisitionRow, name))
        .where(of_branch(new))
        .correlate(AcquisitionRow)
        .scalar_subquery()
        for name in columns
    }
    session.execute(update(AcquisitionRow).where(of_run, there).values(**values, attempts=0), execution_options=quiet)
    session.execute(
        delete(BranchAcquisitionRow).where(
            BranchAcquisitionRow.run_id == new.run_id, BranchAcquisitionRow.number == new.number
        )
    )


def _take_lease_away(session: Session, run_id: UUID) -> None:
    """Have the processing job taken up anew, with the new default: whoever works it finds its lease void."""
    if reopen_processing(session, run_id, cancelled_too=True):
        return
    session.execute(
        update(JobRow)
        .where(
            JobRow.element_id == run_id,
            JobRow.kind == JobKind.PROCESSING.value,
            or_(JobRow.state == JobState.RUNNING.value, JobRow.state == JobState.PENDING.value),
        )
        .values(fence=JobRow.fence + 1, state=JobState.PENDING.value, lease_owner=None, lease_until=None)
    )
