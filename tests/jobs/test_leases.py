"""Leases: one holder at a time, taken over from the silent and the dead."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from athena.contract.jobs import JobState
from athena.db.acquisitions import SourceRow
from athena.db.base import now
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.jobs.leases import (
    JobLease,
    LeaseLost,
    hold,
    owner_is_gone,
    owner_name,
    release,
    take_job,
    take_source,
)


@pytest.fixture
def run_id(attach: Callable[..., object], tmp_path: Path) -> UUID:
    return attach(tmp_path).id  # type: ignore[attr-defined, no-any-return]


def _take(database: Database, owner: str) -> JobLease | None:
    with database.session() as session:
        return take_job(session, owner=owner, seconds=60)


@pytest.mark.feature("EQ-01")
def test_one_of_two_gets_the_job(database: Database, run_id: UUID) -> None:
    mine = _take(database, "there:1:0:a")
    assert mine is not None
    assert mine.run_id == run_id
    assert _take(database, "elsewhere:1:0:b") is None
    assert _take(database, "there:1:0:a") is None
    with database.session() as session:
        release(session, mine)
    assert _take(database, "elsewhere:1:0:b") is not None


def test_the_word_of_one_who_was_overtaken_is_void(database: Database, run_id: UUID) -> None:
    stale = _take(database, "there:1:0:a")
    assert stale is not None
    with database.session() as session:
        session.get_one(JobRow, stale.job_id).lease_until = now() - timedelta(seconds=1)
    fresh = _take(database, "elsewhere:1:0:b")
    assert fresh is not None
    assert fresh.fence == stale.fence + 1
    with database.session() as session, pytest.raises(LeaseLost):
        hold(session, stale)
    with database.session() as session:
        release(session, stale)  # does nothing
        hold(session, fresh)
        assert session.get_one(JobRow, fresh.job_id).lease_owner == "elsewhere:1:0:b"


def test_a_job_called_off_is_not_held_any_more(database: Database, run_id: UUID) -> None:
    mine = _take(database, "there:1:0:a")
    assert mine is not None
    with database.session() as session:
        session.get_one(JobRow, mine.job_id).state = JobState.CANCELLED.value
    with database.session() as session, pytest.raises(LeaseLost):
        hold(session, mine)
    assert _take(database, "elsewhere:1:0:b") is None


def test_a_dead_process_of_this_machine_is_overtaken_at_once(database: Database, run_id: UUID) -> None:
    code = "from athena.jobs.leases import owner_name; print(owner_name(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env=os.environ.copy()
    ) as other:
        assert other.stdout is not None
        owner = other.stdout.readline().strip()
        assert not owner_is_gone(owner)
        with database.session() as session:
            source = take_source(session, owner=owner, seconds=3600)
        assert source is not None
        assert _take(database, owner) is not None
        assert _take(database, owner_name()) is None
        other.kill()
    assert owner_is_gone(owner)
    assert _take(database, owner_name()) is not None
    with database.session() as session:
        taken = take_source(session, owner=owner_name(), seconds=3600)
        assert taken is not None
        assert session.get_one(SourceRow, run_id).lease_owner == taken.owner
        with pytest.raises(LeaseLost):
            hold(session, source)


def test_owners_elsewhere_are_never_presumed_dead() -> None:
    assert not owner_is_gone("another-machine.1:1:0.00:abcd")
    assert not owner_is_gone("nonsense")
