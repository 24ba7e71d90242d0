"""Several sessions at once cannot break what one at a time keeps."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import DatasetCreate, DatasetType, Element, ElementUpdate, FolderCreate, Status
from athena.contract.events import EventKind
from athena.contract.people import Principal
from athena.contract.runs import SourceCreate
from athena.db.acquisitions import AcquisitionRow, bump_version
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.events import append_event, last_seq
from athena.db.jobs import JobRow
from athena.errors import AthenaError, Conflict
from athena.services import elements, paths, places, runs, users
from athena.services.retry import retry_failed
from athena.services.statuses import follow_acquisitions
from athena.settings import Settings

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]
AT_ONCE = 6


def at_once(work: Callable[[int], object]) -> list[object]:
    """Results or errors of the same work done by several threads."""

    def attempt(number: int) -> object:
        try:
            return work(number)
        except AthenaError as problem:
            return problem

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(attempt, range(AT_ONCE)))


def test_positions_are_given_out_once(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice)

    def add(number: int) -> int:
        with database.session() as session:
            wanted = FolderCreate(name=f"Child {number}", parent_id=folder.id)
            return elements.create_element(session, alice, wanted).position

    assert sorted(at_once(add)) == list(range(AT_ONCE))


@pytest.mark.parametrize("existing", ["", "P", "P/W/Imaging/Other"])
def test_a_path_is_made_once(database: Database, make_user: MakeUser, make_folder: Make, existing: str) -> None:
    alice = make_user()
    if existing == "P":
        make_folder(alice, "P")
    elif existing:
        with database.session() as session:
            paths.ensure_path(session, alice, existing)

    def ensure(_: int) -> object:
        with database.session() as session:
            return paths.ensure_path(session, alice, "P/W/Imaging/Run").id

    assert len(set(at_once(ensure))) == 1
    with database.session(read_only=True) as session:
        names = session.execute(select(ElementRow.name, func.count()).group_by(ElementRow.name)).all()
        assert {count for _, count in names} == {1}
        assert last_seq(session) >= 3


def test_a_run_gets_one_source_and_one_job(
    database: Database, make_user: MakeUser, make_run: Make, settings: Settings, tmp_path: Path
) -> None:
    alice = make_user()
    run = make_run(alice)
    folders = [tmp_path / f"session{number}" for number in range(AT_ONCE)]
    for folder in folders:
        folder.mkdir()

    def attach(number: int) -> object:
        with database.session() as session:
            return runs.attach_source(
                session, alice, run.id, SourceCreate(path=str(folders[number])), settings=settings
            )

    outcomes = at_once(attach)
    assert sum(isinstance(one, Conflict) for one in outcomes) == AT_ONCE - 1
    with database.session(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(JobRow)) == 1


def test_people_and_processes_at_once_do_not_lock_each_other_out(
    database: Database,
    make_user: MakeUser,
    make_folder: Make,
    make_workflow: Make,
    make_run: Make,
    settings: Settings,
    tmp_path: Path,
) -> None:
    alice = make_user()
    workflow = make_workflow(alice)
    folders = [make_folder(alice, f"Folder {number}") for number in range(2)]
    imaging = workflow.steps[4].id
    watched = [make_run(alice, f"Run {number}", workflow=workflow, acquisitions=2) for number in range(2)]

    def attach(session: Session, run: Element) -> None:
        runs.attach_source(session, alice, run.id, SourceCreate(path=str(tmp_path)), settings=settings)

    def fail(session: Session, run: Element) -> None:
        session.execute(select(JobRow.id).where(JobRow.element_id == run.id).with_for_update())
        version = bump_version(session, run.id)
        row = session.get_one(AcquisitionRow, (run.id, 0))
        row.state, row.movie = AcquisitionState.ERROR.value, "movie.tiff"
        follow_acquisitions(session, run.id)
        append_event(session, EventKind.ACQUISITION_FAILED, element_id=run.id, index=0, version=version)

    def retry(session: Session, run: Element) -> None:
        retry_failed(session, alice, run.id)

    def work_on(session: Session, run: Element) -> None:
        elements.create_element(session, alice, DatasetCreate(name="D", parent_id=imaging, type=DatasetType.FREE))
        elements.update_element(session, alice, imaging, ElementUpdate(status=Status.IN_PROGRESS))

    def move(session: Session, run: Element) -> None:
        places.move_element(session, alice, workflow.id, folders[watched.index(run)].id)

    deeds = (attach, fail, retry, work_on, move)

    def busy(number: int) -> None:
        for turn in range(8):
            with database.session() as session:
                deeds[(number + turn) % len(deeds)](session, watched[(number + turn // 4) % 2])

    assert at_once(busy) == [None] * AT_ONCE


def test_a_new_user_is_added_once(database: Database, tmp_path: Path) -> None:
    def arrive(_: int) -> object:
        with database.session() as session:
            user = users.ensure_local_user(session, "alice")
        with database.session() as session:
            return user.id, users.ensure_local_token(session, user, tmp_path / "token")

    assert len(set(at_once(arrive))) == 1
