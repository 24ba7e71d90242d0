"""The collector: the only writer of a run's columns, states and results."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.events import EventKind
from athena.contract.processing import MovieResult
from athena.contract.runs import RunCounts
from athena.db.acquisitions import AcquisitionRow, SourceRow, bump_version, count_states
from athena.db.base import now
from athena.db.branches import default_branch
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.db.user_metrics import wake_user_metrics
from athena.domain.ice import relative_thickness
from athena.domain.optics_groups import group_by_beam_shift
from athena.domain.readable import count
from athena.errors import AthenaError
from athena.jobs.leases import JobLease, hold
from athena.jobs.work import Outcome, explain_os_error
from athena.services.criteria import judge_latest
from athena.services.statuses import follow_acquisitions
from athena.settings import Settings
from athena.zarrio.reader import read_table
from athena.zarrio.writer import RunWriter

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Collected:
    """What one call recorded."""

    completed: int = 0
    failed: int = 0
    requeued: int = 0


def collect(
    session: Session,
    lease: JobLease,
    outcomes: Sequence[Outcome],
    *,
    settings: Settings,
    storage_away: Callable[[], bool],
) -> Collected:
    """Record outcomes: arrays, then rows, then events, in one transaction under the job's lock.

    Outcomes of acquisitions that are not being processed (reported twice, or taken back) are passed over.

    Parameters
    ----------
    settings : say where the run's zarr group lies, and what a good acquisition is.
    storage_away : whether the folder of the movies is out of reach, so that failures say nothing about movies.

    Raises
    ------
    LeaseLost
        when another runner has taken over: nothing is recorded.
    """
    hold(session, lease)
    store = str(settings.run_store(str(lease.run_id), default_branch(session, lease.run_id)))
    by_index = {outcome.index: outcome for outcome in outcomes}
    rows = session.scalars(
        select(AcquisitionRow).where(
            AcquisitionRow.run_id == lease.run_id,
            AcquisitionRow.index.in_(by_index),
            AcquisitionRow.state == AcquisitionState.PROCESSING.value,
        )
    ).all()
    results = [completed_metrics(o.result, row) for row in rows if (o := by_index[row.index]).result is not None]
    refused = write_columns(store, results)
    if len(refused) < len(results):
        write_run_columns(session, lease.run_id, store)
    failures = {o.index: o.error for o in outcomes if o.error} | refused
    away = bool(failures) and storage_away()
    events: list[tuple[EventKind, int]] = []
    requeued = 0
    for row in rows:
        outcome = by_index[row.index]
        reason = failures.get(row.index, "")
        if outcome.lost or (away and reason):
            row.state = AcquisitionState.REGISTERED.value
            requeued += 1
            continue
        row.processed = now()
        row.error = reason
        if reason:
            log.warning(
                "acquisition %d (%s) of run %s: %s\n%s", row.index, row.name, lease.run_id, reason, outcome.trace
            )
            row.state = AcquisitionState.ERROR.value
            events.append((EventKind.ACQUISITION_FAILED, row.index))
        else:
            assert outcome.result is not None
            row.state = AcquisitionState.COMPLETED.value
            row.flags = list(outcome.result.flags)
            events.append((EventKind.ACQUISITION_COMPLETED, row.index))
    if rows:
        _remember_gain(session, lease.run_id, results)
        session.flush()
        record_progress(session, lease)
        wake_user_metrics(session, lease.run_id)
        version = bump_version(session, lease.run_id)  # before any event: events hold the clock, locks come first
        judge_latest(session, lease.run_id, settings)
        follow_acquisitions(session, lease.run_id)
        for kind, index in sorted(events, key=lambda event: event[1]):
            append_event(session, kind, element_id=lease.run_id, index=index, version=version)
        append_event(session, EventKind.RUN_CHANGED, element_id=lease.run_id, version=version)
    failed = sum(1 for kind, _ in events if kind is EventKind.ACQUISITION_FAILED)
    return Collected(completed=len(events) - failed, failed=failed, requeued=requeued)


def _remember_gain(session: Session, run_id: UUID, results: Sequence[MovieResult]) -> None:
    """Keep how the gain reference lies, so that it is measured once a run and not on every movie."""
    source = session.get(SourceRow, run_id)
    if source is None or source.gain_reference is None:
        return
    if source.gain_found and source.gain_found["gain"] == source.gain_reference:
        return
    for result in results:
        fit = result.gain_fit
        if fit is not None and fit.determined and result.gain == source.gain_reference:
            source.gain_found = {
                "gain": source.gain_reference,
                "orientation": fit.orientation.value,
                "sense": fit.sense.value,
            }
            return


def record_progress(session: Session, lease: JobLease) -> RunCounts:
    """Bring the job's numbers and message up to date."""
    counts = count_states(session, lease.run_id)
    session.execute(
        update(JobRow)
        .where(JobRow.id == lease.job_id)
        .values(
            done=counts.completed + counts.error,
            total=counts.total - counts.awaiting_movie,
            message=describe_progress(counts),
        )
    )
    return counts


