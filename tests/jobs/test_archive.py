"""Archiving and restoring: verified, resumable, and with results to browse all the while."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from athena.contract.elements import DatasetType, Element
from athena.contract.jobs import JobState
from athena.contract.people import Principal, Role
from athena.contract.storages import StorageRole
from athena.db.elements import ElementRow, FileRow
from athena.db.engine import Database
from athena.errors import Conflict, Forbidden, Invalid
from athena.jobs import archive
from athena.services.search import Search, search
from athena.services.storage_access import chosen_row, open_row
from athena.services.storages import prepare_storages
from athena.settings import Settings
from athena.zarrio.reader import read_table
from tests.jobs.conftest import RunsRunner, StartJob
from tests.jobs.exporting import Session, files_below

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Wait = Callable[..., None]
Make = Callable[..., Element]


@pytest.fixture
def quick(quick: Settings) -> Settings:
    return quick.model_copy(update={"cleanup_acquisition": True})


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def workflow(alice: Principal, make_workflow: Make) -> Element:
    return make_workflow(alice)


@pytest.fixture
def notes(database: Database, quick: Settings, alice: Principal, workflow: Element, make_run: Make) -> Element:
    """A free dataset with uploads."""
    dataset = make_run(alice, "Notes", workflow=workflow, type=DatasetType.FREE)
    with database.session() as session:
        prepare_storages(session, quick)
        row = chosen_row(session, StorageRole.PRIMARY)
        storage = open_row(row, quick)
        for number in range(40):
            key = f"elements/{dataset.id}/{number}"
            stored = storage.put(key, f"content {number}".encode())
            name = f"{number:02d}.txt"
            session.add(
                FileRow(
                    element_id=dataset.id, storage_id=row.id, key=key, name=name, size=stored.size, sha256=stored.sha256
                )
            )
    return dataset


@pytest.fixture
def session(
    database: Database, quick: Settings, alice: Principal, workflow: Element, make_run: Make, tmp_path: Path
) -> Session:
    made = Session(database, quick, make_run(alice, workflow=workflow), tmp_path / "microscope" / "session")
    made.add(12)
    made.process(range(3))
    return made


def read_back(database: Database, dataset: Element, settings: Settings, role: StorageRole) -> dict[str, bytes]:
    """Files of a dataset, read from where the catalogue says they lie, which is a storage of this role."""
    with database.session(read_only=True) as session:
        row = chosen_row(session, role)
        storage = open_row(row, settings)
        rows = session.scalars(select(FileRow).where(FileRow.element_id == dataset.id)).all()
        assert {one.storage_id for one in rows} == {row.id}
        return {one.name: storage.read(one.key) for one in rows}


def states(database: Database) -> set[str]:
    with database.session(read_only=True) as session:
        kinds = ("workflow", "step", "dataset")
        return set(session.scalars(select(ElementRow.state).where(ElementRow.kind.in_(kinds))))


@pytest.mark.feature("WS-14")
def test_there_and_back(
    database: Database,
    alice: Principal,
    workflow: Element,
    notes: Element,
    session: Session,
    quick: Settings,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
) -> None:
    session.end()
    before, uploads = files_below(session.folder), read_back(database, notes, quick, StorageRole.PRIMARY)
    job = start_job(alice, "archive", workflow)
    with running():
        wait_for(job.ended)
        assert job.state() == "finished", job.now().message
        assert job.now().result["files"] == len(before) + 40
        assert states(database) == {"archived"}
        assert read_back(database, notes, quick, StorageRole.ARCHIVE) == uploads
        with database.session(read_only=True) as reading:  # what people named is found, what the microscope did is not
            found = search(reading, alice, Search(text="txt"), limit=100)
            assert {hit.file for hit in found.hits} == set(uploads)
            assert not search(reading, alice, Search(text="fractions")).hits
        assert files_below(session.folder) == {}
        assert files_below(quick.home / "data" / "files") == {}
        archived = read_back(database, session.run, quick, StorageRole.ARCHIVE)
        assert {name.removeprefix("raw/"): data for name, data in archived.items()} == before
        # results are browsed as before
        store = str(quick.run_store(str(session.run.id)))
        assert read_table(store, ["defocus_um"], 0, 3)["defocus_um"].tolist() == [1.0, 2.0, 3.0]
        with pytest.raises(Conflict, match="archived already"):
            start_job(alice, "archive", workflow)

        back = start_job(alice, "restore", workflow)
        wait_for(back.ended)
    assert back.state() == "finished", back.now().message
    assert states(database) == {"active"}
    assert files_below(session.folder) == before
    assert read_back(database, notes, quick, StorageRole.PRIMARY) == uploads
    assert files_below(quick.home / "archive") == {}
    with pytest.raises(Conflict, match="not archived"):
        start_job(alice, "restore", workflow)


@SQLITE
@pytest.mark.feature("WS-14")
def test_interrupted_between_any_two_acts_it_resumes(
    database: Database,
    alice: Principal,
    notes: Element,
    quick: Settings,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uploads = read_back(database, notes, quick, StorageRole.PRIMARY)
    monkeypatch.setattr("athena.jobs.worker.pause_seconds", lambda _: 0.05)
    real = {"drop": archive.drop_originals, "put": archive.put_verified}
    calls = {"drop": 0, "put": 0}

    def failing(name: str, at: int) -> Callable[..., object]:
        def act(*args: object, **options: object) -> object:
            calls[name] += 1
            if calls[name] == at:
                raise OSError(5, "the disk is gone")
            return real[name](*args, **options)

        return act

    monkeypatch.setattr(archive, "put_verified", failing("put", 36))
    monkeypatch.setattr(archive, "drop_originals", failing("drop", 2))  # after the first batch was moved
    job = start_job(alice, "archive", notes)
    with running():
        wait_for(job.ended)
    assert (job.state(), job.now().attempts) == ("finished", 3)
    assert read_back(database, notes, quick, StorageRole.ARCHIVE) == uploads
    assert files_below(quick.home / "data" / "files") == {}
    assert job.now().result["files"] == 40


@SQLITE
@pytest.mark.feature("WS-14", "WS-13")
def test_archived_parts_are_deleted_too(
    database: Database,
    alice: Principal,
    workflow: Element,
    notes: Element,
    session: Session,
    quick: Settings,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
) -> None:
    session.end()
    with running():
        for kind, element in (("archive", notes), ("delete", workflow)):
            job = start_job(alice, kind, element)
            wait_for(job.ended)
            assert job.state() == "finished", job.now().message
    assert files_below(quick.home / "archive") == {}
    assert files_below(quick.home / "data" / "files") == {}
    assert files_below(session.folder) != {}  # what the microscope wrote is not Athena's to delete


@SQLITE
@pytest.mark.feature("WS-14")
def test_without_leave_raw_data_are_copied_and_stay(
    database: Database,
    alice: Principal,
    session: Session,
    notes: Element,
    quick: Settings,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
) -> None:
    session.end()
    before = files_below(session.folder)
    careful = quick.model_copy(update={"cleanup_acquisition": False})
    with running(settings=careful):
        for kind in ("archive", "restore"):
            job = start_job(alice, kind, session.run)
            wait_for(job.ended)
            assert job.state() == "finished", job.now().message
            assert files_below(session.folder) == before
        assert files_below(quick.home / "archive") == {}
        start_job(alice, "archive", session.run)
        wait_for(lambda: states(database) >= {"archived"})
        (session.folder / "EpuSession.dm").unlink()  # as a facility's own purge would
        lost = start_job(alice, "restore", session.run)
        wait_for(lost.ended)
    assert lost.now().state is JobState.FAILED
    assert "only reads" in lost.now().message
    assert (session.folder / "EpuSession.dm").name in lost.now().message


@SQLITE
@pytest.mark.feature("WS-14")
def test_what_cannot_be_archived_is_refused(
    database: Database,
    alice: Principal,
    workflow: Element,
    notes: Element,
    session: Session,
    start_job: StartJob,
    grant: Callable[..., None],
    make_user: Callable[..., Principal],
    make_folder: Make,
) -> None:
    with pytest.raises(Conflict, match="still being acquired"):
        start_job(alice, "archive", workflow)
    session.end()
    bob = make_user("bob")
    grant(workflow, bob, Role.COLLABORATOR)
    with pytest.raises(Forbidden):
        start_job(bob, "archive", notes)
    with pytest.raises(Invalid):
        start_job(alice, "archive", make_folder(alice))
    start_job(alice, "export", notes, folder="out")
    with pytest.raises(Conflict, match="Other jobs"):
        start_job(alice, "archive", workflow)
    start_job(alice, "archive", session.run)
    with pytest.raises(Conflict, match="Archiving"):
        start_job(alice, "archive", workflow)
    with pytest.raises(Conflict, match="Archiving"):
        start_job(alice, "export", session.run, folder="out")
