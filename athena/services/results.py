"""Which of a run's results a request means."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.branches import FIRST
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow, RunRow
from athena.db.branches import BranchAcquisitionRow, BranchRow, Results, of_branch
from athena.errors import NotFound
from athena.services.guard import get_visible_run
from athena.settings import Settings


def find_results(session: Session, run: RunRow, branch: str | None) -> Results:
    """Results that a name means; None: the default ones. NotFound. For services past their guard."""
    if branch is None:
        return Results(run.id, run.branch, "", default=True)
    row = session.scalar(select(BranchRow).where(BranchRow.run_id == run.id, BranchRow.name == branch))
    if row is None and branch == FIRST and run.branch_count == 1:
        return Results(run.id, 0, FIRST, default=True)
    if row is None or row.deleting:
        raise NotFound(f"The run has no branch “{branch}”.", hint="run.branches lists those it has.")
    return results_in(run, row)


def results_by_number(session: Session, run: RunRow, number: int) -> Results:
    """Results of a branch that was settled before; NotFound where it has been deleted since. For jobs."""
    if number == run.branch:
        return Results(run.id, number, "", default=True)
    row = session.get(BranchRow, (run.id, number))
    if row is None or row.deleting:
        raise NotFound("The branch of results was deleted.", hint="Export another.")
    return results_in(run, row)


def results_in(run: RunRow, row: BranchRow) -> Results:
    """Results of a branch."""
    return Results(run.id, row.number, row.name, default=row.number == run.branch)


def visible_results(session: Session, principal: Principal, run_id: UUID, branch: str | None) -> Results:
    """Results of a run that the caller may see, by the name of a branch; NotFound."""
    return find_results(session, get_visible_run(session, principal, run_id), branch)


def store_of(results: Results, settings: Settings) -> Path:
    """Folder of their zarr group."""
    return settings.run_store(str(results.run_id), results.number)


def parameters_of(session: Session, results: Results) -> dict[str, Any]:
    """Parameters that people set, which the results were made with."""
    if results.default:
        return dict(session.get_one(RunRow, results.run_id).parameters)
    return dict(session.get_one(BranchRow, (results.run_id, results.number)).parameters)


def standing_rows(session: Session, results: Results) -> list[AcquisitionRow]:
    """Acquisitions by index with state, error, flags and time of processing as they stand in results.

    Those that a branch was not given are left out. Of another branch than the default one they are copies that belong
    to no session: what is written to them changes nothing.
    """
    query = select(AcquisitionRow).where(AcquisitionRow.run_id == results.run_id).order_by(AcquisitionRow.index)
    if results.default:
        return list(session.scalars(query))
    joined = query.join(BranchAcquisitionRow, of_branch(results)).add_columns(BranchAcquisitionRow)
    return [_standing(row, there) for row, there in session.execute(joined)]


def as_they_stand(session: Session, results: Results, rows: Sequence[AcquisitionRow]) -> list[AcquisitionRow]:
    """The same acquisitions as they stand in results; what these were not given is LEFT_OUT. Copies, as above."""
    if results.default:
        return list(rows)
    of_these = (
        BranchAcquisitionRow.run_id == results.run_id,
        BranchAcquisitionRow.number == results.number,
        BranchAcquisitionRow.index.in_([row.index for row in rows]),
    )
    there = {one.index: one for one in session.scalars(select(BranchAcquisitionRow).where(*of_these))}
    return [_standing(row, there.get(row.index)) for row in rows]


def _standing(row: AcquisitionRow, there: BranchAcquisitionRow | None) -> AcquisitionRow:
    kept = {column.key: getattr(row, column.key) for column in inspect(AcquisitionRow).column_attrs}
    if there is None:
        return AcquisitionRow(
            **kept | {"state": AcquisitionState.LEFT_OUT.value, "error": "", "flags": [], "processed": None}
        )
    return AcquisitionRow(**kept | {name: getattr(there, name) for name in ("state", "error", "flags", "processed")})
