"""Named filters: a workflow's, seen and changed through each of its runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.contract.named_filters import FilterVersion, NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.contract.people import Principal, Role
from athena.contract.sharing import GrantChange
from athena.db.audit import AuditRow
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.named_filters import FilterVersionRow, NamedFilterRow
from athena.db.user_metrics import UserMetricRow
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import events, filter_versions, named_filters, run_filters, sharing
from athena.settings import Settings

Make = Callable[..., Element]


def below(value: float, metric: str = "defocus_um") -> FilterRule:
    """A rule."""
    return FilterRule(metric=metric, operator=Operator.AT_MOST, value=value)


@dataclass
class Place:
    """Two runs of one workflow, and one of another; alice owns it all."""

    database: Database
    alice: Principal
    workflow: Element
    run: Element
    sibling: Element
    elsewhere: Element

    def names(self, user: Principal, run: Element) -> list[str]:
        """Names of the filters somebody sees through a run."""
        return [one.name for one in self.filters(user, run)]

    def filters(self, user: Principal, run: Element) -> tuple[NamedFilter, ...]:
        """The filters."""
        with self.database.session(read_only=True) as session:
            return named_filters.list_filters(session, user, run.id)

    def add(self, user: Principal, run: Element, name: str, *rules: FilterRule) -> NamedFilter:
        """Keep one."""
        with self.database.session() as session:
            wanted = NamedFilterCreate(name=name, rules=rules or (below(2),))
            return named_filters.add_filter(session, user, run.id, wanted)

    def change(self, user: Principal, run: Element, one: NamedFilter, **change: object) -> NamedFilter:
        """Change one."""
        with self.database.session() as session:
            wanted = NamedFilterUpdate.model_validate(change)
            return named_filters.update_filter(session, user, run.id, one.id, wanted)

    def versions(self, user: Principal, run: Element, one: NamedFilter, **asked: int) -> tuple[FilterVersion, ...]:
        """What it was, newest first."""
        with self.database.session(read_only=True) as session:
            return filter_versions.list_versions(session, user, run.id, one.id, **asked)

    def named(self, run: Element, *rules: FilterRule) -> tuple[str, int] | None:
        """Name and number of the version that rules are."""
        with self.database.session(read_only=True) as session:
            found = filter_versions.version_of(session, run.id, rules)
        return None if found is None else (found.name, found.version)

    def remove(self, user: Principal, run: Element, one: NamedFilter) -> None:
        """Forget one."""
        with self.database.session() as session:
            named_filters.remove_filter(session, user, run.id, one.id)

    def share(self, element: Element, user: Principal, role: Role) -> None:
        """Give somebody a role."""
        with self.database.session() as session:
            sharing.set_grant(session, self.alice, element.id, GrantChange(name=user.username, role=role))


@pytest.fixture
def place(database: Database, make_user: Callable[..., Principal], make_workflow: Make, make_run: Make) -> Place:
    alice = make_user("alice")
    workflow = make_workflow(alice)
    first, second = (make_run(alice, name, workflow=workflow) for name in ("Grid 1", "Grid 2"))
    return Place(database, alice, workflow, first, second, make_run(alice, "Other"))


@pytest.mark.feature("EQ-08", "BY-09")
def test_a_filter_kept_through_one_run_serves_its_siblings_and_nobody_else(place: Place) -> None:
    good = place.add(place.alice, place.run, "  Good ice ", below(2.5), below(4, "ctf_resolution_angstrom"))
    assert (good.name, good.creator, good.revision, good.lacking) == ("Good ice", "alice", 1, ())
    assert [rule.value for rule in good.rules] == [2.5, 4]
    place.add(place.alice, place.sibling, "filter 10")
    place.add(place.alice, place.sibling, "filter 9")
    for run in (place.run, place.sibling):
        assert place.names(place.alice, run) == ["filter 9", "filter 10", "Good ice"]
    assert place.names(place.alice, place.elsewhere) == []
    with pytest.raises(NotFound, match="keeps no filter"):
        place.change(place.alice, place.elsewhere, good, name="stolen")
    with pytest.raises(NotFound, match="keeps no filter"):
        place.remove(place.alice, place.elsewhere, good)
    with pytest.raises(NotFound, match="no run"):
        place.filters(place.alice, place.workflow)


@pytest.mark.feature("EQ-08", "BY-09")
def test_changes_are_told_counted_and_kept_in_the_audit_trail(place: Place) -> None:
    one = place.add(place.alice, place.run, "good")
    with place.database.session(read_only=True) as session:
        before = events.list_events(session, place.alice, -1).last_seq
    renamed = place.change(place.alice, place.sibling, one, name="GOOD", revision=1)
    assert (renamed.name, renamed.revision, renamed.rules) == ("GOOD", 2, one.rules)
    with pytest.raises(Conflict, match="changed meanwhile"):
        place.change(place.alice, place.run, one, name="better", revision=1)
    assert place.change(place.alice, place.run, one, name="GOOD").revision == 2, "nothing was changed"
    changed = place.change(place.alice, place.run, one, rules=[below(1)])
    assert (changed.revision, [rule.value for rule in changed.rules]) == (3, [1])
    both = place.change(place.alice, place.run, one, name="Good", rules=[below(1)])
    assert (both.revision, both.name, both.rules) == (4, "Good", changed.rules)
    place.remove(place.alice, place.run, one)
    assert place.names(place.alice, place.run) == []
    with place.database.session(read_only=True) as session:
        told = events.list_events(session, place.alice, before).events
        assert {event.kind for event in told} == {EventKind.ELEMENT_UPDATED}
        assert {event.element_id for event in told} == {place.workflow.id}
        done = session.scalars(select(AuditRow).where(AuditRow.element_id == place.workflow.id).order_by(AuditRow.id))
        last = [(row.action, row.detail.get("name")) for row in done][-5:]
    assert last == [
        ("filter_named", "good"),
        ("named_filter_changed", "GOOD"),
        ("named_filter_changed", "GOOD"),
        ("named_filter_changed", "Good"),
        ("named_filter_removed", "Good"),
    ]


@pytest.mark.feature("EQ-08")
def test_names_are_told_apart_whatever_their_case(place: Place) -> None:
    good = place.add(place.alice, place.run, "Good")
    poor = place.add(place.alice, place.run, "poor")
    with pytest.raises(Conflict, match="“Good” already"):
        place.add(place.alice, place.sibling, "gOOD")
    with pytest.raises(Conflict, match="“Good” already"):
        place.change(place.alice, place.sibling, poor, name="good")
    assert place.change(place.alice, place.sibling, good, name="good").name == "good"
    for name in ("", "  ", "a\nb", "x" * 101):
        with pytest.raises(ValueError, match="name"):
            NamedFilterCreate(name=name, rules=(below(1),))
    with pytest.raises(ValueError, match="rules"):
        NamedFilterCreate(name="nothing", rules=())


@pytest.mark.feature("EQ-08")
def test_of_many_who_take_a_name_at_once_one_gets_it(place: Place) -> None:
    def take(value: int) -> bool:
        try:
            place.add(place.alice, (place.run, place.sibling)[value % 2], "good", below(value))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(8))) == [False] * 7 + [True]
    assert place.names(place.alice, place.run) == ["good"]


@pytest.mark.feature("EQ-08", "SH-02")
def test_who_sees_the_run_sees_them_and_collaborators_change_them(
    place: Place, make_user: Callable[..., Principal]
) -> None:
    bob, carol, stranger = make_user("bob"), make_user("carol"), make_user("dora")
    hers = place.add(place.alice, place.run, "hers")
    place.share(place.workflow, bob, Role.COLLABORATOR)
    place.share(place.workflow, carol, Role.VIEWER)
    for absent in (
        lambda: place.names(stranger, place.run),
        lambda: place.add(stranger, place.run, "dora's"),
        lambda: place.remove(stranger, place.run, hers),
    ):
        with pytest.raises(NotFound, match="no element"):
            absent()
    assert place.names(carol, place.sibling) == ["hers"]
    for refused in (
        lambda: place.add(carol, place.run, "carol's"),
        lambda: place.change(carol, place.run, hers, name="carol's"),
        lambda: place.remove(carol, place.run, hers),
    ):
        with pytest.raises(Forbidden, match="viewer"):
            refused()
    assert place.change(bob, place.sibling, hers, name="ours").creator == "alice"
    place.remove(bob, place.run, hers)
    assert place.names(place.alice, place.run) == []


@pytest.mark.feature("EQ-08", "NB-05")
def test_rules_on_a_metric_of_one_run_say_where_it_is_lacking(place: Place) -> None:
    with pytest.raises(Invalid, match="beauty"):
        place.add(place.alice, place.run, "fair", below(1, "beauty"))
    with place.database.session() as session:
        session.add(UserMetricRow(run_id=place.run.id, name="beauty", label="Beauty", source="", sha256=""))
    fair = place.add(place.alice, place.run, "fair", below(1, "beauty"), below(2))
    assert fair.lacking == ()
    (seen,) = place.filters(place.alice, place.sibling)
    assert (seen.id, seen.lacking) == (fair.id, ("beauty",))
    with pytest.raises(Invalid, match="beauty"):
        place.change(place.alice, place.sibling, fair, rules=[below(3, "beauty")])


@pytest.mark.feature("EQ-08")
def test_they_are_bounded_and_go_with_their_workflow(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    one = place.add(place.alice, place.run, "one")
    monkeypatch.setattr(named_filters, "MAX_FILTERS", 1)
    with pytest.raises(Conflict, match="at most 1"):
        place.add(place.alice, place.run, "one more")
    with pytest.raises(NotFound):
        place.change(place.alice, place.run, one.model_copy(update={"id": uuid4()}), name="gone")
    with place.database.session() as session:
        path = session.get_one(ElementRow, place.workflow.id).path
        below = select(ElementRow).where(ElementRow.path.startswith(path)).order_by(ElementRow.path.desc())
        for row in session.scalars(below).all():
            session.execute(delete(ElementRow).where(ElementRow.id == row.id))
        assert session.scalars(select(NamedFilterRow)).all() == []
        assert session.scalars(select(FilterVersionRow)).all() == []


@pytest.mark.feature("BY-09")
def test_every_version_is_kept_with_who_made_it_and_outlives_the_filter(
    place: Place, make_user: Callable[..., Principal]
) -> None:
    bob, carol = make_user("bob"), make_user("carol")
    place.share(place.workflow, bob, Role.COLLABORATOR)
    place.share(place.workflow, carol, Role.VIEWER)
    one = place.add(place.alice, place.run, "good", below(2))
    place.change(bob, place.sibling, one, rules=[below(1), below(4, "ctf_resolution_angstrom")])
    place.change(place.alice, place.run, one, name="best")
    place.change(place.alice, place.run, one, name="best")  # nothing new
    last = place.change(place.alice, place.run, one, rules=place.versions(carol, place.run, one)[2].rules)
    told = place.versions(carol, place.sibling, one)
    assert [(it.number, it.name, it.username, [rule.value for rule in it.rules]) for it in told] == [
        (4, "best", "alice", [2]),
        (3, "best", "alice", [1, 4]),
        (2, "good", "bob", [1, 4]),
        (1, "good", "alice", [2]),
    ]
    assert [told[0].time, told[-1].time] == [last.updated, one.updated]
    assert {it.filter_id for it in told} == {one.id}
    assert [it.number for it in place.versions(carol, place.run, one, before=4, limit=2)] == [3, 2]
    assert place.versions(carol, place.run, one, before=1) == ()
    place.remove(bob, place.run, one)
    assert place.versions(carol, place.run, one) == told
    with place.database.session(read_only=True) as session:
        assert filter_versions.get_version(session, carol, place.run.id, one.id, 2) == told[2]
        for run, number in ((place.run, 5), (place.elsewhere, 2)):
            with pytest.raises(NotFound, match="no version"):
                filter_versions.get_version(session, place.alice, run.id, one.id, number)
    never = last.model_copy(update={"id": uuid4()})
    for run, unknown in ((place.elsewhere, one), (place.run, never)):
        with pytest.raises(NotFound, match="never kept"):
            place.versions(place.alice, run, unknown)
    with pytest.raises(NotFound, match="no element"):
        place.versions(make_user("dora"), place.run, one)


@pytest.mark.feature("BY-09", "EQ-08")
def test_rules_are_told_by_the_version_they_are(place: Place, settings: Settings) -> None:
    sharp = below(4, "ctf_resolution_angstrom")
    one = place.add(place.alice, place.run, "good", below(2), sharp)
    place.change(place.alice, place.run, one, rules=[below(1)])
    assert place.named(place.sibling, below(2), sharp) == ("good", 1), "an old version has its name too"
    assert place.named(place.sibling, sharp, below(2), sharp) == ("good", 1), "in whatever order, however often"
    assert place.named(place.sibling, below(1)) == ("good", 2)
    assert place.named(place.sibling, below(3)) is None
    assert place.named(place.sibling) is None
    assert place.named(place.elsewhere, below(1)) is None, "of another workflow"
    place.add(place.alice, place.run, "later", below(2), sharp)
    assert place.named(place.run, below(2), sharp) == ("later", 1), "what holds goes before what was"
    place.change(place.alice, place.run, one, rules=[below(2), sharp])
    assert place.named(place.run, below(2), sharp) == ("good", 3), "of those that hold, the newest"
    with place.database.session() as session:
        wanted = RunFilter(rules=(sharp, below(2)))
        saved = run_filters.save_filter(session, place.alice, place.run.id, wanted, settings=settings)
    assert saved.named is not None
    assert (saved.named.id, saved.named.version) == (one.id, 3)
