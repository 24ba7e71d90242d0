"""What the laws of sharing leave out: events, conflicts, names, groups, the guard of deletions."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.groups import GroupCreate, GroupUpdate
from athena.contract.people import Action, PlatformRole, Principal, Role
from athena.contract.sharing import GrantChange, GranteeKind, PermissionsReplace
from athena.db.engine import Database
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import elements, events, groups, guard, places, sharing

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


def told(database: Database, user: Principal, after: int) -> list[tuple[EventKind, bool]]:
    """Events a user sees after a number: kind, and whether it names an element."""
    with database.session(read_only=True) as session:
        found = events.list_events(session, user, after).events
    return [(event.kind, event.element_id is not None) for event in found]


def newest(database: Database, user: Principal) -> int:
    with database.session(read_only=True) as session:
        return events.list_events(session, user, -1).last_seq


@pytest.mark.feature("SH-05", "SH-06")
def test_those_who_lose_sight_learn_it_without_a_name(
    database: Database, make_user: MakeUser, make_folder: Make, make_workflow: Make
) -> None:
    alice, bob, carol = make_user(), make_user(), make_user()
    admin = make_user("admin", roles=(PlatformRole.CUSTOMER_ADMIN,))
    with database.session() as session:
        groups.create_group(session, admin, GroupCreate(name="Team", members=("bob",)))
    folder = make_folder(alice)
    lost, gained = [(EventKind.ACCESS_CHANGED, False)], [(EventKind.PERMISSIONS_CHANGED, True)]
    steps = (
        (GrantChange(name="bob", role=Role.VIEWER), gained),
        (GrantChange(name="bob", role=None), lost),
        (GrantChange(kind=GranteeKind.GROUP, name="Team", role=Role.VIEWER), gained),
        (GrantChange(kind=GranteeKind.GROUP, name="Team", role=None), lost),
    )
    for change, expected in steps:
        before = newest(database, bob)
        with database.session() as session:
            sharing.set_grant(session, alice, folder.id, change)
        assert [one for one in told(database, bob, before) if one in expected] == expected
        assert told(database, carol, before) == []
        assert told(database, alice, before) == gained
        # what he saw while he saw it is gone from the log too
        with database.session(read_only=True) as session:
            named = {event.element_id for event in events.list_events(session, bob, 0, limit=100).events}
        assert (folder.id in named) == (expected is gained)
    with database.session() as session:
        sharing.set_public(session, alice, folder.id, Role.VIEWER)
    before = newest(database, bob)
    with database.session() as session:
        sharing.set_public(session, alice, folder.id, None)
    assert told(database, bob, before) == told(database, carol, before) == lost


@pytest.mark.feature("SH-06")
def test_a_move_out_of_sight_is_told_like_a_lost_grant(
    database: Database, make_user: MakeUser, make_folder: Make, make_workflow: Make, grant: Callable[..., None]
) -> None:
    alice, bob = make_user(), make_user()
    shared, private = make_folder(alice, "Shared"), make_folder(alice, "Private")
    grant(shared, bob)
    workflow = make_workflow(alice, folder=shared)
    before = newest(database, bob)
    with database.session() as session:
        assert places.move_element(session, alice, workflow.id, private.id) is not None
    assert told(database, bob, before) == [(EventKind.ACCESS_CHANGED, False)]


@pytest.mark.feature("BY-08")
def test_who_joins_or_leaves_a_group_is_told(database: Database, make_user: MakeUser) -> None:
    admin, bob, carol = make_user("admin", roles=(PlatformRole.CUSTOMER_ADMIN,)), make_user("bob"), make_user("carol")
    with database.session() as session:
        group = groups.create_group(session, admin, GroupCreate(name="Team"))
        for change in (GroupUpdate(add=("bob", "bob")), GroupUpdate(add=("bob",)), GroupUpdate(remove=("bob",))):
            groups.update_group(session, admin, group.id, change)
        groups.update_group(session, admin, group.id, GroupUpdate(add=("bob",)))
        groups.delete_group(session, admin, group.id)
    assert told(database, bob, 0) == 4 * [(EventKind.ACCESS_CHANGED, False)]
    assert told(database, carol, 0) == []


@pytest.mark.feature("BY-08", "AD-05")
def test_groups_are_for_user_managers(database: Database, make_user: MakeUser) -> None:
    manager, bob = make_user("manager", roles=(PlatformRole.USER_MANAGER,)), make_user("bob")
    with database.session() as session:
        group = groups.create_group(session, manager, GroupCreate(name="Team", members=("bob",)))
        other = groups.create_group(session, manager, GroupCreate(name="Others"))
        assert [one.name for one in groups.list_groups(session, bob)] == ["Team"]
        assert [one.name for one in groups.list_groups(session, manager)] == ["Others", "Team"]
        for deed in (
            lambda: groups.create_group(session, bob, GroupCreate(name="Mine")),
            lambda: groups.update_group(session, bob, group.id, GroupUpdate(name="Mine")),
            lambda: groups.delete_group(session, bob, group.id),
        ):
            with pytest.raises(Forbidden):
                deed()
        with pytest.raises(Conflict, match="already a group"):
            groups.update_group(session, manager, other.id, GroupUpdate(name="Team"))
        with pytest.raises(NotFound, match="nobody"):
            groups.update_group(session, manager, group.id, GroupUpdate(add=("nobody",)))
        with pytest.raises(NotFound):
            groups.delete_group(session, manager, uuid4())
        assert groups.list_groups(session, bob)[0].members == ("bob",)


@pytest.mark.feature("SH-05")
def test_all_at_once_refuses_what_is_out_of_date(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice, bob = make_user(), make_user()
    folder = make_folder(alice)
    both = (GrantChange(name="alice", role=Role.OWNER), GrantChange(name="bob", role=Role.VIEWER))
    with database.session() as session:
        seen = sharing.get_permissions(session, alice, folder.id)
        whole = PermissionsReplace(grants=both, public=Role.VIEWER, revision=seen.revision)
        new = sharing.replace_permissions(session, alice, folder.id, whole)
        assert new is not None
        assert [(one.grantee.name, one.role) for one in new.grants] == [("alice", Role.OWNER), ("bob", Role.VIEWER)]
        assert (new.public, new.revision) == (Role.VIEWER, seen.revision + 1)
        assert sharing.get_permissions(session, bob, folder.id).may_edit is False
    for wrong, problem in (
        (whole, Conflict),
        (PermissionsReplace(grants=both[1:]), Conflict),
        (PermissionsReplace(grants=both[:1] * 2), Invalid),
        (PermissionsReplace(grants=(GrantChange(name="alice", role=None),)), Invalid),
    ):
        with pytest.raises(problem), database.session() as session:
            sharing.replace_permissions(session, alice, folder.id, wrong)
    with database.session() as session:
        assert sharing.get_permissions(session, alice, folder.id).model_dump() == new.model_dump()


@pytest.mark.feature("SH-03", "SH-05")
def test_what_was_read_before_a_break_is_out_of_date_after_it(
    database: Database, make_user: MakeUser, make_folder: Make
) -> None:
    alice, _bob = make_user(), make_user()
    inner = make_folder(alice, "Inner", parent=make_folder(alice))
    with database.session() as session:
        seen = sharing.get_permissions(session, alice, inner.id)
        sharing.set_grant(session, alice, inner.id, GrantChange(name="bob", role=Role.VIEWER))
        old = PermissionsReplace(grants=(GrantChange(name="alice", role=Role.OWNER),), revision=seen.revision)
        with pytest.raises(Conflict, match="Somebody else"):
            sharing.replace_permissions(session, alice, inner.id, old)


@pytest.mark.feature("SH-05")
def test_names_are_completed_and_no_more(database: Database, make_user: MakeUser) -> None:
    admin = make_user("admin", roles=(PlatformRole.CUSTOMER_ADMIN,))
    for name in ("bob", "bobby", "b%", "carol"):
        make_user(name)
    with database.session() as session:
        groups.create_group(session, admin, GroupCreate(name="Board", members=("carol",), description="secret"))
        found = sharing.find_grantees(session, " Bo")
        assert [one.name for one in found] == ["Board", "bob", "bobby"]
        assert all(set(one.model_dump()) == {"kind", "id", "name", "label"} for one in found)
        assert [one.name for one in sharing.find_grantees(session, "b%")] == ["b%"]
        assert len(sharing.find_grantees(session, "b", limit=2)) == 2
        assert sharing.find_grantees(session, "  ") == ()


@pytest.mark.feature("WS-13")
def test_who_may_delete(
    database: Database, make_user: MakeUser, make_folder: Make, make_workflow: Make, grant: Callable[..., None]
) -> None:
    alice, bob, admin = make_user(), make_user(), make_user("admin", roles=(PlatformRole.CUSTOMER_ADMIN,))
    folder = make_folder(alice)
    workflow = make_workflow(alice, folder=folder)
    grant(folder, bob, Role.COLLABORATOR)
    with database.session() as session, pytest.raises(Forbidden, match="not delete"):
        guard.require_deleter(session, bob, workflow.id)
    grant(folder, bob, Role.OWNER)
    with database.session() as session:
        assert guard.require_deleter(session, bob, workflow.id).id == workflow.id
        with pytest.raises(Forbidden, match="who made it"):
            guard.require_deleter(session, bob, folder.id)
        # the element says the same, so that nobody is offered what is refused
        for one, deletes in ((alice, True), (admin, True), (bob, False)):
            assert (Action.DELETE in elements.get_element(session, one, folder.id).may) is deletes
            assert Action.DELETE in elements.get_element(session, one, workflow.id).may
        for one in (alice, admin):
            assert guard.require_deleter(session, one, folder.id).id == folder.id
        sharing.set_grant(session, alice, folder.id, GrantChange(name="alice", role=Role.VIEWER))
        with pytest.raises(Forbidden, match="not delete"):
            guard.require_deleter(session, alice, folder.id)


@pytest.mark.feature("SH-01")
def test_a_run_has_its_workflows_permissions(database: Database, make_user: MakeUser, make_run: Make) -> None:
    alice, bob = make_user(), make_user()
    run = make_run(alice)
    with database.session() as session:
        crumbs = elements.breadcrumb(session, alice, run.id)
        sharing.set_grant(session, alice, crumbs[1].id, GrantChange(name="bob", role=Role.VIEWER))
        shown = sharing.get_permissions(session, bob, run.id)
        assert (shown.source, shown.inherits, shown.may_edit) == (crumbs[1], True, False)
        for deed in (
            lambda: sharing.set_grant(session, alice, run.id, GrantChange(name="bob", role=None)),
            lambda: sharing.inherit_again(session, alice, run.id),
            lambda: sharing.set_public(session, alice, run.id, Role.VIEWER),
        ):
            with pytest.raises(Invalid, match="no permissions of its own"):
                deed()
