"""Verdicts: accepting and rejecting acquisitions by hand (BY-09), apart from rules and from failures."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from athena.contract.audit import AuditAction
from athena.contract.events import EventKind
from athena.contract.people import Principal
from athena.contract.verdicts import RunVerdicts, Verdict, VerdictChange, VerdictKind
from athena.db.acquisitions import AcquisitionRow, VerdictRow, bump_version
from athena.db.base import now
from athena.db.events import append_event
from athena.errors import NotFound
from athena.services.audit import record
from athena.services.guard import get_visible_run, require_writer

_AT_ONCE = 500
"""Indices named in one statement."""
_AUDITED = 50
"""Indices the audit trail names; of more it gives the number."""


def get_verdicts(session: Session, principal: Principal, run_id: UUID) -> RunVerdicts:
    """Every verdict on a run's acquisitions, by index."""
    get_visible_run(session, principal, run_id)
    rows = session.scalars(select(VerdictRow).where(VerdictRow.run_id == run_id).order_by(VerdictRow.index))
    return RunVerdicts(
        run_id=run_id,
        verdicts=tuple(
            Verdict(index=row.index, verdict=VerdictKind(row.verdict), username=row.username, time=row.time)
            for row in rows
        ),
    )


def give_verdict(session: Session, principal: Principal, run_id: UUID, change: VerdictChange) -> RunVerdicts:
    """Accept or reject acquisitions for everyone, or take that back; NotFound when one of them is not there."""
    element = require_writer(session, principal, run_id)
    get_visible_run(session, principal, run_id)
    indices = sorted(set(change.indices))
    version = bump_version(session, run_id)  # first: it serialises those who judge the same run
    for first in range(0, len(indices), _AT_ONCE):
        _judge(session, principal, run_id, indices[first : first + _AT_ONCE], change.verdict)
    record(
        session,
        principal,
        AuditAction.VERDICT_GIVEN,
        element,
        verdict=change.verdict.value if change.verdict is not None else None,
        count=len(indices),
        indices=indices[:_AUDITED],
    )
    session.flush()
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    return get_verdicts(session, principal, run_id)


def judged(
    session: Session, run_id: UUID, start: int = 0, stop: int | None = None
) -> dict[VerdictKind, NDArray[np.int64]]:
    """Indices from ``start`` to ``stop`` (not included; None: the last) that were accepted, and rejected.

    For services and jobs past their guard.
    """
    here = select(VerdictRow.index, VerdictRow.verdict).where(VerdictRow.run_id == run_id, VerdictRow.index >= start)
    if stop is not None:
        here = here.where(VerdictRow.index < stop)
    rows = session.execute(here.order_by(VerdictRow.index)).all()
    return {
        kind: np.array([index for index, verdict in rows if verdict == kind.value], dtype=np.int64)
        for kind in VerdictKind
    }


def verdicts_mark(session: Session, run_id: UUID) -> str:
    """A word that differs when any verdict on the run differs: how many there are, and when the last was given.

    For services past their guard.
    """
    here = select(func.count(), func.max(VerdictRow.time)).where(VerdictRow.run_id == run_id)
    count, last = session.execute(here).one()
    return f"{count}/{last.isoformat()}" if count else ""


def _judge(
    session: Session, principal: Principal, run_id: UUID, indices: list[int], verdict: VerdictKind | None
) -> None:
    these = AcquisitionRow.index.in_(indices)
    known = session.scalar(
        select(func.count()).select_from(AcquisitionRow).where(AcquisitionRow.run_id == run_id, these)
    )
    if known != len(indices):
        raise NotFound(f"Some of the acquisitions {indices[0]} to {indices[-1]} are not in the run {run_id}.")
    session.execute(delete(VerdictRow).where(VerdictRow.run_id == run_id, VerdictRow.index.in_(indices)))
    if verdict is not None:
        time = now()
        session.add_all(
            VerdictRow(run_id=run_id, index=index, verdict=verdict.value, username=principal.username, time=time)
            for index in indices
        )
