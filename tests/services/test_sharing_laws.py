"""Whatever people do to a tree, its grants and its groups: the table, the SQL and the services say the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.elements import FolderCreate
from athena.contract.groups import GroupCreate, GroupUpdate
from athena.contract.people import Action, PlatformRole, Principal, Role
from athena.contract.sharing import GrantChange, GranteeKind
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.people import UserRow
from athena.db.visibility import restrict
from athena.domain.permissions import can, strongest
from athena.errors import AthenaError, Conflict, Forbidden, NotFound
from athena.services import elements, groups, places, sharing
from tests.db.test_visibility import reachable

USERS = GROUPS = 3


@dataclass
class Held:
    """A permission set: roles by number of user and of group, and Everybody's."""

    users: dict[int, Role] = field(default_factory=dict)
    groups: dict[int, Role] = field(default_factory=dict)
    public: Role | None = None

    def copy(self) -> "Held":
        return Held(dict(self.users), dict(self.groups), self.public)


@dataclass
class Folder:
    """A folder: its parent, and its own permissions (None: its parent's)."""

    parent: "Folder | None"
    own: Held | None
    id: UUID | None = None

    @property
    def held(self) -> Held:
        if self.own is not None:
            return self.own
        assert self.parent is not None
        return self.parent.held

    @property
    def above(self) -> list["Folder"]:
        return [self, *(self.parent.above if self.parent else [])]


class Model:
    """What the rules say, in as few words as possible."""

    def __init__(self) -> None:
        self.folders: list[Folder] = []
        self.members: list[set[int]] = [set() for _ in range(GROUPS)]

    def role(self, user: int, folder: Folder) -> Role | None:
        held = folder.held
        through = [role for group, role in held.groups.items() if user in self.members[group]]
        return strongest([held.users.get(user), held.public, *through])

    def require(self, user: int, folder: Folder, action: Action) -> None:
        role = self.role(user, folder)
        if role is None:
            raise NotFound("")
        if not can(action, role):
            raise Forbidden("")

    def create(self, user: int, parent: Folder | None) -> Folder:
        if parent is None:
            return Folder(None, Held({user: Role.OWNER}))
        self.require(user, parent, Action.WRITE)
        return Folder(parent, None)

    def grant(self, user: int, folder: Folder, kind: GranteeKind, which: int, role: Role | None) -> None:
        self.require(user, folder, Action.SHARE)
        held = folder.held.copy()
        roles: dict[int, Role] = held.users if kind is GranteeKind.USER else held.groups
        if role is not None:
            roles[which] = role
        elif roles.pop(which, None) is None:
            raise NotFound("")
        if Role.OWNER not in held.users.values():
            raise Conflict("")
        folder.own = held

    def public(self, user: int, folder: Folder, role: Role | None) -> None:
        self.require(user, folder, Action.SHARE)
        folder.own = folder.held.copy()
        folder.own.public = role

    def restore(self, user: int, folder: Folder) -> None:
        self.require(user, folder, Action.SHARE)
        if folder.own is None:
            return
        if folder.parent is None or self.role(user, folder.parent) is None:
            raise Conflict("")
        folder.own = None

    def move(self, user: int, folder: Folder, to: Folder | None) -> None:
        self.require(user, folder, Action.MOVE)
        if to is not None:
            self.require(user, to, Action.WRITE)
        if to is folder.parent:
            return
        if to is not None and folder in to.above:
            raise Conflict("")
        if to is None and folder.own is None:
            folder.own = folder.held.copy()
        folder.parent = to


