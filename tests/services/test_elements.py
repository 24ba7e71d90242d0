"""Making, listing, opening and changing elements of the tree."""

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from athena.contract.elements import (
    DatasetCreate,
    DatasetType,
    Element,
    ElementSort,
    ElementUpdate,
    FolderCreate,
    Status,
    StepCreate,
    Template,
    WorkflowCreate,
)
from athena.contract.events import EventKind
from athena.contract.people import Principal, Role
from athena.db.elements import ElementRow, LastUseRow, MetadataRow
from athena.db.engine import Database
from athena.domain.templates import TEMPLATES
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import elements, events, guard, metadata

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


@pytest.mark.feature("WS-01")
def test_folders_hold_folders_and_the_root_lists_them(
    database: Database, make_user: MakeUser, make_folder: Make
) -> None:
    alice = make_user()
    outer = make_folder(alice, "Project")
    inner = make_folder(alice, "  2024 ", parent=outer)
    with database.session(read_only=True) as session:
        top = elements.list_children(session, alice, None)
        below = elements.list_children(session, alice, outer.id)
        rows = [session.get_one(ElementRow, one.id) for one in (outer, inner)]
    assert [one.name for one in top.items] == ["Project"]
    assert top.items[0].child_count == 1
    assert [one.id for one in below.items] == [inner.id]
    assert inner.name == "2024"
    assert inner.my_role is Role.OWNER
    assert inner.creator == "alice"
    assert rows[0].permission_set_id == rows[1].permission_set_id


@pytest.mark.feature("WS-02", "WS-03")
@pytest.mark.parametrize("template", list(Template))
def test_workflow_comes_with_its_steps(
    database: Database, make_user: MakeUser, make_workflow: Make, template: Template
) -> None:
    alice = make_user()
    workflow = make_workflow(alice, template=template)
    assert workflow.type == template.value
    assert tuple(step.name for step in workflow.steps) == TEMPLATES[template].steps
    with database.session(read_only=True) as session:
        listed = elements.list_children(session, alice, workflow.id)
    assert [one.position for one in listed.items] == list(range(len(TEMPLATES[template].steps)))
    assert all(one.type == one.name for one in listed.items)


@pytest.mark.feature("WS-02")
def test_a_free_workflow_takes_steps_of_ones_own(database: Database, make_user: MakeUser, make_workflow: Make) -> None:
    alice = make_user()
    free, fixed = make_workflow(alice, template=Template.FREE), make_workflow(alice, template=Template.SPA)
    with database.session() as session:
        for name in ("Prepare", "Collect"):
            elements.create_element(session, alice, StepCreate(name=name, parent_id=free.id))
        listed = elements.list_children(session, alice, free.id)
        assert [(one.name, one.type, one.position) for one in listed.items] == [("Prepare", "", 0), ("Collect", "", 1)]
        with pytest.raises(Invalid, match="are fixed"):
            elements.create_element(session, alice, StepCreate(name="Mine", parent_id=fixed.id))


@pytest.mark.feature("WS-05")
def test_runs_are_made_only_where_they_belong(database: Database, make_user: MakeUser, make_workflow: Make) -> None:
    alice = make_user()
    spa, tomo = make_workflow(alice), make_workflow(alice, template=Template.TOMO_LIVE)
    made: dict[DatasetType, set[str]] = {kind: set() for kind in DatasetType}
    with database.session() as session:
        for step in (*spa.steps, *tomo.steps):
            for kind in DatasetType:
                try:
                    elements.create_element(session, alice, DatasetCreate(name="D", parent_id=step.id, type=kind))
                except Invalid:
                    continue
                made[kind].add(step.name)
    every = {step.name for step in (*spa.steps, *tomo.steps)}
    assert made == {
        DatasetType.FREE: every,
        DatasetType.EPU_RUN: {"Screening", "Imaging"},
        DatasetType.TOMO_RUN: {"Imaging"},
        DatasetType.CRYOSPARC_LIVE_RUN: set(),
    }


@pytest.mark.feature("WS-01")
def test_nothing_is_made_where_it_does_not_belong(database: Database, make_user: MakeUser, make_workflow: Make) -> None:
    alice = make_user()
    workflow = make_workflow(alice)
    step = workflow.steps[0]
    with database.session() as session:
        before = events.list_events(session, alice, -1).last_seq
        for wanted in (
            FolderCreate(name="In a workflow", parent_id=workflow.id),
            FolderCreate(name="In a step", parent_id=step.id),
            WorkflowCreate(name="In a step", parent_id=step.id, template=Template.SPA),
            DatasetCreate(name="In a workflow", parent_id=workflow.id, type=DatasetType.FREE),
        ):
            with pytest.raises(Invalid, match=r"cannot be made|are fixed"):
                elements.create_element(session, alice, wanted)
        with pytest.raises(NotFound):
            elements.create_element(session, alice, FolderCreate(name="Nowhere", parent_id=uuid4()))
        assert events.list_events(session, alice, -1).last_seq == before


