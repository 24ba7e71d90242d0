"""Cleanup: what goes is what was calculated, and never what others need or what is not Athena's to delete."""

from collections.abc import Callable
from pathlib import Path

import pytest

from athena.contract.cleanup import CleanupRule
from athena.contract.elements import DatasetType, Element
from athena.contract.people import Principal, Role
from athena.db.acquisitions import AcquisitionRow
from athena.db.engine import Database
from athena.errors import Conflict, Forbidden, Invalid
from athena.services import cleanup
from athena.services.storages import prepare_storages
from athena.settings import Settings
from athena.zarrio.reader import read_table, read_thumbnail
from tests.jobs.conftest import RunsRunner, StartJob
from tests.jobs.exporting import Session, files_below

Wait = Callable[..., None]


@pytest.fixture
def quick(quick: Settings) -> Settings:
    return quick.model_copy(update={"cleanup_acquisition": True})


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def session(
    database: Database, quick: Settings, alice: Principal, make_run: Callable[..., Element], tmp_path: Path
) -> Session:
    """Six acquisitions, of which four are processed."""
    made = Session(database, quick, make_run(alice), tmp_path / "microscope" / "session")
    made.add(6)
    made.process(range(4))
    return made


def sizes(database: Database, user: Principal, session: Session, settings: Settings) -> dict[str, tuple[int, int]]:
    with database.session(read_only=True) as transaction:
        content = cleanup.list_content(transaction, user, session.run.id, settings=settings)
    return {one.rule.value: (one.files, one.bytes) for one in cleanup.measure(content)}


@pytest.mark.feature("EX-04")
def test_what_goes_is_what_was_calculated(
    database: Database,
    alice: Principal,
    session: Session,
    quick: Settings,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
) -> None:
    session.end()
    before = sizes(database, alice, session, quick)
    assert before["movies"] == (4, 4 * 992)
    assert before["integrated"] == (4, 4 * len("image of FoilHole_00000"))
    assert before["processed"][0] > 4
    left = set(files_below(session.folder))
    job = start_job(alice, "cleanup", session.run, rules=["movies", "processed"])
    with running():
        wait_for(job.ended)
    assert job.state() == "finished", job.now().message
    assert job.now().result == {
        "files": before["movies"][0] + before["processed"][0],
        "bytes": before["movies"][1] + before["processed"][1],
    }
    gone = {f"Images-Disc1/GridSquare_0/Data/{name}_fractions.tiff" for name in session.names[:4]}
    assert set(files_below(session.folder)) == left - gone
    after = sizes(database, alice, session, quick)
    assert after == {"movies": (0, 0), "integrated": before["integrated"], "processed": (0, 0)}
    store = quick.run_store(str(session.run.id))
    assert read_table(str(store), ["defocus_um"], 0, 4)["defocus_um"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert read_thumbnail(store, 2).max() == 3
    with database.session(read_only=True) as transaction:
        rows = transaction.query(AcquisitionRow).order_by(AcquisitionRow.index).all()
    assert [row.movie is None for row in rows] == [True] * 4 + [False] * 2
    assert rows[0].flags == ["micrograph_removed", "movie_removed"]
    assert rows[0].files["image"]
    again = start_job(alice, "cleanup", session.run, rules=[rule.value for rule in CleanupRule])
    with running():
        wait_for(again.ended)
    assert again.now().result["files"] == 4


@pytest.mark.feature("EX-04")
def test_nothing_goes_that_is_needed_or_is_not_to_be_deleted(
    database: Database,
    alice: Principal,
    session: Session,
    quick: Settings,
    start_job: StartJob,
    grant: Callable[..., None],
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
) -> None:
    from athena.contract.jobs import JobCreate
    from athena.services import jobs

    before = files_below(session.folder)
    bob = make_user("bob")
    with pytest.raises(Conflict, match="still being acquired"):
        start_job(alice, "cleanup", session.run, rules=["movies"])
    session.end()
    grant(session.run, bob, Role.COLLABORATOR)
    with pytest.raises(Forbidden):
        start_job(bob, "cleanup", session.run, rules=["movies"])
    for rules in ([], ["everything"]):
        with pytest.raises(Invalid):
            start_job(alice, "cleanup", session.run, rules=rules)
    with pytest.raises(Invalid):
        start_job(alice, "cleanup", make_run(alice, type=DatasetType.FREE), rules=["movies"])
    careful = quick.model_copy(update={"cleanup_acquisition": False})
    wanted = JobCreate(kind="cleanup", element_id=session.run.id, parameters={"rules": ["integrated"]})
    with database.session() as transaction, pytest.raises(Forbidden, match="only reads"):
        jobs.start_job(transaction, alice, wanted, settings=careful)
    with database.session() as transaction:
        prepare_storages(transaction, quick)
    start_job(alice, "export", session.run, folder="out")
    with pytest.raises(Conflict, match="exported"):
        start_job(alice, "cleanup", session.run, rules=["movies"])
    assert files_below(session.folder) == before


@pytest.mark.feature("EX-04")
def test_a_path_that_leads_elsewhere_is_not_followed(
    database: Database,
    alice: Principal,
    session: Session,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    tmp_path: Path,
) -> None:
    session.end()
    foreign = tmp_path / "precious.tiff"
    foreign.write_bytes(b"not the run's")
    link = session.folder / "link.tiff"
    link.symlink_to(foreign)
    with database.session() as transaction:
        for index, path in ((0, foreign), (1, link)):
            transaction.get_one(AcquisitionRow, (session.run.id, index)).movie = str(path)
    job = start_job(alice, "cleanup", session.run, rules=["movies"])
    with running():
        wait_for(job.ended)
    assert job.state() == "failed"
    assert "2 could not be taken away" in job.now().message
    assert foreign.read_bytes() == b"not the run's"
