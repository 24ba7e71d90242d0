"""Moving elements, their order, revisions, statuses that flow up, and what the audit trail keeps of it."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError

from athena.contract.elements import (
    DatasetCreate,
    DatasetType,
    Element,
    ElementUpdate,
    Status,
    StepCreate,
    Template,
)
from athena.contract.people import Principal, Role
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.domain import tree
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import audit, elements, places, retry

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


@pytest.mark.feature("WS-01")
def test_a_subtree_moves_whole(
    database: Database, make_user: MakeUser, make_folder: Make, make_workflow: Make, make_run: Make
) -> None:
    alice = make_user()
    old, new = make_folder(alice, "Old"), make_folder(alice, "New")
    make_folder(alice, "There already", parent=new)
    workflow = make_workflow(alice, folder=old)
    run = make_run(alice, workflow=workflow)
    with database.session() as session:
        moved = places.move_element(session, alice, workflow.id, new.id)
        assert moved is not None
        assert (moved.parent_id, moved.position, moved.revision) == (new.id, 1, workflow.revision + 1)
        assert [crumb.name for crumb in elements.breadcrumb(session, alice, run.id)][:2] == ["New", "Workflow"]
        assert elements.get_element(session, alice, run.id).updated == run.updated
        assert elements.get_element(session, alice, old.id).child_count == 0
        assert places.move_element(session, alice, workflow.id, new.id) == moved


@pytest.mark.feature("WS-01", "WS-05")
def test_nothing_moves_where_it_does_not_belong(
    database: Database, make_user: MakeUser, make_folder: Make, make_workflow: Make, make_run: Make
) -> None:
    alice, bob = make_user(), make_user()
    folder, his = make_folder(alice), make_folder(bob)
    inner = make_folder(alice, "Inner", parent=folder)
    workflow, other = make_workflow(alice, folder=folder), make_workflow(alice, folder=folder)
    run = make_run(alice, workflow=workflow)
    for what, to, problem, words in (
        (folder, folder, Conflict, "into itself"),
        (folder, inner, Conflict, "into itself"),
        (workflow, None, Invalid, "moved to the root"),
        (inner, workflow, Invalid, "moved to a workflow"),
        (workflow.steps[0], other, Invalid, "stays in its workflow"),
        (run, other.steps[4], Invalid, "A run stays"),
        (run, workflow.steps[0], Invalid, "cannot be moved to step “Biochemistry”"),
        (inner, his, NotFound, str(his.id)),
    ):
        with pytest.raises(problem, match=words), database.session() as session:
            places.move_element(session, alice, what.id, to.id if to else None)
    with database.session() as session:
        moved = places.move_element(session, alice, run.id, workflow.steps[3].id)
        assert moved is not None
        assert [crumb.name for crumb in elements.breadcrumb(session, alice, run.id)][2] == "Screening"


def test_a_move_keeps_the_tree_shallow(
    database: Database, make_user: MakeUser, make_folder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MAX_DEPTH", 4)
    alice = make_user()
    deep = make_folder(alice, "0")
    for level in range(1, 3):
        deep = make_folder(alice, str(level), parent=deep)
    top = make_folder(alice, "Top")
    make_folder(alice, "Below", parent=top)
    with database.session() as session, pytest.raises(Invalid, match="deeper than 4"):
        places.move_element(session, alice, top.id, deep.id)


@pytest.mark.feature("SH-02")
def test_moving_takes_an_owner_and_a_writer(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob = make_user(), make_user()
    hers, his = make_folder(alice, "Hers"), make_folder(bob, "His")
    inner = make_folder(alice, "Inner", parent=hers)
    grant(hers, bob, Role.COLLABORATOR)
    grant(his, alice, Role.VIEWER)
    with database.session() as session:
        with pytest.raises(Forbidden, match="not move"):
            places.move_element(session, bob, inner.id, his.id)
        with pytest.raises(Forbidden, match="not write"):
            places.move_element(session, alice, inner.id, his.id)


@pytest.mark.feature("WS-03")
def test_own_steps_are_ordered_and_template_steps_are_not(
    database: Database, make_user: MakeUser, make_workflow: Make, grant: Callable[..., None]
) -> None:
    alice, bob = make_user(), make_user()
    free, fixed = make_workflow(alice, template=Template.FREE), make_workflow(alice)
    grant(free, bob)
    with database.session() as session:
        a, b, c, d = (
            elements.create_element(session, alice, StepCreate(name=name, parent_id=free.id)) for name in "ABCD"
        )
        session.execute(delete(ElementRow).where(ElementRow.id == b.id))  # leaves a gap in the positions

        def order() -> str:
            return "".join(step.name for step in elements.get_element(session, alice, free.id).steps)

        for what, before, expected in ((d, a, "DAC"), (a, None, "DCA"), (c, c, "DCA"), (a, c, "DAC"), (d, a, "DAC")):
            placed = places.place_element(session, alice, what.id, before.id if before else None)
            assert (order(), placed.position) == (expected, expected.index(what.name))
        for before_id in (uuid4(), fixed.steps[0].id):
            with pytest.raises(NotFound):
                places.place_element(session, alice, a.id, before_id)
        with pytest.raises(Forbidden):
            places.place_element(session, bob, a.id, None)
        with pytest.raises(Invalid, match="template's steps is fixed"):
            places.place_element(session, alice, fixed.steps[0].id, None)
        with pytest.raises(Invalid, match="at the top"):
            places.place_element(session, alice, free.parent_id, None)  # type: ignore[arg-type]
        assert order() == "DAC"


def test_a_change_on_an_old_revision_is_refused(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder, other = make_folder(alice), make_folder(alice, "Other")
    with database.session() as session:
        first = ElementUpdate(name="First", revision=folder.revision)
        assert elements.update_element(session, alice, folder.id, first).revision == folder.revision + 1
        with pytest.raises(Conflict, match="somebody else"):
            elements.update_element(session, alice, folder.id, ElementUpdate(name="Lost", revision=folder.revision))
        with pytest.raises(Conflict, match="somebody else"):
            places.move_element(session, alice, folder.id, other.id, revision=folder.revision)
        assert elements.update_element(session, alice, folder.id, ElementUpdate(name="First")).name == "First"


@pytest.mark.feature("WS-04")
def test_statuses_that_people_set_flow_up(database: Database, make_user: MakeUser, make_workflow: Make) -> None:
    alice = make_user()
    step = make_workflow(alice).steps[0]
    with database.session() as session:
        made = [
            elements.create_element(session, alice, DatasetCreate(name=name, parent_id=step.id, type=DatasetType.FREE))
            for name in "AB"
        ]

        def set_to(which: int, status: Status) -> tuple[Status, int]:
            elements.update_element(session, alice, made[which].id, ElementUpdate(status=status))
            above = elements.get_element(session, alice, step.id)
            return above.status, above.revision

        assert set_to(0, Status.COMPLETED) == (Status.IN_PROGRESS, 1)
        assert set_to(1, Status.WARNING) == (Status.WARNING, 1)
        assert set_to(1, Status.COMPLETED) == (Status.COMPLETED, 1)
        elements.update_element(session, alice, step.id, ElementUpdate(status=Status.SUSPENDED))
        assert set_to(1, Status.WARNING) == (Status.SUSPENDED, 2)


@pytest.mark.feature("WS-04", "WS-05")
@pytest.mark.parametrize("type_", [kind for kind in DatasetType if kind is not DatasetType.FREE])
def test_no_run_of_any_kind_takes_a_status(
    database: Database, make_user: MakeUser, make_run: Make, type_: DatasetType
) -> None:
    alice = make_user()
    run = make_run(alice)
    with database.session() as session:
        session.get_one(ElementRow, run.id).type = type_.value
        session.flush()
        with pytest.raises(Invalid, match="follows its acquisitions"):
            elements.update_element(session, alice, run.id, ElementUpdate(status=Status.COMPLETED))


@pytest.mark.feature("BY-11")
def test_the_trail_is_for_owners_and_outlives_the_element(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob, carol = make_user(), make_user(), make_user()
    admin = make_user("admin", admin=True)
    hidden, shared = make_folder(alice, "Hidden"), make_folder(alice, "Shared")
    folder = make_folder(alice, "Moved", parent=hidden)
    grant(shared, bob, Role.OWNER)
    grant(shared, carol, Role.COLLABORATOR)
    with database.session() as session:
        places.move_element(session, alice, folder.id, shared.id)
        elements.update_element(session, bob, folder.id, ElementUpdate(name="Renamed", description="long"))
        page = audit.list_audit(session, bob, folder.id, limit=3)
        assert page.total == 4
        assert [(one.username, one.action) for one in page.items] == [
            ("bob", "described"),
            ("bob", "renamed"),
            ("alice", "moved"),
        ]
        assert page.items[1].detail == {"before": "Moved", "after": "Renamed"}
        # he sees where it went, but not the folder it came from
        assert page.items[2].detail == {"to_id": str(shared.id)}
        (moved,) = audit.list_audit(session, alice, folder.id, offset=2, limit=1).items
        assert moved.detail == {"from_id": str(hidden.id), "to_id": str(shared.id)}
        with pytest.raises(Forbidden, match="not audit"):
            audit.list_audit(session, carol, folder.id)
        with pytest.raises(NotFound):
            audit.list_audit(session, bob, hidden.id)
        session.execute(delete(ElementRow).where(ElementRow.id == folder.id))
        with pytest.raises(NotFound):
            audit.list_audit(session, bob, folder.id)
        assert audit.list_audit(session, admin, folder.id).total == 4
        with pytest.raises(NotFound):
            audit.list_audit(session, admin, uuid4())


@pytest.mark.feature("BY-11")
@pytest.mark.parametrize("statement", ["UPDATE audit SET username = 'carol'", "DELETE FROM audit"])
def test_the_trail_only_grows(database: Database, make_user: MakeUser, make_folder: Make, statement: str) -> None:
    alice = make_user()
    folder = make_folder(alice)
    with pytest.raises(DBAPIError, match="only grows"), database.session() as session:
        session.execute(text(statement))
    with database.session(read_only=True) as session:
        assert [one.username for one in audit.list_audit(session, alice, folder.id).items] == ["alice"]


@pytest.mark.feature("BY-11")
def test_what_is_done_to_a_run_is_recorded(
    database: Database, make_user: MakeUser, make_run: Make, add_acquisitions_to: Callable[..., None]
) -> None:
    from athena.contract.acquisitions import AcquisitionState
    from athena.db.acquisitions import AcquisitionRow

    alice = make_user()
    run = make_run(alice)
    add_acquisitions_to(run, count=2, state=AcquisitionState.ERROR)
    with database.session() as session:
        session.get_one(AcquisitionRow, (run.id, 0)).movie = "movie.tiff"
        session.flush()
        assert retry.retry_failed(session, alice, run.id) == 1
        assert [(one.action, one.detail) for one in audit.list_audit(session, alice, run.id).items] == [
            ("retried", {"acquisitions": 1}),
            ("created", {"type": "epu_run"}),
        ]
