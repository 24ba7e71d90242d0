"""Which of a run's results a request means."""

from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

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
    names = [column.key for column in inspect(AcquisitionRow).column_attrs]
    rows = []
    for row, there in session.execute(
        query.join(BranchAcquisitionRow, of_branch(results)).add_columns(BranchAcquisitionRow)
    ):
        standing = {name: getattr(there, name) for name in ("state", "error", "flags", "processed")}
        rows.append(AcquisitionRow(**{name: getattr(row, name) for name in names} | standing))
    return rows
