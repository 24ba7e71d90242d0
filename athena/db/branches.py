"""Branches of results (ADR 0140): the default one's states stand on the acquisitions, those of the others here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    false,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from athena.contract.acquisitions import AcquisitionState
from athena.contract.runs import RunCounts
from athena.db.acquisitions import AcquisitionRow, RunRow, count_states
from athena.db.base import Base, now


class BranchRow(Base):
    """One set of results. Number 0 is what the run began with; its row is made when a second one is."""

    __tablename__ = "branch"
    __table_args__ = (UniqueConstraint("run_id", "name"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    creator_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), default=None)
    created: Mapped[datetime] = mapped_column(default=now)
    deleting: Mapped[bool] = mapped_column(default=False, server_default=false())


class BranchAcquisitionRow(Base):
    """Where an acquisition stands in a branch that is not the default."""

    __tablename__ = "branch_acquisition"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "number"], ["branch.run_id", "branch.number"], ondelete="CASCADE"),
        Index("ix_branch_acquisition_state", "run_id", "number", "state", "index"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(20))
    error: Mapped[str] = mapped_column(Text, default="")
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)
    processed: Mapped[datetime | None] = mapped_column(default=None)


@dataclass(frozen=True)
class Results:
    """Which results of a run are meant."""

    run_id: UUID
    number: int
    name: str
    default: bool


def default_branch(session: Session, run_id: UUID) -> int:
    """Number of a run's default branch."""
    return session.scalars(select(RunRow.branch).where(RunRow.id == run_id)).one()


def of_branch(results: Results) -> ColumnElement[bool]:
    """Condition that joins acquisitions with their rows in a branch."""
    return and_(
        BranchAcquisitionRow.run_id == AcquisitionRow.run_id,
        BranchAcquisitionRow.index == AcquisitionRow.index,
        BranchAcquisitionRow.number == results.number,
    )


def standing(results: Results) -> Select[int, str, str, str]:
    """Select index, name, state and error of a run's acquisitions; what a branch does not have is left out."""
    whole = AcquisitionRow.run_id == results.run_id
    if results.default:
        return select(AcquisitionRow.index, AcquisitionRow.name, AcquisitionRow.state, AcquisitionRow.error).where(
            whole
        )
    state, error = state_in(results), func.coalesce(BranchAcquisitionRow.error, "")
    return (
        select(AcquisitionRow.index, AcquisitionRow.name, state, error)
        .outerjoin(BranchAcquisitionRow, of_branch(results))
        .where(whole)
    )


def state_in(results: Results) -> ColumnElement[str]:
    """State of an acquisition in a branch; of another than the default it is joined by ``of_branch``."""
    if results.default:
        return AcquisitionRow.state.expression
    return func.coalesce(BranchAcquisitionRow.state, literal(AcquisitionState.LEFT_OUT.value))


def completed(results: Results) -> Select[int]:
    """Select the indices of processed acquisitions."""
    table = AcquisitionRow if results.default else BranchAcquisitionRow
    query = select(table.index).where(table.run_id == results.run_id, table.state == AcquisitionState.COMPLETED.value)
    return query if results.default else query.where(BranchAcquisitionRow.number == results.number)


def count_branch(session: Session, results: Results) -> RunCounts:
    """How many acquisitions of a branch stand where."""
    if results.default:
        return count_states(session, results.run_id)
    rows = session.execute(
        select(BranchAcquisitionRow.state, func.count())
        .where(BranchAcquisitionRow.run_id == results.run_id, BranchAcquisitionRow.number == results.number)
        .group_by(BranchAcquisitionRow.state)
    )
    counts: dict[str, int] = {state: count for state, count in rows}  # noqa: C416 - rows are not tuples to mypy
    return RunCounts(total=sum(counts.values()), **counts)
