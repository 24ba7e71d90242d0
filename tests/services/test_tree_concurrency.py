"""Fifty people change one tree at once: what the tree promises holds, and nobody's change is lost in silence."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import select

from athena.contract.elements import Element, ElementUpdate, FolderCreate
from athena.contract.jobs import JobCreate
from athena.contract.people import Principal, Role
from athena.contract.sharing import GrantChange
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.engine import Database
from athena.errors import Conflict, Forbidden, NotFound
from athena.services import elements, jobs, places, sharing
from athena.settings import Settings

CLIENTS = 50
TURNS = 3
MakeUser = Callable[..., Principal]


class Client:
    """One person, who reads an element and then changes it as if nobody else were there."""

    def __init__(self, database: Database, settings: Settings, user: Principal, number: int) -> None:
        self.database = database
        self.settings = settings
        self.user = user
        self.random = random.Random(number)
        self.outcomes: Counter[str] = Counter()
        self.renamed: Counter[UUID] = Counter()

    def turn(self, everybody: list[Principal]) -> None:
        with self.database.session(read_only=True) as session:
            rows = [*session.scalars(select(ElementRow.id))]
            target, other = self.random.choice(rows), self.random.choice(rows)
            try:
                seen = elements.get_element(session, self.user, target)
            except NotFound:
                self.outcomes["unseen"] += 1
                return
        deed = self.random.choice(
            [self.rename, self.rename, self.move, self.share, self.unshare, self.restore, self.add, self.remove]
        )
        try:
            deed(seen, other, self.random.choice(everybody))
        except (Conflict, Forbidden, NotFound) as refusal:
            self.outcomes[type(refusal).__name__] += 1
        else:
            self.outcomes[deed.__name__] += 1

    def rename(self, seen: Element, _other: UUID, _who: Principal) -> None:
        name = f"{self.user.username} {self.random.random()}"
        with self.database.session() as session:
            change = ElementUpdate(name=name, revision=seen.revision)
            elements.update_element(session, self.user, seen.id, change)
        self.renamed[seen.id] += 1

    def move(self, seen: Element, other: UUID, _who: Principal) -> None:
        to = other if self.random.random() < 0.9 else None
        with self.database.session() as session:
            moved = places.move_element(session, self.user, seen.id, to, revision=seen.revision)
        if moved is None or moved.revision > seen.revision:
            self.renamed[seen.id] += 1

    def share(self, seen: Element, _other: UUID, who: Principal) -> None:
        role = self.random.choice([Role.COLLABORATOR, Role.OWNER])
        with self.database.session() as session:
            sharing.set_grant(session, self.user, seen.id, GrantChange(name=who.username, role=role))

    def unshare(self, seen: Element, _other: UUID, who: Principal) -> None:
        with self.database.session() as session:
            sharing.set_grant(session, self.user, seen.id, GrantChange(name=who.username, role=None))

    def restore(self, seen: Element, _other: UUID, _who: Principal) -> None:
        with self.database.session() as session:
            sharing.inherit_again(session, self.user, seen.id)

    def add(self, seen: Element, _other: UUID, _who: Principal) -> None:
        with self.database.session() as session:
            elements.create_element(session, self.user, FolderCreate(name="New", parent_id=seen.id))

    def remove(self, _seen: Element, _other: UUID, _who: Principal) -> None:
        """Ask for the deletion of a folder of one's own, below the roots, which closes it and all in it."""
        own = select(ElementRow.id).where(
            ElementRow.creator_id == self.user.user_id, ElementRow.parent_id.is_not(None), ElementRow.state == "active"
        )
        with self.database.session() as session:
            mine = session.scalars(own).all()
            if not mine:
                raise NotFound("Nothing here is one's own.")
            wanted = JobCreate(kind="delete", element_id=self.random.choice(mine))
            jobs.start_job(session, self.user, wanted, settings=self.settings)


@pytest.mark.feature("SH-01", "SH-02", "SH-03", "WS-01", "WS-13")
def test_fifty_clients_on_one_tree(
    database: Database, settings: Settings, make_user: MakeUser, make_folder: Callable[..., Element]
) -> None:
    people = [make_user() for _ in range(8)]
    roots = [make_folder(people[n], f"Root {n}") for n in range(2)]
    made = [make_folder(people[n % 2], f"Folder {n}", parent=roots[n % 2]) for n in range(10)]
    with database.session() as session:
        for number, root in enumerate(roots):
            for user in people:
                change = GrantChange(name=user.username, role=Role.OWNER)
                sharing.set_grant(session, people[number], root.id, change)
    clients = [Client(database, settings, people[number % len(people)], number) for number in range(CLIENTS)]

    def work(client: Client) -> None:
        for _ in range(TURNS):
            client.turn(people)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(work, clients))

    outcomes = sum((client.outcomes for client in clients), Counter[str]())
    assert sum(outcomes.values()) == CLIENTS * TURNS
    assert min(outcomes[deed] for deed in ("rename", "move", "share", "add", "remove")) > 0
    check_tree(database)
    with database.session(read_only=True) as session:
        revisions = dict(session.execute(select(ElementRow.id, ElementRow.revision)).all())
    # every change that was accepted was made on the state before it: none overwrote another
    accepted = sum((client.renamed for client in clients), Counter[UUID]())
    for one in (*roots, *made):
        assert revisions[one.id] == 1 + accepted[one.id]


def check_tree(database: Database) -> None:
    """An owner everywhere, no orphans, paths to the root, inherited sets the parent's, all closed in what is closed."""
    with database.session(read_only=True) as session:
        rows = {row.id: row for row in session.scalars(select(ElementRow))}
        sets = set(session.scalars(select(PermissionSetRow.id)))
        owned = set(session.scalars(select(GrantRow.permission_set_id).where(GrantRow.role == Role.OWNER.value)))
    assert {row.permission_set_id for row in rows.values()} == sets == owned
    own = [row.permission_set_id for row in rows.values() if not row.inherits]
    assert sorted(own) == sorted(sets)
    for row in rows.values():
        parent = rows[row.parent_id] if row.parent_id else None
        assert row.path == f"{parent.path if parent else '/'}{row.id.hex}/"
        assert parent is None or parent.state == "active" or row.state == "deleting"
        if row.inherits:
            assert parent is not None
            assert row.permission_set_id == parent.permission_set_id
    places_taken = Counter((row.parent_id, row.position) for row in rows.values() if row.parent_id)
    assert not [place for place, count in places_taken.items() if count > 1]
