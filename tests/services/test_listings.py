"""Acquisitions of a run as a list: what its filter keeps, orders, and the page that holds one (WS-08)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import update
from sqlalchemy.orm import Session

from athena.contract.elements import Element
from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.contract.listings import ListingSort
from athena.contract.neighbours import Shown
from athena.contract.people import Principal
from athena.contract.verdicts import VerdictChange, VerdictKind
from athena.db.acquisitions import AcquisitionRow, bump_version
from athena.db.branches import Results
from athena.db.engine import Database
from athena.errors import Invalid, NotFound
from athena.services import listings, neighbours, run_filters, verdicts
from athena.settings import Settings

pytestmark = pytest.mark.feature("WS-08")
START = datetime(2026, 5, 4, 9, tzinfo=UTC)
COUNT = 25
Ask = Callable[..., tuple[list[int], int, int]]


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def run(alice: Principal, make_run: Callable[..., Element], database: Database) -> UUID:
    """All finished; names fall and times jump while the index rises; of the last the time is not known."""
    made = make_run(alice, acquisitions=COUNT)
    with database.session() as session:
        for index in range(COUNT):
            when = START + timedelta(minutes=(7 * index) % COUNT) if index < COUNT - 1 else None
            values = {"name": f"Hole_{90 - index}", "acquired": when, "state": "completed"}
            where = (AcquisitionRow.run_id == made.id, AcquisitionRow.index == index)
            session.execute(update(AcquisitionRow).where(*where).values(**values))
    return made.id


@pytest.fixture
def listed(database: Database, settings: Settings, alice: Principal, run: UUID) -> Ask:
    """Indices, offset and total of a page."""

    def ask(**asked: object) -> tuple[list[int], int, int]:
        with database.session(read_only=True) as session:
            page = listings.list_shown(session, alice, run, settings=settings, **asked)  # type: ignore[arg-type]
        return [line.index for line in page.items], page.offset, page.total

    return ask


def test_orders_and_pages(listed: Ask) -> None:
    everything = list(range(COUNT))
    assert listed() == (everything, 0, COUNT)
    assert listed(descending=True, limit=3) == ([24, 23, 22], 0, COUNT)
    assert listed(sort=ListingSort.NAME)[0] == everything[::-1]
    by_time = [*sorted(range(COUNT - 1), key=lambda index: (7 * index) % COUNT), COUNT - 1]
    assert listed(sort=ListingSort.ACQUIRED)[0] == by_time
    assert listed(sort=ListingSort.ACQUIRED, descending=True)[0] == by_time[::-1]
    assert listed(limit=10, offset=20)[0] == [20, 21, 22, 23, 24]
    assert listed(limit=10, holding=13) == (list(range(10, 20)), 10, COUNT)
    assert listed(limit=10, holding=0, sort=ListingSort.NAME) == ([4, 3, 2, 1, 0], 20, COUNT)
    assert listed(offset=COUNT) == ([], COUNT, COUNT)
    with pytest.raises(NotFound):
        listed(holding=COUNT)
    with pytest.raises(Invalid):
        listed(limit=0)


def test_a_filter_that_is_on_leaves_only_what_matches(
    listed: Ask,
    database: Database,
    settings: Settings,
    alice: Principal,
    run: UUID,
    make_user: Callable[..., Principal],
) -> None:
    # nothing is measured: only what was accepted by hand matches
    rule = FilterRule(metric="defocus_um", operator=Operator.AT_MOST, value=2)
    with database.session() as session:
        run_filters.save_filter(session, alice, run, RunFilter(rules=(rule,)), settings=settings)
        verdicts.give_verdict(session, alice, run, VerdictChange(indices=(3, 17, 8), verdict=VerdictKind.ACCEPTED))
    assert listed() == ([3, 8, 17], 0, 3)
    assert listed(sort=ListingSort.NAME) == ([17, 8, 3], 0, 3)
    assert listed(limit=2, holding=17) == ([17], 2, 3)
    with pytest.raises(NotFound):
        listed(holding=4)
    assert listed(shown=Shown.ALL)[2] == COUNT
    with database.session(read_only=True) as session:
        page = listings.list_shown(session, alice, run, settings=settings)
        assert (page.shown, page.run_total, page.items[0].name) == (Shown.FILTERED, COUNT, "Hole_87")
        with pytest.raises(NotFound):
            listings.list_shown(session, make_user("bob"), run, settings=settings)


def test_an_order_is_found_once_for_a_version_of_the_run(
    listed: Ask,
    database: Database,
    settings: Settings,
    alice: Principal,
    run: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[Shown] = []
    find = neighbours.shown_indices

    def counted(session: Session, results: Results, shown: Shown, *, settings: Settings) -> NDArray[np.int64]:
        found.append(shown)
        return find(session, results, shown, settings=settings)

    def save(value: float) -> None:
        rules = (FilterRule(metric="defocus_um", operator=Operator.AT_MOST, value=value),)
        with database.session() as session:
            run_filters.save_filter(session, alice, run, RunFilter(rules=rules), settings=settings)

    def accept(*indices: int) -> None:
        with database.session() as session:
            change = VerdictChange(indices=indices, verdict=VerdictKind.ACCEPTED)
            verdicts.give_verdict(session, alice, run, change)

    monkeypatch.setattr(neighbours, "shown_indices", counted)
    every = [
        index for offset in range(0, COUNT, 5) for index in listed(sort=ListingSort.NAME, limit=5, offset=offset)[0]
    ]
    assert every == list(range(COUNT))[::-1]
    assert listed(sort=ListingSort.NAME, descending=True)[0] == every[::-1]
    assert found == [Shown.ALL]
    # a filter and a verdict are seen at once, and what is shown next to one is found with them
    save(2)
    accept(3, 8)
    assert listed() == listed() == ([3, 8], 0, 2)
    with database.session(read_only=True) as session:
        beside = neighbours.get_neighbours(session, alice, run, 3, settings=settings, shown=Shown.FILTERED)
    assert (beside.position, beside.following) == (0, 8)
    assert found == [Shown.ALL, Shown.FILTERED]
    accept(17)
    assert listed() == ([3, 8, 17], 0, 3)
    save(3)
    assert listed() == ([3, 8, 17], 0, 3)
    assert found == [Shown.ALL, *[Shown.FILTERED] * 3]
    # what arrives is there
    with database.session() as session:
        about = {"name": "Hole_late", "state": "completed", "acquired": START}
        session.add(AcquisitionRow(run_id=run, index=COUNT, **about))
        bump_version(session, run)
    assert listed(shown=Shown.ALL, sort=ListingSort.ACQUIRED, limit=2)[0] == [0, COUNT]
    assert listed(shown=Shown.FINISHED)[2] == COUNT + 1
