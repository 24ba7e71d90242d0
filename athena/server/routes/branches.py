"""Branches of a run's results. They are made and deleted by jobs: ``reprocess`` and ``delete_branch``."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from athena.contract.branches import Branch, BranchComparison
from athena.server.caller import CallerDep
from athena.services import branches, promotion

router = APIRouter(prefix="/runs/{run_id}/branches", tags=["runs"])

Name = Annotated[str, Path(max_length=100, description="Name of the branch.")]
Other = Annotated[str | None, Query(max_length=100, description="Left out: the default branch.")]


@router.get("")
def list_branches(caller: CallerDep, run_id: UUID) -> tuple[Branch, ...]:
    """List the branches of a run's results, oldest first."""
    with caller.reading() as session:
        return branches.list_branches(session, caller.principal, run_id)


@router.post("/{name}/promote")
def promote_branch(caller: CallerDep, run_id: UUID, name: Name) -> tuple[Branch, ...]:
    """Make a branch the default one; what it has not processed is processed next."""
    with caller.writing() as session:
        return promotion.promote(session, caller.principal, run_id, name)


@router.get("/{name}/comparison")
def compare_branches(caller: CallerDep, run_id: UUID, name: Name, *, other: Other = None) -> BranchComparison:
    """Compare the metrics of a branch with those of another."""
    with caller.reading() as session:
        return branches.compare(session, caller.principal, run_id, name, other, settings=caller.settings)
