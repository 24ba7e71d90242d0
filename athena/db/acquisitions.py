"""Runs: their source, acquisitions, and the map of the grid they were taken on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from athena.contract.runs import RunCounts
from athena.db.base import Base, now


class RunRow(Base):
    """What a dataset that is a run has besides its element. ``version`` grows with every change of its content."""

    __tablename__ = "run"

    id: Mapped[UUID] = mapped_column(ForeignKey("element.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    acquisition_count: Mapped[int] = mapped_column(default=0)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    below_criteria: Mapped[bool] = mapped_column(default=False, server_default=false())
    branch: Mapped[int] = mapped_column(default=0, server_default="0")
    """Number of the default branch of results: ``parameters``, and the states of the acquisitions, are those of it."""
    branch_count: Mapped[int] = mapped_column(default=1, server_default="1")
    """Numbers of branches given so far; none is given twice."""


class SourceRow(Base):
    """The session folder that fills a run."""

    __tablename__ = "source"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    adapter: Mapped[str] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(Text)
    follow: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(20))
    session_name: Mapped[str] = mapped_column(String(300), default="")
    gain_reference: Mapped[str | None] = mapped_column(Text, default=None)
    gain_found: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True), default=None)
    """Of the gain reference ``gain``: its ``orientation`` and ``sense``, once a movie has told them."""
    last_scan: Mapped[datetime | None] = mapped_column(default=None)
    movies_missing: Mapped[int] = mapped_column(default=0)
    problems: Mapped[list[str]] = mapped_column(JSON, default=list)
    message: Mapped[str] = mapped_column(Text, default="")
    lease_owner: Mapped[str | None] = mapped_column(String(100), default=None)
    lease_until: Mapped[datetime | None] = mapped_column(default=None)


class AcquisitionRow(Base):
    """One acquisition. ``(run_id, index)`` joins it to the run's zarr arrays; ``name`` makes ingest idempotent."""

    __tablename__ = "acquisition"
    __table_args__ = (
        UniqueConstraint("run_id", "name"),
        CheckConstraint("state IN ('awaiting_movie', 'registered', 'processing', 'completed', 'error')", name="state"),
        CheckConstraint('"index" >= 0', name="index_not_negative"),
        Index("ix_acquisition_state", "run_id", "state", "index"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20))
    error: Mapped[str] = mapped_column(Text, default="")
    acquired: Mapped[datetime | None] = mapped_column(default=None)
    registered: Mapped[datetime] = mapped_column(default=now)
    processed: Mapped[datetime | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    movie: Mapped[str | None] = mapped_column(Text, default=None)
    files: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    optics: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    stage: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    grid_square_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    foil_hole_id: Mapped[int | None] = mapped_column(BigInteger, default=None)
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)


class AtlasRow(Base):
    """A grid atlas seen by a run; ``detail`` is the rest of the adapter's record."""

    __tablename__ = "atlas"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    atlas_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class GridSquareRow(Base):
    """A grid square of a run."""

    __tablename__ = "grid_square"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    square_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    atlas_id: Mapped[str] = mapped_column(String(200), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class FoilHoleRow(Base):
    """A foil hole of a run."""

    __tablename__ = "foil_hole"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    hole_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    square_id: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class RunFilterRow(Base):
    """The filter saved for a run; ``rules`` are those of ``athena.contract.filters``."""

    __tablename__ = "run_filter"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class RunCriteriaRow(Base):
    """Quality criteria set for a run; ``rules`` are those of ``athena.contract.filters``."""

    __tablename__ = "run_criteria"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class VerdictRow(Base):
    """What a person said of an acquisition by hand."""

    __tablename__ = "verdict"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "index"], ["acquisition.run_id", "acquisition.index"], ondelete="CASCADE"),
        CheckConstraint("verdict IN ('accepted', 'rejected')", name="verdict"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    verdict: Mapped[str] = mapped_column(String(10))
    username: Mapped[str] = mapped_column(String(200))
    time: Mapped[datetime] = mapped_column(default=now)


def bump_version(session: Session, run_id: UUID) -> int:
    """Count one more change of the run, once a transaction; returns the new version. It locks the run's row."""
    version: int | None = session.scalar(
        update(RunRow).where(RunRow.id == run_id).values(version=RunRow.version + 1).returning(RunRow.version)
    )
    if version is None:
        raise LookupError(f"run {run_id} has gone")
    return version


def count_states(session: Session, run_id: UUID) -> RunCounts:
    """How many acquisitions of the run stand where."""
    rows = session.execute(
        select(AcquisitionRow.state, func.count()).where(AcquisitionRow.run_id == run_id).group_by(AcquisitionRow.state)
    )
    counts: dict[str, int] = {state: count for state, count in rows}  # noqa: C416 - rows are not tuples to mypy
    return RunCounts(total=sum(counts.values()), **counts)
