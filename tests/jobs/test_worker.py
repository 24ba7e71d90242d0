"""Jobs of any kind at work: progress, failures in words, retries, cancelling, and going on after a kill."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from athena.contract.elements import Element
from athena.contract.jobs import JobAction, JobState
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.db.events import EventRow
from athena.db.jobs import JobRow
from athena.domain import job_life
from athena.jobs.leases import take_job
from tests.jobs.conftest import RunsRunner, StartJob

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what takes seconds and does not hang on the database."""

Wait = Callable[..., None]


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def run(alice: Principal, make_run: Callable[..., Element]) -> Element:
    return make_run(alice)


@pytest.mark.feature("JB-01")
def test_a_job_of_a_plugin_is_worked_with_its_progress(
    database: Database,
    alice: Principal,
    run: Element,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    job = start_job(alice, "count", run, file=str(tmp_path / "numbers"), to=20)
    waiting = job.now()
    assert (waiting.label, waiting.state, waiting.unit, waiting.element_name) == (
        "Counting",
        "pending",
        "numbers",
        "Run",
    )
    assert waiting.result == {"planned": 20}
    assert waiting.actions == (JobAction.CANCEL,)
    with running():
        wait_for(job.ended)
    done = job.now()
    assert (done.state, done.done, done.total, done.attempts) == (JobState.FINISHED, 20, 20, 1)
    assert done.result == {"planned": 20, "file": str(tmp_path / "numbers")}
    assert done.started is not None
    assert done.finished is not None
    assert done.actions == (JobAction.REMOVE,)
    assert (tmp_path / "numbers").read_text().split() == [str(n) for n in range(20)]
    with database.session(read_only=True) as session:
        kinds = [event.kind for event in session.query(EventRow).filter_by(element_id=run.id)]
        assert kinds.count("job.changed") >= 2
        row = session.get_one(JobRow, job.id)
        assert (row.lease_owner, row.lease_until) == (None, None)


@pytest.mark.feature("JB-04")
def test_a_failure_names_the_reason_and_the_item_and_a_retry_goes_on_from_there(
    database: Database,
    alice: Principal,
    run: Element,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    file = tmp_path / "numbers"
    job = start_job(alice, "count", run, file=str(file), to=10, fail_at=7)
    with running():
        wait_for(job.ended)
        failed = job.now()
        assert (failed.state, failed.message, failed.item) == (JobState.FAILED, "ValueError: it is unlucky", "number 7")
        assert failed.actions == (JobAction.RETRY, JobAction.REMOVE)
        with database.session() as session:
            row = session.get_one(JobRow, job.id)
            row.parameters = row.parameters | {"fail_at": None}
        again = job.retry()
        assert (again.message, again.item, again.attempts) == ("", "", 0)
        wait_for(job.ended)
    assert job.state() == "finished"
    assert file.read_text().split() == [str(n) for n in range(10)]


@pytest.mark.feature("JB-01")
def test_what_is_away_for_a_while_is_tried_again_by_itself(
    monkeypatch: pytest.MonkeyPatch,
    alice: Principal,
    run: Element,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(job_life, "FIRST_PAUSE_SECONDS", 0.2)
    job = start_job(alice, "count", run, file=str(tmp_path / "numbers"), to=10, away_at=5)
    with running():
        wait_for(lambda: "is tried again" in job.now().message)
        (tmp_path / "numbers.back").touch()
        wait_for(job.ended)
    assert (job.state(), job.now().attempts) == ("finished", 2)
    # and not for ever
    second = start_job(alice, "count", run, file=str(tmp_path / "others"), to=10, away_at=5)
    with running():
        wait_for(second.ended)
    assert (second.state(), second.now().attempts) == ("failed", 3)
    assert second.now().message == "The storage is away."


@pytest.mark.feature("JB-03")
def test_a_cancelled_job_ends_soon_and_tidies_up(
    alice: Principal, run: Element, start_job: StartJob, running: RunsRunner, wait_for: Wait, tmp_path: Path
) -> None:
    file = tmp_path / "numbers"
    job = start_job(alice, "count", run, file=str(file), to=100_000, pause=0.05)
    with running():
        wait_for(lambda: job.now().done > 2)
        asked = job.cancel()
        assert (asked.state, asked.cancelling) == (JobState.RUNNING, True)
        assert JobAction.CANCEL not in asked.actions
        wait_for(job.ended)
    ended = job.now()
    assert (ended.state, ended.cancelling, ended.message) == (JobState.CANCELLED, False, "Cancelled.")
    assert not file.exists()


@SQLITE
@pytest.mark.feature("JB-01")
def test_a_killed_runner_is_followed_by_another_which_goes_on(
    alice: Principal,
    run: Element,
    start_job: StartJob,
    runner_process: Callable[[], "subprocess.Popen[bytes]"],
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    file = tmp_path / "numbers"
    job = start_job(alice, "count", run, file=str(file), to=60, pause=0.02)
    first = runner_process()
    wait_for(lambda: job.now().done >= 5)
    first.kill()
    first.wait()
    got_to = job.now().done
    assert got_to < 60
    with running():
        wait_for(job.ended)
    assert (job.state(), job.now().attempts) == ("finished", 2)
    numbers = [int(line) for line in file.read_text().split()]
    assert sorted(set(numbers)) == list(range(60))
    assert len(numbers) <= 61  # at most the one that was being written when it was killed


@pytest.mark.feature("JB-03")
def test_a_job_cancelled_while_no_runner_lives_is_called_off_by_the_next(
    database: Database,
    alice: Principal,
    run: Element,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    file = tmp_path / "numbers"
    job = start_job(alice, "count", run, file=str(file), to=100_000, pause=0.02)
    file.write_text("0\n")
    with database.session() as session:
        assert take_job(session, owner="elsewhere:1:0:a", seconds=-1.0, kinds=("count",)) is not None
    job.cancel()
    assert (job.state(), file.exists()) == ("running", True)
    with running():
        wait_for(job.ended)
    assert job.state() == "cancelled"
    assert not file.exists()


def test_a_job_goes_on_after_its_runner_was_stopped_and_that_is_no_failure(
    alice: Principal, run: Element, start_job: StartJob, running: RunsRunner, wait_for: Wait, tmp_path: Path
) -> None:
    job = start_job(alice, "count", run, file=str(tmp_path / "numbers"), to=100, pause=0.01)
    for _ in range(3):
        before = job.now().done
        with running():
            wait_for(lambda before=before: job.now().done > before)
    with running():
        wait_for(job.ended)
    assert (job.state(), job.now().attempts) == ("finished", 1)
    assert (tmp_path / "numbers").read_text().split() == [str(n) for n in range(100)]


def test_a_job_that_brings_down_its_runner_is_given_up(
    database: Database,
    alice: Principal,
    run: Element,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    job = start_job(alice, "count", run, file=str(tmp_path / "numbers"), to=5)
    with database.session() as session:
        session.get_one(JobRow, job.id).attempts = 20
    with running():
        wait_for(job.ended)
    assert job.state() == "failed"
    assert "20 times" in job.now().message
    assert not (tmp_path / "numbers").exists()


def test_waiting_jobs_do_not_keep_others_from_their_turn(
    database: Database,
    make_user: Callable[..., Principal],
    run: Element,
    alice: Principal,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    admin = make_user("carol", admin=True)
    waiting = [start_job(admin, "watching", None) for _ in range(6)]
    job = start_job(alice, "count", run, file=str(tmp_path / "numbers"), to=5)
    with running():
        wait_for(lambda: all(one.state() == "running" for one in waiting))
        wait_for(job.ended)
        for one in waiting:
            one.cancel()
        wait_for(lambda: all(one.state() == "cancelled" for one in waiting))
    assert job.state() == "finished"