def test_the_tree_is_as_deep_as_paths_allow(database: Database, make_user: MakeUser) -> None:
    alice = make_user()
    with database.session() as session:
        parent = None
        for level in range(64):
            one = elements.create_element(session, alice, FolderCreate(name=f"Level {level}", parent_id=parent))
            parent = one.id
        with pytest.raises(Invalid, match="deeper than 64"):
            elements.create_element(session, alice, FolderCreate(name="One more", parent_id=parent))
        assert len(elements.breadcrumb(session, alice, one.id)) == 64


@pytest.mark.parametrize("descending", [False, True])
def test_children_are_sorted_as_people_expect(
    database: Database, make_user: MakeUser, make_folder: Make, descending: bool
) -> None:
    alice = make_user()
    outer = make_folder(alice)
    made = [make_folder(alice, name, parent=outer) for name in ("Grid 10", "grid 2", "ångström", "Grid 1", "Zebra")]
    with database.session(read_only=True) as session:

        def listed(sort: ElementSort | None) -> list[str]:
            page = elements.list_children(session, alice, outer.id, sort=sort, descending=descending)
            names = [one.name for one in page.items]
            return names[::-1] if descending else names

        assert listed(ElementSort.NAME) == ["Grid 1", "grid 2", "Grid 10", "Zebra", "ångström"]
        assert listed(ElementSort.CREATED) == listed(ElementSort.POSITION) == listed(None)
        assert listed(None) == [one.name for one in made]
        assert sorted(listed(ElementSort.UPDATED)) == sorted(listed(None))


