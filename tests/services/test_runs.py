"""Runs: their source, counts, status, grid, acquisitions and table."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from athena.contract.acquisitions import (
    AcquisitionState,
    DiscoveredAtlas,
    DiscoveredFoilHole,
    DiscoveredGridSquare,
    StagePosition,
)
from athena.contract.elements import DatasetType, Element, ElementUpdate, State, Status, Template
from athena.contract.events import EventKind
from athena.contract.jobs import JobState
from athena.contract.people import Principal, Role
from athena.contract.runs import RunCounts, SourceCreate, SourceState
from athena.db.acquisitions import AcquisitionRow, AtlasRow, FoilHoleRow, GridSquareRow, SourceRow
from athena.db.base import now
from athena.db.branches import BranchAcquisitionRow, BranchRow
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import acquisitions, elements, events, runs
from athena.services.statuses import follow_acquisitions
from athena.settings import Settings
from athena.zarrio.writer import RunWriter

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]
Add = Callable[..., None]


@pytest.mark.feature("AC-04")
def test_counts_say_where_acquisitions_stand(
    database: Database, make_user: MakeUser, make_run: Make, add_acquisitions_to: Add, tmp_path: Path
) -> None:
    alice = make_user()
    run = make_run(alice)
    # what a branch was not given is told of branches, and kept nowhere
    kept = [state for state in AcquisitionState if state is not AcquisitionState.LEFT_OUT]
    for count, state in enumerate(kept, start=1):
        add_acquisitions_to(run, count=count, state=state)
    with database.session(read_only=True) as session:
        found = runs.get_run(session, alice, run.id, settings=Settings(home=tmp_path))
    assert found.counts == RunCounts(total=15, awaiting_movie=1, registered=2, processing=3, completed=4, error=5)
    assert (found.version, found.pixel_size_angstrom, found.source) == (5, 0.84, None)
    assert "defocus_um" in found.metrics


def test_only_runs_are_runs(database: Database, make_user: MakeUser, make_run: Make, tmp_path: Path) -> None:
    alice, bob = make_user(), make_user()
    free = make_run(alice, type=DatasetType.FREE)
    run = make_run(alice)
    with database.session(read_only=True) as session:
        for user, run_id in ((alice, free.id), (alice, uuid4()), (bob, run.id)):
            with pytest.raises(NotFound):
                runs.get_run(session, user, run_id, settings=Settings(home=tmp_path))


@pytest.mark.feature("AC-01")
def test_attaching_a_folder_starts_its_processing(
    database: Database, make_user: MakeUser, make_run: Make, settings: Settings, tmp_path: Path
) -> None:
    alice = make_user()
    run = make_run(alice)
    wanted = SourceCreate(path=str(tmp_path), follow=True)
    with database.session() as session:
        before = events.list_events(session, alice, -1).last_seq
        found = runs.attach_source(session, alice, run.id, wanted, settings=settings)
        told = [one.kind for one in events.list_events(session, alice, before).events]
        assert found.source is not None
        assert (found.source.path, found.source.state) == (str(tmp_path), SourceState.WATCHING)
        assert found.element.status is Status.IN_PROGRESS
        assert told.count(EventKind.SOURCE_CHANGED) == told.count(EventKind.JOB_CHANGED) == 1
        job = session.scalars(select(JobRow)).one()
        assert (job.state, job.element_id, job.initiator_id) == (JobState.PENDING, run.id, alice.user_id)
        # done; the same folder again wakes the same job
        job.state = JobState.FINISHED.value
        session.get_one(SourceRow, run.id).state = SourceState.COMPLETED.value
        again = runs.attach_source(
            session, alice, run.id, wanted.model_copy(update={"follow": False}), settings=settings
        )
        assert again.source is not None
        assert (again.source.state, again.source.follow) == (SourceState.IMPORTING, False)
        assert session.scalars(select(JobRow)).one().state == JobState.PENDING


@pytest.mark.feature("AC-01", "WS-14")
def test_no_folder_is_attached_to_an_archived_run(
    database: Database, make_user: MakeUser, make_run: Make, settings: Settings, tmp_path: Path
) -> None:
    alice = make_user()
    run = make_run(alice)
    with database.session() as session:
        session.get_one(ElementRow, run.id).state = State.ARCHIVED.value
    with database.session() as session, pytest.raises(Conflict, match=r"is archived\. Restore it first"):
        runs.attach_source(session, alice, run.id, SourceCreate(path=str(tmp_path)), settings=settings)
    with database.session() as session:
        assert session.get(SourceRow, run.id) is None


@pytest.mark.parametrize("template", [Template.SPA, Template.SPA_CRYOSPARC_LIVE])
def test_workflows_that_do_not_process_get_no_job(
    database: Database,
    make_user: MakeUser,
    make_workflow: Make,
    make_run: Make,
    settings: Settings,
    tmp_path: Path,
    template: Template,
) -> None:
    alice = make_user()
    run = make_run(alice, workflow=make_workflow(alice, template=template))
    with database.session() as session:
        runs.attach_source(session, alice, run.id, SourceCreate(path=str(tmp_path)), settings=settings)
        assert session.scalar(select(func.count()).select_from(JobRow)) == 0


@pytest.mark.feature("AC-01")
def test_a_source_that_cannot_be_is_refused_and_nothing_is_kept(
    database: Database,
    make_user: MakeUser,
    make_run: Make,
    settings: Settings,
    tmp_path: Path,
    grant: Callable[..., None],
    add_acquisitions_to: Callable[..., None],
) -> None:
    alice, bob = make_user(), make_user()
    run, tomo, free = (
        make_run(alice),
        make_run(alice, type=DatasetType.TOMO_RUN),
        make_run(alice, type=DatasetType.FREE),
    )
    roots = settings.model_copy(update={"acquisition_roots": (tmp_path / "scope",)})
    hub = settings.model_copy(update={"auth": "hub"})
    for name in ("scope/session", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "scope" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "scope" / "file").write_text("")
    grant(run, bob, Role.VIEWER)
    refusals = [
        (alice, run, SourceCreate(path=str(tmp_path / "scope" / "gone")), roots, Invalid, "no folder"),
        (alice, run, SourceCreate(path=str(tmp_path / "scope" / "file")), roots, Invalid, "no folder"),
        (alice, run, SourceCreate(path=str(tmp_path / "scope" / "link")), roots, Invalid, "not below"),
        (alice, run, SourceCreate(path=str(tmp_path / "scope" / ".." / "elsewhere")), roots, Invalid, "not below"),
        (alice, run, SourceCreate(path=str(tmp_path / "scope")), hub, Invalid, "not below"),
        (alice, run, SourceCreate(path="session"), settings, Invalid, "full path"),
        (alice, run, SourceCreate(path="/se\0ssion"), settings, Invalid, "full path"),
        (alice, run, SourceCreate(path=str(tmp_path), adapter="nothing"), settings, Invalid, "no acquisition adapter"),
        (alice, tomo, SourceCreate(path=str(tmp_path)), settings, Invalid, "cannot fill"),
        (alice, free, SourceCreate(path=str(tmp_path)), settings, NotFound, "not a dataset filled by"),
        (bob, run, SourceCreate(path=str(tmp_path)), settings, Forbidden, "viewer"),
        (make_user(), run, SourceCreate(path=str(tmp_path)), settings, NotFound, "no element"),
    ]
    for user, target, wanted, used, error, words in refusals:
        with database.session() as session, pytest.raises(error, match=words):
            runs.attach_source(session, user, target.id, wanted, settings=used)
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(SourceRow)) == 0
        inside = SourceCreate(path=str(tmp_path / "scope" / "session"))
        runs.attach_source(session, alice, run.id, inside, settings=roots)
        other = SourceCreate(path=str(tmp_path / "scope"))
        out = tmp_path / "elsewhere"
        with pytest.raises(Invalid, match="not below"):
            runs.attach_source(session, alice, run.id, other, settings=roots, locate=lambda *_: out)
        with pytest.raises(Conflict, match="already filled"):
            runs.attach_source(session, alice, run.id, other, settings=roots)
        # a wrong folder, looked at in vain, may be put right
        session.get_one(SourceRow, run.id).last_scan = now()
        runs.attach_source(session, alice, run.id, other, settings=roots)
    add_acquisitions_to(run)
    with database.session() as session:
        session.get_one(SourceRow, run.id).last_scan = now()
    with database.session() as session, pytest.raises(Conflict, match="already filled"):
        runs.attach_source(session, alice, run.id, inside, settings=roots)


@pytest.mark.feature("WS-04")
def test_a_run_drives_its_status_and_that_of_its_step(
    database: Database, make_user: MakeUser, make_run: Make, make_workflow: Make, add_acquisitions_to: Add
) -> None:
    alice = make_user()
    workflow = make_workflow(alice)
    run = make_run(alice, workflow=workflow, acquisitions=2)

    def statuses() -> tuple[Status, Status]:
        with database.session() as session:
            follow_acquisitions(session, run.id)
            found = elements.get_element(session, alice, run.id)
            assert found.parent_id is not None
            return found.status, elements.get_element(session, alice, found.parent_id).status

    def set_states(state: AcquisitionState) -> None:
        with database.session() as session:
            for row in session.scalars(select(AcquisitionRow)):
                row.state = state.value

    assert statuses() == (Status.IN_PROGRESS, Status.IN_PROGRESS)
    set_states(AcquisitionState.COMPLETED)
    assert statuses() == (Status.COMPLETED, Status.COMPLETED)
    add_acquisitions_to(run, state=AcquisitionState.ERROR, error="truncated")
    assert statuses() == (Status.WARNING, Status.WARNING)
    with database.session() as session:
        elements.update_element(session, alice, workflow.steps[4].id, ElementUpdate(status=Status.SUSPENDED))
    set_states(AcquisitionState.COMPLETED)
    assert statuses() == (Status.COMPLETED, Status.SUSPENDED)
    with database.session(read_only=True) as session:
        before = events.list_events(session, alice, -1).last_seq
    assert statuses() == (Status.COMPLETED, Status.SUSPENDED)
    with database.session(read_only=True) as session:
        assert events.list_events(session, alice, before).events == ()


def test_grid_comes_back_as_it_was_found(database: Database, make_user: MakeUser, make_run: Make) -> None:
    alice = make_user()
    run = make_run(alice)
    atlas = DiscoveredAtlas(id="atlas-1", sample="Sample1", width_px=4096, height_px=4096, node_count=9)
    square = DiscoveredGridSquare(id=7654321, atlas_id="atlas-1", stage=StagePosition(x_um=12.5, y_um=-3.0))
    hole = DiscoveredFoilHole(id=24680, grid_square_id=7654321, square_x_px=10.0, square_y_px=20.0)
    with database.session() as session:
        session.add_all(
            [
                AtlasRow(run_id=run.id, atlas_id=atlas.id, detail=atlas.model_dump(mode="json")),
                GridSquareRow(
                    run_id=run.id,
                    square_id=square.id,
                    atlas_id=square.atlas_id,
                    detail=square.model_dump(mode="json", exclude={"id", "atlas_id"}),
                ),
                FoilHoleRow(
                    run_id=run.id,
                    hole_id=hole.id,
                    square_id=hole.grid_square_id,
                    detail=hole.model_dump(mode="json", exclude={"id"}),
                ),
            ]
        )
    with database.session(read_only=True) as session:
        grid = runs.get_grid(session, alice, run.id)
    assert (grid.atlases, grid.grid_squares, grid.foil_holes) == ((atlas,), (square,), (hole,))


@pytest.mark.feature("AC-04")
def test_acquisitions_page_by_index_and_by_state(
    database: Database, make_user: MakeUser, make_run: Make, add_acquisitions_to: Add
) -> None:
    alice, bob = make_user(), make_user()
    run = make_run(alice, acquisitions=4)
    add_acquisitions_to(run, count=2, state=AcquisitionState.ERROR, error="The movie is truncated.")
    with database.session(read_only=True) as session:
        page = acquisitions.list_acquisitions(session, alice, run.id, offset=3, limit=2)
        assert ([one.index for one in page.items], page.total) == ([3, 4], 6)
        errors = acquisitions.list_acquisitions(session, alice, run.id, state=AcquisitionState.ERROR)
        assert [(one.index, one.error) for one in errors.items] == [
            (4, "The movie is truncated."),
            (5, "The movie is truncated."),
        ]
        one = acquisitions.get_acquisition(session, alice, run.id, 2)
        assert (one.name, one.optics.voltage_kv) == ("FoilHole_00002", 300.0)
        for user, index in ((alice, 6), (alice, -1), (bob, 2)):
            with pytest.raises(NotFound):
                acquisitions.get_acquisition(session, user, run.id, index)
        with pytest.raises(Invalid, match="page"):
            acquisitions.list_acquisitions(session, alice, run.id, limit=0)


@pytest.mark.feature("BY-06")
def test_acquisitions_are_listed_as_they_stand_in_a_branch(
    database: Database, make_user: MakeUser, make_run: Make, add_acquisitions_to: Add
) -> None:
    alice = make_user()
    run = make_run(alice)
    add_acquisitions_to(run, count=3, state=AcquisitionState.COMPLETED)
    add_acquisitions_to(run, count=1, state=AcquisitionState.AWAITING_MOVIE)
    with database.session() as session:
        session.add(BranchRow(run_id=run.id, number=0, name="original", parameters={}))
        session.add(BranchRow(run_id=run.id, number=1, name="fine", parameters={}))
        session.flush()
        for index, state, error in ((0, "completed", ""), (2, "error", "no")):
            session.add(BranchAcquisitionRow(run_id=run.id, number=1, index=index, state=state, error=error, flags=[]))
    with database.session(read_only=True) as session:

        def listed(**asked: object) -> list[tuple[int, str, str]]:
            page = acquisitions.list_acquisitions(session, alice, run.id, branch="fine", **asked)  # type: ignore[arg-type]
            assert page.total == len(page.items)
            return [(one.index, one.state.value, one.error) for one in page.items]

        assert listed() == [
            (0, "completed", ""),
            (1, "left_out", ""),
            (2, "error", "no"),
            (3, "left_out", ""),
        ]
        assert listed(state=AcquisitionState.LEFT_OUT) == [(1, "left_out", ""), (3, "left_out", "")]
        assert listed(state=AcquisitionState.REGISTERED) == []
        assert listed(state=AcquisitionState.ERROR) == [(2, "error", "no")]
        own = acquisitions.list_acquisitions(session, alice, run.id, branch="original")
        assert [one.state.value for one in own.items] == ["completed"] * 3 + ["awaiting_movie"]
        with pytest.raises(NotFound):
            acquisitions.list_acquisitions(session, alice, run.id, branch="none")


@pytest.mark.feature("EQ-01")
def test_the_table_joins_the_catalogue_with_the_arrays(
    database: Database, make_user: MakeUser, make_run: Make, settings: Settings
) -> None:
    alice, bob = make_user(), make_user()
    run = make_run(alice, acquisitions=4)
    columns = ("defocus_um", "ctf_resolution_angstrom")
    with database.session(read_only=True) as session:
        # nothing is processed: there is no store yet
        empty = acquisitions.get_table(session, alice, run.id, columns=columns, settings=settings)
    assert empty.states == ("registered",) * 4
    writer = RunWriter.create(settings.run_store(str(run.id)), frames=4)
    writer.ensure_length(4)
    writer.write_metrics([0, 2], {"defocus_um": [1.25, 0.75]})
    with database.session(read_only=True) as session:
        table = acquisitions.get_table(session, alice, run.id, columns=columns, settings=settings, start=1, limit=2)
        assert (table.start, table.total, table.version) == (1, 4, 1)
        assert table.names == ("FoilHole_00001", "FoilHole_00002")
        unknown, known = table.columns["defocus_um"]
        assert unknown != unknown
        assert known == 0.75
        assert '"defocus_um":[null,0.75]' in table.model_dump_json()
        past = acquisitions.get_table(session, alice, run.id, columns=columns, settings=settings, start=9)
        assert (past.names, past.columns["defocus_um"], past.total) == ((), (), 4)
        with pytest.raises(Invalid, match="no metric beauty"):
            acquisitions.get_table(session, alice, run.id, columns=["beauty"], settings=settings)
        with pytest.raises(Invalid):
            acquisitions.get_table(session, alice, run.id, columns=[], settings=settings, start=-1)
        with pytest.raises(NotFound):
            acquisitions.get_table(session, bob, run.id, columns=columns, settings=settings)
