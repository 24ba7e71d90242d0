"""The permission table in Python and the SQL filter agree on random trees, grants and public roles."""

import itertools
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.people import Action, PlatformRole, Principal, Role
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.engine import Database
from athena.db.events import append_event, last_seq
from athena.db.people import UserRow
from athena.db.visibility import restrict, visible_sets
from athena.domain.permissions import PERMISSIONS, can, roles_allowing, strongest
from athena.domain.tree import child_path
from athena.errors import NotFound
from athena.services import elements, events, guard

USERS = 3


@dataclass(frozen=True)
class Permissions:
    """A permission set: a role per user (None: no grant), and the public role."""

    grants: tuple[Role | None, ...]
    public: Role | None


@dataclass(frozen=True)
class Node:
    """A folder: the number of its parent (None: a root) and its own permissions (None: its parent's)."""

    parent: int | None
    own: Permissions | None


permissions = st.builds(
    Permissions,
    st.tuples(*[st.sampled_from([None, None, *Role])] * USERS),
    st.sampled_from([None, None, None, Role.VIEWER, Role.COLLABORATOR]),
)


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    """Folders in an order in which parents come first."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 8))):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        own = draw(permissions) if parent is None else draw(st.none() | permissions)
        nodes.append(Node(parent, own))
    return nodes


def permissions_of(nodes: list[Node], number: int) -> Permissions:
    """Permissions in force for a node: its own, or those of the nearest one above that has some."""
    node = nodes[number]
    if node.own is not None:
        return node.own
    assert node.parent is not None
    return permissions_of(nodes, node.parent)


def plant(session: Session, nodes: list[Node]) -> tuple[list[UUID], list[Principal]]:
    """Write a tree; returns the ids of its nodes and the users as principals."""
    users = [UserRow(username=f"user-{uuid4().hex}") for _ in range(USERS)]
    session.add_all(users)
    session.flush()
    rows: list[ElementRow] = []
    for number, node in enumerate(nodes):
        parent = rows[node.parent] if node.parent is not None else None
        if node.own is not None:
            held = [
                GrantRow(user_id=user.id, role=role.value)
                for user, role in zip(users, node.own.grants, strict=True)
                if role is not None
            ]
            shared = PermissionSetRow(public_role=node.own.public, grants=held)
            session.add(shared)
            session.flush()
            set_id = shared.id
        else:
            assert parent is not None
            set_id = parent.permission_set_id
        element_id = uuid4()
        rows.append(
            ElementRow(
                id=element_id,
                kind="folder",
                name=f"Folder {number}",
                parent_id=parent.id if parent else None,
                position=number,
                path=child_path(parent.path if parent else None, element_id),
                permission_set_id=set_id,
                inherits=node.own is None,
                creator_id=users[0].id,
            )
        )
        session.add(rows[-1])
        session.flush()
        append_event(session, EventKind.ELEMENT_CREATED, element_id=element_id)
    session.flush()
    return [row.id for row in rows], [Principal(user_id=user.id, username=user.username) for user in users]


def reachable(session: Session, user: Principal, parent: Element | None = None) -> list[UUID]:
    """Every element found by opening what is listed, from the top down."""
    page = elements.list_children(session, user, parent.id if parent else None)
    assert page.total == len(page.items)
    assert parent is None or page.total == parent.child_count
    return [found for one in page.items for found in (one.id, *reachable(session, user, one))]


@pytest.mark.feature("SH-06", "WS-09")
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=trees())
def test_sql_agrees_with_the_table(database: Database, nodes: list[Node]) -> None:
    with database.session() as session:
        before = last_seq(session)
        ids, users = plant(session, nodes)
        for which, user in enumerate(users):
            roles = {}
            for number, element_id in enumerate(ids):
                held = permissions_of(nodes, number)
                roles[element_id] = strongest([held.grants[which], held.public])
            listed = select(ElementRow.id).where(ElementRow.permission_set_id.in_(visible_sets(user)))
            assert set(session.scalars(listed)) & set(ids) == {
                one for one, role in roles.items() if can(Action.VIEW, role)
            }
            for action in Action:
                query = restrict(select(ElementRow.id).where(ElementRow.id.in_(ids)), user, action=action)
                counted = restrict(select(func.count()).select_from(ElementRow).where(ElementRow.id.in_(ids)), user)
                allowed = {element_id for element_id, role in roles.items() if can(action, role)}
                found = list(session.scalars(query))
                assert sorted(found) == sorted(allowed)
                if action is Action.VIEW:
                    assert session.scalar(counted) == len(allowed)
            seen = {element_id for element_id, role in roles.items() if role is not None}
            assert sorted(reachable(session, user)) == sorted(seen)
            told = [event.element_id for event in events.list_events(session, user, before).events]
            assert told == [element_id for element_id in ids if element_id in seen]
            for element_id in ids:
                check_guards(session, user, element_id, role=roles[element_id])
        session.rollback()


def check_guards(session: Session, user: Principal, element_id: UUID, *, role: Role | None) -> None:
    """The guards and the breadcrumb say what the table says."""
    if role is None:
        with pytest.raises(NotFound):
            guard.get_visible_element(session, user, element_id)
        return
    one = elements.get_element(session, user, element_id)
    assert one.my_role is role
    crumbs = elements.breadcrumb(session, user, element_id)
    assert crumbs[-1].id == element_id
    assert one.parent_id is None or one.parent_id == crumbs[-2].id


def test_administrators_see_all(database: Database) -> None:
    with database.session() as session:
        ids, users = plant(session, [Node(None, Permissions((None,) * USERS, None)), Node(0, None)])
        admin = users[0].model_copy(update={"roles": frozenset({PlatformRole.ADMIN})})
        assert reachable(session, admin) == ids
        assert reachable(session, users[0]) == []
        assert elements.get_element(session, admin, ids[1]).my_role is Role.OWNER


def test_each_role_includes_those_before_it() -> None:
    allowed = list(PERMISSIONS.values())
    assert all(weaker < stronger for weaker, stronger in itertools.pairwise(allowed))
    assert not any(can(action, None) for action in Action)
    assert all(can(action, role) == (role in roles_allowing(action)) for action in Action for role in Role)
    assert strongest([]) is None
    assert strongest([Role.VIEWER, None, Role.OWNER, Role.COLLABORATOR]) is Role.OWNER