def test_pages_cover_a_listing_once(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    outer = make_folder(alice)
    with database.session() as session:
        for number in range(7):
            elements.create_element(session, alice, FolderCreate(name=f"Same {number % 2}", parent_id=outer.id))
        whole = elements.list_children(session, alice, outer.id, sort=ElementSort.NAME)
        pages = [
            elements.list_children(session, alice, outer.id, sort=ElementSort.NAME, offset=offset, limit=3)
            for offset in (0, 3, 6, 9)
        ]
        assert [one for page in pages for one in page.items] == list(whole.items)
        assert {page.total for page in pages} == {7}
        assert [page.offset for page in pages] == [0, 3, 6, 9]
        for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
            with pytest.raises(Invalid, match="page"):
                elements.list_children(session, alice, outer.id, **bad)


@pytest.mark.feature("WS-08")
@pytest.mark.parametrize("sort", list(ElementSort))
@pytest.mark.parametrize("descending", [False, True])
def test_the_page_that_holds_an_element_is_found(
    database: Database, make_user: MakeUser, make_folder: Make, sort: ElementSort, descending: bool
) -> None:
    alice, bob = make_user(), make_user()
    outer = make_folder(alice)
    hidden = make_folder(bob)
    with database.session() as session:
        for number in range(8):
            elements.create_element(session, alice, FolderCreate(name=f"Same {number % 3}", parent_id=outer.id))
    with database.session(read_only=True) as session:
        for parent in (outer.id, None):
            whole = elements.list_children(session, alice, parent, sort=sort, descending=descending).items
            for place, one in enumerate(whole):
                page = elements.list_children(
                    session, alice, parent, sort=sort, descending=descending, limit=3, holding=one.id
                )
                assert page.offset == place - place % 3
                assert page.items == whole[page.offset : page.offset + 3]
            for absent in (hidden.id, uuid4()):
                with pytest.raises(NotFound):
                    elements.list_children(session, alice, parent, holding=absent)


@pytest.mark.feature("SH-06")
def test_the_unseen_is_absent_and_the_forbidden_is_refused(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob = make_user(), make_user()
    folder = make_folder(alice, "Secret")
    absent = uuid4()
    with database.session() as session:
        answers = []
        for element_id in (folder.id, absent):
            for call in (
                lambda e: elements.get_element(session, bob, e),
                lambda e: elements.list_children(session, bob, e),
                lambda e: elements.breadcrumb(session, bob, e),
                lambda e: metadata.list_metadata(session, bob, e),
                lambda e: elements.mark_opened(session, bob, e),
                lambda e: elements.update_element(session, bob, e, ElementUpdate(name="Mine")),
                lambda e: elements.create_element(session, bob, FolderCreate(name="In", parent_id=e)),
            ):
                with pytest.raises(NotFound) as raised:
                    call(element_id)
                answers.append(str(raised.value).replace(str(element_id), "…"))
        assert len(set(answers)) == 1, "the answer must not tell whether the element exists"
        assert elements.list_children(session, bob, None).total == 0
    grant(folder, bob, Role.VIEWER)
    with database.session() as session:
        assert elements.get_element(session, bob, folder.id).my_role is Role.VIEWER
        with pytest.raises(Forbidden, match="as viewer"):
            elements.update_element(session, bob, folder.id, ElementUpdate(name="Mine"))
        with pytest.raises(Forbidden):
            elements.create_element(session, bob, FolderCreate(name="In", parent_id=folder.id))
    grant(folder, bob, Role.COLLABORATOR)
    with database.session() as session:
        with pytest.raises(Forbidden, match="as collaborator"):
            guard.require_owner(session, bob, folder.id)
        assert guard.require_owner(session, alice, folder.id).id == folder.id
        made = elements.create_element(session, bob, FolderCreate(name="In", parent_id=folder.id))
        assert (made.creator, made.my_role) == ("bob", Role.COLLABORATOR)


def test_public_elements_are_seen_by_everybody(
    database: Database, make_user: MakeUser, make_folder: Make, own_permissions: Callable[..., None]
) -> None:
    alice, bob = make_user(), make_user()
    folder = make_folder(alice)
    own_permissions(folder, {alice: Role.OWNER}, public=Role.VIEWER)
    with database.session() as session:
        assert elements.get_element(session, bob, folder.id).my_role is Role.VIEWER
        assert elements.get_element(session, alice, folder.id).my_role is Role.OWNER
        with pytest.raises(Forbidden):
            elements.update_element(session, bob, folder.id, ElementUpdate(name="Mine"))


@pytest.mark.feature("SH-06")
def test_what_is_shared_out_of_a_hidden_folder_is_at_the_top(
    database: Database,
    make_user: MakeUser,
    make_folder: Make,
    make_workflow: Make,
    own_permissions: Callable[..., None],
) -> None:
    alice, bob = make_user(), make_user()
    folder = make_folder(alice, "Private")
    workflow = make_workflow(alice, "Shared", folder=folder)
    own_permissions(workflow, {alice: Role.OWNER, bob: Role.VIEWER})
    with database.session(read_only=True) as session:
        (top,) = elements.list_children(session, bob, None).items
        assert (top.id, top.parent_id, len(top.steps)) == (workflow.id, None, 6)
        assert [crumb.name for crumb in elements.breadcrumb(session, bob, workflow.steps[4].id)] == [
            "Shared",
            "Imaging",
        ]
        (mine,) = elements.list_children(session, alice, None).items
        assert mine.id == folder.id


def test_changes_are_kept_and_told(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice, "Old")
    with database.session() as session:
        before = events.list_events(session, alice, -1).last_seq
        changed = elements.update_element(session, alice, folder.id, ElementUpdate(name=" New ", description="About"))
        same = elements.update_element(session, alice, folder.id, ElementUpdate(name="New"))
        assert (changed.name, changed.description) == ("New", "About")
        assert changed == same
        assert changed.updated >= folder.updated
        told = events.list_events(session, alice, before).events
        assert [(one.kind, one.element_id) for one in told] == [(EventKind.ELEMENT_UPDATED, folder.id)]
        assert session.get_one(ElementRow, folder.id).sort_key == "new"


@pytest.mark.feature("WS-08", "SH-06")
def test_events_say_where_an_element_lies_if_that_may_be_seen(
    database: Database,
    make_user: MakeUser,
    make_folder: Make,
    make_workflow: Make,
    own_permissions: Callable[..., None],
) -> None:
    alice, bob = make_user(), make_user()
    folder = make_folder(alice)
    workflow = make_workflow(alice, folder=folder)
    own_permissions(workflow, {alice: Role.OWNER, bob: Role.VIEWER})
    with database.session() as session:
        before = events.list_events(session, alice, -1).last_seq
        elements.update_element(session, alice, workflow.id, ElementUpdate(name="New"))
        elements.update_element(session, alice, folder.id, ElementUpdate(name="New"))
        told = {who: events.list_events(session, who, before).events for who in (alice, bob)}
    assert [(one.element_id, one.parent_id) for one in told[alice]] == [(workflow.id, folder.id), (folder.id, None)]
    assert [(one.element_id, one.parent_id) for one in told[bob]] == [(workflow.id, None)]


@pytest.mark.feature("WS-04")
def test_status_is_set_on_steps_and_shows_on_the_workflow(
    database: Database, make_user: MakeUser, make_workflow: Make, make_run: Make
) -> None:
    alice = make_user()
    workflow = make_workflow(alice)
    run = make_run(alice, workflow=workflow)
    with database.session() as session:
        elements.update_element(session, alice, workflow.steps[0].id, ElementUpdate(status=Status.COMPLETED))
        (listed,) = elements.list_children(session, alice, workflow.parent_id).items
        assert [step.status for step in listed.steps] == [Status.COMPLETED] + 5 * [Status.NOT_STARTED]
        with pytest.raises(Invalid, match="follows its acquisitions"):
            elements.update_element(session, alice, run.id, ElementUpdate(status=Status.COMPLETED))
        with pytest.raises(Invalid, match="only steps and datasets"):
            elements.update_element(session, alice, workflow.id, ElementUpdate(status=Status.COMPLETED))


def test_an_element_being_deleted_takes_nothing(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice)
    with database.session() as session:
        session.get_one(ElementRow, folder.id).state = "deleting"
    with database.session() as session, pytest.raises(Conflict, match="being deleted"):
        elements.create_element(session, alice, FolderCreate(name="Late", parent_id=folder.id))


@pytest.mark.feature("WS-09")
def test_breadcrumb_names_every_level(database: Database, make_user: MakeUser, make_run: Make) -> None:
    alice = make_user()
    run = make_run(alice, "Session 7")
    with database.session(read_only=True) as session:
        crumbs = elements.breadcrumb(session, alice, run.id)
    assert [(one.kind.value, one.name) for one in crumbs] == [
        ("folder", "Folder"),
        ("workflow", "Workflow"),
        ("step", "Imaging"),
        ("dataset", "Session 7"),
    ]


def test_opening_is_noted_once_per_user(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice)
    for _ in range(2):
        with database.session() as session:
            elements.mark_opened(session, alice, folder.id)
    with database.session(read_only=True) as session:
        uses = session.scalars(select(LastUseRow)).all()
    assert [(use.user_id, use.element_id) for use in uses] == [(alice.user_id, folder.id)]


def test_metadata_comes_by_group_and_keeps_its_type(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice)
    values = {"double": 0.84, "integer": 40, "boolean": True, "string": "K3", "date": "2024-05-17T12:00:00Z"}
    with database.session() as session:
        for type_, value in values.items():
            session.add(
                MetadataRow(element_id=folder.id, group="Camera", name=type_, type=type_, value=json.dumps(value))
            )
    with database.session(read_only=True) as session:
        found = metadata.list_metadata(session, alice, folder.id, filter_text="camera")
    assert {one.type: one.value for one in found} == values
    assert [one.name for one in found] == sorted(values)


def test_the_database_keeps_the_promises_too(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice)
    make_folder(alice, "First", parent=folder)
    for broken in (
        {"position": 0},  # the place of "First"
        {"position": 1, "status": "unknown"},
        {"position": 1, "state": "gone"},
        {"position": 1, "kind": "workflow", "parent_id": None, "inherits": False},
        {"position": 1, "parent_id": None},  # a root cannot inherit
        {"position": 1, "name": ""},
    ):
        values = {"kind": "folder", "name": "Second", "parent_id": folder.id, "inherits": True, **broken}
        with database.session() as session:
            shared = session.get_one(ElementRow, folder.id).permission_set_id
            session.add(ElementRow(path="/x/", permission_set_id=shared, creator_id=alice.user_id, **values))
            with pytest.raises(IntegrityError):
                session.flush()
            session.rollback()


@pytest.mark.parametrize("sort", list(ElementSort))
def test_a_page_of_a_large_folder_is_read_by_index(
    database: Database, make_user: MakeUser, make_folder: Make, sort: ElementSort
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL scans tables as small as this; SQLite shows whether an index serves")
    alice = make_user()
    outer = make_folder(alice)
    asked: list[tuple[str, tuple[object, ...]]] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _cursor, *call: asked.append(call[:2]))
    with database.session(read_only=True) as session:
        elements.list_children(session, alice, outer.id, sort=sort, limit=50)
        listing = [call for call in asked if "element" in call[0]]
        plans = [
            str(row[3])
            for statement, values in listing
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert any("COVERING INDEX ix_element_siblings (parent_id=?)" in plan for plan in plans)
    assert not [plan for plan in plans if plan.startswith("SCAN element") or "FOR ORDER BY" in plan]