class World:
    """The same deeds done to the model and through the services, which must agree on what is refused."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.model = Model()
        rows = [UserRow(username=f"user-{uuid4().hex}") for _ in range(USERS)]
        session.add_all(rows)
        session.flush()
        self.users = [Principal(user_id=row.id, username=row.username) for row in rows]
        self.admin = self.users[0].model_copy(update={"roles": frozenset({PlatformRole.CUSTOMER_ADMIN})})
        names = [f"group-{uuid4().hex}" for _ in range(GROUPS)]
        self.groups = [groups.create_group(session, self.admin, GroupCreate(name=name)) for name in names]
        # two trees and groups that overlap, so that even short stories come to something
        for user, at, role in ((0, 0, None), (0, 0, Role.OWNER), (0, 1, Role.OWNER), (1, 0, None), (1, 3, Role.OWNER)):
            self.create(user, at, 0, role)
        for user, group in ((1, 0), (2, 0), (2, 1)):
            self.join(user, 0, 2 * group, Role.VIEWER)

    def actor(self, user: int, folder: Folder) -> int:
        """The user of this number; for others than users, the folder's first owner."""
        if user < USERS:
            return user
        return next(one for one in range(USERS) if self.model.role(one, folder) is Role.OWNER)

    @contextmanager
    def alike(self, rule: Callable[[], object]) -> Iterator[None]:
        """Do the block in the services; it must end as the rule does."""
        expected: type[AthenaError] | None = None
        try:
            rule()
        except AthenaError as refusal:
            expected = type(refusal)
        actual: type[AthenaError] | None = None
        try:
            with self.session.begin_nested():
                yield
        except AthenaError as refusal:
            actual = type(refusal)
        self.session.expire_all()
        assert actual is expected

    def pick(self, number: int) -> Folder:
        return self.model.folders[number % len(self.model.folders)]

    def create(self, user: int, at: int, _: int, role: Role | None) -> None:
        parent = self.pick(at) if role else None
        user = self.actor(user, parent) if parent else user % USERS
        made: list[Folder] = []
        with self.alike(lambda: made.append(self.model.create(user, parent))):
            wanted = FolderCreate(name="Folder", parent_id=parent.id if parent else None)
            made[:] = made or [Folder(parent, None)]
            made[0].id = elements.create_element(self.session, self.users[user], wanted).id
        self.model.folders += [folder for folder in made if folder.id]

    def grant(self, user: int, at: int, which: int, role: Role | None) -> None:
        folder, kind, name = self.pick(at), GranteeKind.USER, self.users[which // 2].username
        user = self.actor(user, folder)
        if which % 2:
            kind, name = GranteeKind.GROUP, self.groups[which // 2].name
        with self.alike(lambda: self.model.grant(user, folder, kind, which // 2, role)):
            assert folder.id
            sharing.set_grant(self.session, self.users[user], folder.id, GrantChange(kind=kind, name=name, role=role))

    def public(self, user: int, at: int, _: int, role: Role | None) -> None:
        folder, public = self.pick(at), None if role is Role.OWNER else role
        user = self.actor(user, folder)
        with self.alike(lambda: self.model.public(user, folder, public)):
            assert folder.id
            sharing.set_public(self.session, self.users[user], folder.id, public)

    def restore(self, user: int, at: int, _: int, _role: Role | None) -> None:
        folder = self.pick(at)
        user = self.actor(user, folder)
        with self.alike(lambda: self.model.restore(user, folder)):
            assert folder.id
            sharing.inherit_again(self.session, self.users[user], folder.id)

    def move(self, user: int, at: int, which: int, role: Role | None) -> None:
        folder, to = self.pick(at), self.pick(at + which) if role else None
        user = self.actor(user, folder)
        with self.alike(lambda: self.model.move(user, folder, to)):
            assert folder.id
            places.move_element(self.session, self.users[user], folder.id, to.id if to else None)

    def join(self, user: int, _: int, which: int, role: Role | None) -> None:
        user, members = user % USERS, self.model.members[which // 2]
        (members.add if role else members.discard)(user)
        name = (self.users[user].username,)
        change = GroupUpdate(add=name) if role else GroupUpdate(remove=name)
        groups.update_group(self.session, self.admin, self.groups[which // 2].id, change)

    def check(self) -> None:
        """Compare what everybody may do, and how the sets and paths lie."""
        ids = [folder.id for folder in self.model.folders]
        for number, user in enumerate(self.users):
            roles = {folder.id: self.model.role(number, folder) for folder in self.model.folders}
            for action in Action:
                asked = restrict(select(ElementRow.id).where(ElementRow.id.in_(ids)), user, action=action)
                found = list(self.session.scalars(asked))
                assert len(found) == len(set(found))
                assert set(found) == {id_ for id_, role in roles.items() if can(action, role)}
            seen = {id_: role for id_, role in roles.items() if role}
            assert sorted(reachable(self.session, user)) == sorted(filter(None, seen))
            for folder in self.model.folders:
                if folder.id in seen and folder.id:
                    self.check_panel(number, folder, seen[folder.id])
        for folder in self.model.folders:
            row = self.session.get_one(ElementRow, folder.id)
            path = [UUID(hex=part) for part in row.path.strip("/").split("/")]
            assert path == [one.id for one in reversed(folder.above)]
            assert row.inherits == (folder.own is None)
            if row.inherits:
                assert row.permission_set_id == self.session.get_one(ElementRow, row.parent_id).permission_set_id

    def check_panel(self, number: int, folder: Folder, role: Role | None) -> None:
        assert folder.id
        shown = sharing.get_permissions(self.session, self.users[number], folder.id)
        users = {user.user_id: which for which, user in enumerate(self.users)}
        teams = {group.id: which for which, group in enumerate(self.groups)}
        held = Held(public=shown.public)
        for grant in shown.grants:
            if grant.grantee.kind is GranteeKind.USER:
                held.users[users[grant.grantee.id]] = grant.role
            else:
                held.groups[teams[grant.grantee.id]] = grant.role
        assert held == folder.held
        assert shown.owners
        assert (shown.my_role, shown.may_edit) == (role, can(Action.SHARE, role))
        assert shown.source.id == next(one.id for one in folder.above if one.own is not None)


deeds = st.lists(
    st.tuples(
        st.sampled_from(["create", "grant", "grant", "public", "restore", "move", "move", "join"]),
        st.sampled_from([*range(USERS), *[USERS] * 4]),
        st.integers(0, 9),
        st.integers(0, 2 * GROUPS - 1),
        st.sampled_from([*Role, *Role, None]),
    ),
    min_size=10,
    max_size=25,
)


def act(database: Database, done: list[tuple[str, int, int, int, Role | None]]) -> None:
    with database.session() as session:
        world = World(session)
        for deed, *how in done:
            getattr(world, deed)(*how)
        world.check()
        session.rollback()


@pytest.mark.feature("SH-01", "SH-02", "SH-03", "SH-04", "SH-06", "BY-08")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=deeds)
def test_permissions_follow_the_rules(database: Database, done: list[tuple[str, int, int, int, Role | None]]) -> None:
    act(database, done)


@pytest.mark.feature("SH-01", "SH-02", "SH-03", "SH-04", "SH-06", "BY-08")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=deeds)
def test_permissions_follow_the_rules_on_postgresql(
    database: Database, done: list[tuple[str, int, int, int, Role | None]]
) -> None:
    act(database, done)
