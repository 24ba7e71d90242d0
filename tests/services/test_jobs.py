"""Starting and steering jobs: who may, on what, with which parameters; and what others see of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from athena.contract.elements import Element
from athena.contract.jobs import Job, JobAction, JobCreate, JobState
from athena.contract.people import Principal, Role
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import jobs
from athena.services.job_kinds import installed_kinds
from athena.settings import Settings

PLUGIN = Path(__file__).resolve().parent.parent / "jobs" / "plugin"
Start = Callable[..., Job]


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def bob(make_user: Callable[..., Principal], alice: Principal) -> Principal:
    return make_user("bob")


@pytest.fixture
def admin(make_user: Callable[..., Principal]) -> Principal:
    return make_user("carol", admin=True)


@pytest.fixture
def run(alice: Principal, make_run: Callable[..., Element]) -> Element:
    return make_run(alice, "Secret run")


@pytest.fixture
def start(database: Database, settings: Settings, tmp_path: Path) -> Start:
    def begin(user: Principal, kind: str, element: Element | None, **parameters: Any) -> Job:
        if kind == "count":
            parameters = {"file": str(tmp_path / "numbers"), "to": 5} | parameters
        wanted = JobCreate(kind=kind, element_id=element.id if element else None, parameters=parameters)
        with database.session() as session:
            return jobs.start_job(session, user, wanted, settings=settings)

    return begin


def set_state(database: Database, job: Job, state: JobState) -> None:
    with database.session() as session:
        session.get_one(JobRow, job.id).state = state.value


def seen(database: Database, user: Principal) -> dict[object, Job]:
    with database.session(read_only=True) as session:
        return {job.id: job for job in jobs.list_jobs(session, user)}


def count(database: Database) -> int:
    with database.session(read_only=True) as session:
        return session.query(JobRow).count()


@pytest.mark.feature("JB-01")
def test_kinds_come_from_packages_and_a_faulty_one_harms_nobody(alice: Principal, admin: Principal) -> None:
    assert {"processing", "delete", "count", "watching"} <= set(installed_kinds())
    assert "faulty" not in installed_kinds()
    offered = {kind.name: kind for kind in jobs.list_kinds(alice)}
    assert "processing" not in offered
    assert "watching" not in offered
    assert "watching" in {kind.name for kind in jobs.list_kinds(admin)}
    assert offered["count"].parameters["properties"]["to"]["maximum"] == 1_000_000
    assert [kind.value for kind in offered["count"].elements] == ["dataset"]


@pytest.mark.feature("JB-01")
def test_what_may_not_be_started_is_not(
    database: Database,
    alice: Principal,
    bob: Principal,
    run: Element,
    start: Start,
    grant: Callable[..., None],
    tmp_path: Path,
    make_folder: Callable[..., Element],
) -> None:
    for user, kind, element, parameters, error, words in (
        (bob, "count", run, {}, NotFound, "no element"),
        (bob, "nothing_of_that_name", run, {}, NotFound, "no element"),
        (alice, "nothing_of_that_name", run, {}, Invalid, "no job kind"),
        (alice, "faulty", run, {}, Invalid, "faulty"),
        (alice, "processing", run, {}, Invalid, "not started by people"),
        (alice, "count", None, {}, Invalid, "needs an element"),
        (alice, "count", make_folder(alice), {}, Invalid, "is a folder"),
        (alice, "count", run, {"to": 0}, Invalid, "to: "),
        (alice, "count", run, {"unknown": 1}, Invalid, "unknown"),
        (alice, "watching", None, {}, Forbidden, "administrators"),
        (alice, "count", run, {"file": str(tmp_path)}, Conflict, "already"),
    ):
        with pytest.raises(error, match=words):
            start(user, kind, element, **parameters)
    grant(run, bob, Role.VIEWER)
    with pytest.raises(Forbidden):
        start(bob, "count", run)
    assert count(database) == 0
    grant(run, bob, Role.COLLABORATOR)
    assert start(bob, "count", run).initiator == "bob"


@pytest.mark.feature("JB-01")
def test_one_of_a_slot_at_a_time(
    database: Database, alice: Principal, run: Element, start: Start, make_run: Callable[..., Element]
) -> None:
    first = start(alice, "count", run)
    with pytest.raises(Conflict, match="Counting"):
        start(alice, "count", run)
    start(alice, "count", make_run(alice))  # another's turn is its own
    with database.session() as session:
        jobs.cancel_job(session, alice, first.id)
    second = start(alice, "count", run)
    with database.session() as session, pytest.raises(Conflict, match="Another job"):
        jobs.retry_job(session, alice, first.id)
    set_state(database, second, JobState.FINISHED)
    with database.session() as session:
        assert jobs.retry_job(session, alice, first.id).state is JobState.PENDING


@pytest.mark.feature("JB-02")
def test_everyone_sees_open_jobs_and_ended_ones_only_who_started_them(
    database: Database,
    alice: Principal,
    bob: Principal,
    admin: Principal,
    run: Element,
    start: Start,
    grant: Callable[..., None],
) -> None:
    job = start(alice, "count", run)
    with database.session() as session:
        row = session.get_one(JobRow, job.id)
        row.message, row.item, row.result = "of Secret run", "Secret item", {"path": "Secret path"}
        row.state, row.done, row.total = "running", 3, 5
    masked = seen(database, bob)[job.id]
    assert (masked.element_name, masked.element_id) == ("Private entity", None)
    assert (masked.label, masked.state, masked.done, masked.total) == ("Counting", JobState.RUNNING, 3, 5)
    assert "Secret" not in masked.model_dump_json()
    assert str(run.id) not in masked.model_dump_json()
    assert masked.actions == ()
    for user in (alice, admin):
        assert seen(database, user)[job.id].element_name == "Secret run"
        assert seen(database, user)[job.id].actions == (JobAction.CANCEL,)
    set_state(database, job, JobState.FAILED)
    assert job.id not in seen(database, bob)
    assert seen(database, admin)[job.id].actions == seen(database, alice)[job.id].actions
    with database.session(read_only=True) as session, pytest.raises(NotFound):
        jobs.get_job(session, bob, job.id)
    grant(run, bob, Role.OWNER)
    assert job.id not in seen(database, bob)
    # the element goes: who started the job still knows what it was, nobody else does
    set_state(database, job, JobState.RUNNING)
    with database.session() as session:
        session.get_one(JobRow, job.id).element_id = None
    assert seen(database, alice)[job.id].element_name == "Secret run"
    assert "Secret" not in seen(database, bob)[job.id].model_dump_json()


@pytest.mark.feature("JB-03")
def test_own_jobs_are_steered_by_their_owner_and_all_by_administrators(
    database: Database,
    alice: Principal,
    bob: Principal,
    admin: Principal,
    run: Element,
    start: Start,
    grant: Callable[..., None],
) -> None:
    grant(run, bob, Role.OWNER)
    job = start(alice, "count", run)

    def act(what: Callable[..., Any], user: Principal) -> Any:
        with database.session() as session:
            return what(session, user, job.id)

    for what in (jobs.cancel_job, jobs.retry_job, jobs.remove_job):
        with pytest.raises(Forbidden):
            act(what, bob)
    with pytest.raises(Conflict):
        act(jobs.remove_job, alice)
    assert act(jobs.cancel_job, admin).state is JobState.CANCELLED
    assert act(jobs.retry_job, admin).state is JobState.PENDING
    assert act(jobs.cancel_job, alice).state is JobState.CANCELLED
    with pytest.raises(NotFound):
        act(jobs.remove_job, bob)
    act(jobs.remove_job, admin)
    assert count(database) == 0


@pytest.mark.feature("JB-03", "EX-03")
def test_lists_are_cleared_of_ones_own_and_whole_kinds_are_stopped_by_administrators(
    database: Database,
    alice: Principal,
    bob: Principal,
    admin: Principal,
    run: Element,
    start: Start,
    make_run: Callable[..., Element],
    grant: Callable[..., None],
) -> None:
    grant(run, bob, Role.OWNER)
    his, hers, other = start(bob, "count", run), start(alice, "count", make_run(alice)), make_run(alice)
    open_one = start(alice, "count", other)
    set_state(database, his, JobState.FINISHED)
    set_state(database, hers, JobState.FAILED)
    with database.session() as session:
        assert jobs.remove_ended(session, alice) == 1
    assert set(seen(database, admin)) == {his.id, open_one.id}
    running = start(alice, "count", run)
    set_state(database, running, JobState.RUNNING)
    with database.session() as session, pytest.raises(Forbidden):
        jobs.cancel_all(session, alice, "count")
    with database.session() as session, pytest.raises(Conflict):
        jobs.cancel_all(session, admin, "delete")
    with database.session() as session:
        assert jobs.cancel_all(session, admin, "count") == 2
    assert seen(database, admin)[open_one.id].state is JobState.CANCELLED
    assert seen(database, admin)[running.id].cancelling


def test_jobs_of_one_element(
    database: Database, alice: Principal, bob: Principal, run: Element, start: Start, make_run: Callable[..., Element]
) -> None:
    job = start(alice, "count", run)
    start(alice, "count", make_run(alice))
    with database.session(read_only=True) as session:
        assert [one.id for one in jobs.list_jobs(session, alice, element_id=run.id)] == [job.id]
        with pytest.raises(NotFound):
            jobs.list_jobs(session, bob, element_id=run.id)