def describe_progress(counts: RunCounts) -> str:
    """Progress in words."""
    parts = [f"{count(counts.completed)} processed"]
    if counts.error:
        parts.append(f"{count(counts.error)} failed")
    if waiting := counts.registered + counts.processing:
        parts.append(f"{count(waiting)} to do")
    if counts.awaiting_movie:
        parts.append(f"{count(counts.awaiting_movie)} without a movie")
    return ", ".join(parts)


def completed_metrics(result: MovieResult, row: AcquisitionRow) -> MovieResult:
    """Add what the catalogue knows of an acquisition and the step cannot."""
    known = {
        "acquired_unix_s": row.acquired.timestamp() if row.acquired else None,
        "target_defocus_um": row.optics.get("target_defocus_um"),
        "dose_e_per_A2": row.optics.get("total_dose_e_per_A2"),
        "frame_count": float(result.frames),
    }
    added = {name: float(value) for name, value in known.items() if value is not None}
    return result.model_copy(update={"metrics": added | result.metrics})


def write_run_columns(session: Session, run_id: UUID, store: str) -> None:
    """Write the columns that every acquisition of a run has a part in, whole: a new one may change what others have."""
    # the database takes two numbers out of what may be much
    shift_x, shift_y = (AcquisitionRow.optics[name].as_float() for name in ("beam_shift_x", "beam_shift_y"))
    rows = session.execute(
        select(AcquisitionRow.index, shift_x, shift_y)
        .where(AcquisitionRow.run_id == run_id)
        .order_by(AcquisitionRow.index)
    ).all()
    # what is not said is NaN
    shifts = np.array([(x, y) for _, x, y in rows], dtype=np.float64)
    groups = _groups(shifts.tobytes())
    indices = [index for index, _, _ in rows]
    try:
        columns = {"optics_group": groups, "ice_relative": _relative_ice(store, max(indices) + 1)[indices]}
        RunWriter.open(store).write_metrics(indices, columns)
    except OSError as error:  # the next batch writes all of them again
        log.warning("columns of the whole of run %s could not be written: %s", run_id, explain_os_error(error))


def _relative_ice(store: str, length: int) -> NDArray[np.float64]:
    """Relative ice thickness of a run's first acquisitions, from what was measured on them."""
    names = ("mean_intensity_e_per_px", "pixel_size_angstrom", "dose_e_per_A2", "frame_count")
    intensity, pixel, dose, frames = read_table(store, names, 0, length).values()
    return relative_thickness(intensity, pixel, dose / frames)


@lru_cache(maxsize=8)
def _groups(shifts: bytes) -> NDArray[np.int64]:
    """Optics groups of beam shifts; those of a session that has ended are the same with every batch."""
    return group_by_beam_shift(np.frombuffer(shifts, dtype=np.float64).reshape(-1, 2))


def write_columns(store: str, results: Sequence[MovieResult]) -> dict[int, str]:
    """Write the columns; reasons of those that could not be, by index."""
    if not results:
        return {}
    try:
        RunWriter.open(store).write_results(results)
    except (OSError, AthenaError, ValueError) as error:
        if len(results) == 1:
            reason = explain_os_error(error) if isinstance(error, OSError) else str(error)
            return {results[0].index: f"The results could not be written. {reason}"}
    else:
        return {}
    refused: dict[int, str] = {}
    for result in results:  # find the one that is at fault
        refused |= write_columns(store, [result])
    return refused
