"""Deletion: closed at once, taken away from the bottom up, resumed after whatever interrupts it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from athena.contract.elements import DatasetCreate, DatasetType, Element, ElementUpdate, State, StepCreate, Template
from athena.contract.people import Principal, Role
from athena.contract.runs import SourceCreate
from athena.db.acquisitions import AcquisitionRow, RunRow
from athena.db.elements import ElementRow, PermissionSetRow
from athena.db.engine import Database
from athena.db.events import last_seq
from athena.db.jobs import JobRow
from athena.errors import AthenaError, Conflict, Forbidden, Invalid, NotFound
from athena.jobs import delete
from athena.services import elements, events, runs
from athena.settings import Settings
from tests.jobs.conftest import RunsRunner, StartJob

Wait = Callable[..., None]
Make = Callable[..., Element]


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def bob(make_user: Callable[..., Principal], alice: Principal) -> Principal:
    return make_user("bob")


@pytest.fixture
def folder(alice: Principal, make_folder: Make) -> Element:
    return make_folder(alice)


@pytest.fixture
def run(alice: Principal, folder: Element, make_workflow: Make, make_run: Make, quick: Settings) -> Element:
    """A run with rows and a store, deep in the folder."""
    made = make_run(alice, workflow=make_workflow(alice, folder=folder), acquisitions=7)
    store = quick.run_store(str(made.id))
    for part in ("metrics/c/0", "images/0/0", "images/1/0"):
        (store / part).parent.mkdir(parents=True, exist_ok=True)
        (store / part).write_bytes(b"x" * 100)
    return made


def refused(database: Database, act: Callable[..., object], *args: object, **options: object) -> AthenaError:
    with pytest.raises(AthenaError) as error, database.session() as session:
        act(session, *args, **options)
    return error.value


def rows(database: Database, table: type) -> int:
    with database.session(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def stores(settings: Settings) -> list[Path]:
    return list((settings.resolved_data_dir / "runs").iterdir())


@pytest.mark.feature("WS-13")
def test_content_is_closed_at_once_and_then_goes(
    database: Database,
    alice: Principal,
    bob: Principal,
    folder: Element,
    run: Element,
    grant: Callable[..., None],
    quick: Settings,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    grant(folder, bob, Role.VIEWER)
    with database.session() as session:
        runs.attach_source(session, alice, run.id, SourceCreate(path=str(tmp_path)), settings=quick)
        before = last_seq(session)
    job = start_job(alice, "delete", folder)

    with database.session(read_only=True) as session:
        (shown,) = elements.list_children(session, bob, None).items
        states = set(session.scalars(select(ElementRow.state)))
        assert session.scalar(select(JobRow.state).where(JobRow.kind == "processing")) == "cancelled"
    assert (shown.id, shown.state) == (folder.id, State.DELETING)
    assert states == {"deleting"}
    for act, args in (
        (elements.list_children, (alice, folder.id)),
        (elements.update_element, (alice, run.id, ElementUpdate(name="Saved"))),
        (elements.mark_opened, (alice, run.id)),
        (elements.breadcrumb, (alice, run.id)),
        (partial(runs.get_run, settings=quick), (alice, run.id)),
    ):
        assert isinstance(refused(database, act, *args), Conflict), act
    with pytest.raises(Conflict):
        start_job(alice, "delete", folder)
    with pytest.raises(Conflict, match="cannot be cancelled"):
        job.cancel()

    with running():
        wait_for(job.ended)
    assert (job.state(), job.now().message, job.now().element_name) == ("finished", "Deleted.", "Folder")
    assert (job.now().done, job.now().total, job.now().element_id) == (9, 9, None)
    for table in (ElementRow, RunRow, AcquisitionRow):
        assert rows(database, table) == 0, table
    assert stores(quick) == []
    with database.session(read_only=True) as session:
        told = events.list_events(session, bob, before).events
        assert [event.element_id for event in told if event.kind == "element.deleted"] == [folder.id]
        stranger = Principal(user_id=UUID(int=1), username="carol")
        assert events.list_events(session, stranger, before).events == ()
        remaining = set(session.scalars(select(JobRow.kind)))
    assert remaining == {"delete"}


@pytest.mark.feature("WS-13")
def test_an_interrupted_deletion_resumes(
    database: Database,
    alice: Principal,
    folder: Element,
    run: Element,
    quick: Settings,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delete, "BATCH_ELEMENTS", 2)
    monkeypatch.setattr(delete, "BATCH_ROWS", 3)
    real, fails = delete._delete_rows, iter([False, True, False, True])

    def sometimes(*args: object, **options: object) -> None:
        real(*args, **options)  # type: ignore[arg-type]
        if next(fails, False):
            raise OSError(5, "the disk is gone")

    monkeypatch.setattr(delete, "_delete_rows", sometimes)
    monkeypatch.setattr("athena.jobs.worker.pause_seconds", lambda _: 0.1)
    job = start_job(alice, "delete", folder)
    with running():
        wait_for(job.ended)
    assert (job.state(), job.now().attempts, job.now().done) == ("finished", 3, 9)
    assert rows(database, ElementRow) == 0
    assert rows(database, PermissionSetRow) == 1
    assert stores(quick) == []


@pytest.mark.feature("WS-13")
def test_only_owners_delete_and_folders_only_their_creator(
    database: Database,
    alice: Principal,
    bob: Principal,
    folder: Element,
    run: Element,
    grant: Callable[..., None],
    own_permissions: Callable[..., None],
    start_job: StartJob,
    make_user: Callable[..., Principal],
    make_workflow: Make,
) -> None:
    with pytest.raises(NotFound):
        start_job(bob, "delete", run)
    grant(folder, bob, Role.COLLABORATOR)
    with pytest.raises(Forbidden):
        start_job(bob, "delete", run)
    grant(folder, bob, Role.OWNER)
    with pytest.raises(Forbidden, match="who made it"):
        start_job(bob, "delete", folder)
    with database.session(read_only=True) as session:
        step = session.get_one(ElementRow, run.parent_id)
        workflow = elements.get_element(session, alice, step.parent_id)
        imaging = elements.get_element(session, alice, step.id)
    with pytest.raises(Invalid, match="template"):
        start_job(alice, "delete", imaging)
    # what lies below but is another's is not taken along
    his = make_workflow(bob, "His", folder=folder)
    own_permissions(his, {bob: Role.OWNER})
    with pytest.raises(Forbidden, match="as a whole"):
        start_job(alice, "delete", folder)
    assert rows(database, JobRow) == 0
    with database.session(read_only=True) as session:
        assert set(session.scalars(select(ElementRow.state))) == {"active"}
    start_job(bob, "delete", workflow)
    start_job(make_user("carol", admin=True), "delete", folder)


@pytest.mark.feature("WS-13")
def test_a_part_goes_alone(
    database: Database,
    alice: Principal,
    folder: Element,
    run: Element,
    make_workflow: Make,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
) -> None:
    free = make_workflow(alice, "Mine", folder=folder, template=Template.FREE)
    with database.session() as session:
        step = elements.create_element(session, alice, StepCreate(name="Own", parent_id=free.id))
        kept = elements.create_element(session, alice, StepCreate(name="Kept", parent_id=free.id))
        wanted = DatasetCreate(name="Data", parent_id=step.id, type=DatasetType.FREE)
        elements.create_element(session, alice, wanted)
    before = rows(database, ElementRow)
    job = start_job(alice, "delete", step)
    with running():
        wait_for(job.ended)
    assert job.state() == "finished"
    assert rows(database, ElementRow) == before - 2
    with database.session(read_only=True) as session:
        (left,) = elements.list_children(session, alice, free.id).items
        assert left.id == kept.id
        assert elements.get_element(session, alice, run.id).state is State.ACTIVE


@pytest.mark.feature("WS-13")
def test_work_on_the_content_ends_before_it_goes(
    database: Database,
    alice: Principal,
    folder: Element,
    run: Element,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    other = start_job(alice, "count", run, file=str(tmp_path / "numbers"), to=100_000, pause=0.02)
    with running():
        wait_for(lambda: other.now().done > 1)
        job = start_job(alice, "delete", folder)
        wait_for(job.ended)
    assert (job.state(), other.state()) == ("finished", "cancelled")
    assert not (tmp_path / "numbers").exists()
    ended = other.now()
    assert (ended.element_id, ended.element_name) == (None, "Run")
    with pytest.raises(Conflict, match="no more"):
        other.retry()
