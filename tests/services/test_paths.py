"""Elements by the names on the way to them."""

from collections.abc import Callable

import pytest

from athena.contract.elements import DatasetType, Element, ElementKind, ElementUpdate, Template
from athena.contract.people import Principal, Role
from athena.db.engine import Database
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import elements, guard, paths

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


@pytest.mark.feature("WS-01", "WS-02", "WS-05")
def test_all_that_is_missing_is_made_once(database: Database, make_user: MakeUser) -> None:
    alice = make_user()
    with database.session() as session:
        run = paths.ensure_path(session, alice, "Projects/2024/Ribosome/Imaging/Session 1")
        again = paths.ensure_path(session, alice, "/Projects/ 2024/Ribosome/Imaging/Session 1/")
        other = paths.ensure_path(session, alice, "Projects/2024/Ribosome/Imaging/Session 2")
        assert run == again
        assert run.parent_id == other.parent_id
        assert run.type == DatasetType.EPU_RUN
        assert guard.get_visible_run(session, alice, run.id).version == 0
        crumbs = elements.breadcrumb(session, alice, run.id)
        assert [crumb.name for crumb in crumbs] == ["Projects", "2024", "Ribosome", "Imaging", "Session 1"]
        assert elements.get_element(session, alice, crumbs[2].id).type == Template.SPA_QUALITY_MONITOR
        for crumb in crumbs:
            way = "/".join(one.name for one in crumbs[: crumbs.index(crumb) + 1])
            assert paths.find_path(session, alice, way).id == crumb.id


def test_tomo_runs_get_a_tomography_workflow(database: Database, make_user: MakeUser) -> None:
    alice = make_user()
    with database.session() as session:
        run = paths.ensure_path(session, alice, "P/W/Imaging/Tilts", dataset_type=DatasetType.TOMO_RUN)
        assert run.type == DatasetType.TOMO_RUN
        assert paths.find_path(session, alice, "P/W").type == Template.TOMO_LIVE
        with pytest.raises(Conflict, match="its type is tomo_run"):
            paths.ensure_path(session, alice, "P/W/Imaging/Tilts")


def test_a_renamed_step_still_answers_to_its_template(database: Database, make_user: MakeUser) -> None:
    alice = make_user()
    with database.session() as session:
        run = paths.ensure_path(session, alice, "P/W/Imaging/Run")
        elements.update_element(session, alice, run.parent_id, ElementUpdate(name="Krios imaging"))
        assert paths.ensure_path(session, alice, "P/W/Imaging/Run").id == run.id
        assert paths.ensure_path(session, alice, "P/W/Krios imaging/Run").id == run.id


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "names nothing"),
        ("Workflow/Imaging/Run", "does not lead to a run"),
        ("P/W/Collecting/Run", "has no step"),
        ("P/W/Processing/Run", "cannot be made"),
        ("P/W/Imaging/" + "x" * 201, "cannot be a name"),
        ("P/W/Imaging/Run\x00", "cannot be a name"),
    ],
)
def test_a_path_that_cannot_be_is_refused_whole(
    database: Database, make_user: MakeUser, path: str, problem: str
) -> None:
    alice = make_user()
    with pytest.raises(Invalid, match=problem), database.session() as session:
        paths.ensure_path(session, alice, path)
    with database.session(read_only=True) as session:
        assert elements.list_children(session, alice, None).total == 0


@pytest.mark.feature("SH-06")
def test_paths_show_and_change_only_what_one_may(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob = make_user(), make_user()
    folder = make_folder(alice, "Project")
    with database.session() as session:
        with pytest.raises(NotFound):
            paths.find_path(session, bob, "Project")
        # bob does not see alice's folder, so this makes one of his own
        assert paths.ensure_path(session, bob, "Project/W/Imaging/Run").creator == "bob"
        assert paths.find_path(session, bob, "Project").id != folder.id
    carol = make_user()
    grant(folder, carol, Role.VIEWER)
    with database.session() as session, pytest.raises(Forbidden):
        paths.ensure_path(session, carol, "Project/W/Imaging/Run")


def test_where_siblings_share_a_name_the_oldest_answers(
    database: Database, make_user: MakeUser, make_folder: Make
) -> None:
    alice = make_user()
    first, _ = make_folder(alice, "Twin"), make_folder(alice, "Twin")
    with database.session(read_only=True) as session:
        assert paths.find_path(session, alice, "Twin").id == first.id
        with pytest.raises(NotFound, match="“Gone” is missing"):
            paths.find_path(session, alice, "Twin/Gone")
        assert paths.find_path(session, alice, "Twin").kind is ElementKind.FOLDER
