"""Promoting while many read, others promote, and acquisitions arrive: what everybody sees is of one branch."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import func, insert, select

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow, RunRow, bump_version
from athena.db.branches import BranchAcquisitionRow, BranchRow
from athena.db.engine import Database
from athena.services import branches, promotion

COUNT = 3000
NAMES = ("original", "fine")


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def run(alice: Principal, database: Database, make_run: Callable[..., Element]) -> Element:
    """A run with two sets of results of many acquisitions; what failed in one was processed in the other."""
    made = make_run(alice)
    with database.session() as session:
        for number, name in enumerate(NAMES):
            session.add(BranchRow(run_id=made.id, number=number, name=name, parameters={"patches_x": number + 3}))
        row = session.get_one(RunRow, made.id)
        row.branch_count, row.acquisition_count, row.parameters = 2, COUNT, {"patches_x": 3}
        session.flush()
        shared = {"run_id": made.id, "flags": []}
        session.execute(insert(AcquisitionRow), [shared | told(0, index) | shot(index) for index in range(COUNT)])
        session.execute(
            insert(BranchAcquisitionRow), [shared | told(1, index) | {"number": 1} for index in range(COUNT)]
        )
    return made


def told(number: int, index: int) -> dict[str, object]:
    """Where an acquisition stands in a branch: its ``error`` names the branch."""
    return {"index": index, "state": ("completed", "error")[(index + number) % 2], "error": NAMES[number]}


def shot(index: int) -> dict[str, object]:
    return {"name": f"shot {index}", "movie": f"/data/{index}.tif"}


def seen(database: Database, run: Element) -> dict[tuple[int, int, str, str], int]:
    """How many acquisitions stand where, and which branch that is said to be, as one query sees it."""
    what = (RunRow.branch, AcquisitionRow.index % 2, AcquisitionRow.state, AcquisitionRow.error)
    query = (
        select(*what, func.count())
        .join(AcquisitionRow, AcquisitionRow.run_id == RunRow.id)
        .where(RunRow.id == run.id, AcquisitionRow.index < COUNT)
        .group_by(*what)
    )
    with database.session(read_only=True) as session:
        return {(row[0], row[1], row[2], row[3]): row[4] for row in session.execute(query)}


def whole(number: int) -> dict[tuple[int, int, str, str], int]:
    """What is seen of a branch alone."""
    states = ("completed", "error")
    return {(number, odd, states[(odd + number) % 2], NAMES[number]): COUNT // 2 for odd in (0, 1)}


@contextmanager
def meanwhile(work: Callable[[], None], *, threads: int = 1) -> Iterator[None]:
    """Do something again and again, on threads, until the block ends; what went wrong there is raised."""
    stop = threading.Event()

    def again() -> None:
        while not stop.is_set():
            work()

    with ThreadPoolExecutor(threads) as pool:
        tasks = [pool.submit(again) for _ in range(threads)]
        try:
            yield
        finally:
            stop.set()
        for task in tasks:
            task.result()


@pytest.mark.feature("BY-06")
def test_nobody_sees_two_branches_at_once(database: Database, run: Element, alice: Principal) -> None:
    looks: list[dict[tuple[int, int, str, str], int]] = []
    arrived = iter(range(COUNT, 2 * COUNT))

    def arrive() -> None:
        index = next(arrived)
        with database.session() as session:
            bump_version(session, run.id)
            row = AcquisitionRow(run_id=run.id, index=index, state="registered", **shot(index))
            session.add(row)
            session.get_one(RunRow, run.id).acquisition_count = index + 1
        time.sleep(0.01)

    def promote(name: str) -> float:
        started = time.monotonic()
        with database.session() as session:
            promotion.promote(session, alice, run.id, name)
        return time.monotonic() - started

    with (
        meanwhile(lambda: looks.append(seen(database, run)), threads=2),
        meanwhile(arrive),
        ThreadPoolExecutor(2) as promoters,
    ):
        # two people, who want the other's contrary
        took = list(promoters.map(promote, [NAMES[(1 + turn) % 2] for turn in range(8)]))
    print(f"promotions of {COUNT} under load: {', '.join(f'{seconds:.2f}' for seconds in took)} s; {len(looks)} looks")
    assert len(looks) > 10
    assert all(look in (whole(0), whole(1)) for look in looks)
    assert max(took) < 30
    # at rest nothing is lost, and what arrived is the default one's to process
    for number in (1, 0, 1):
        promote(NAMES[number])
        assert seen(database, run) == whole(number)
    with database.session(read_only=True) as session:
        row = session.get_one(RunRow, run.id)
        assert row.parameters == {"patches_x": 4}
        original, fine = branches.list_branches(session, alice, run.id)
        last = next(arrived)
        assert (fine.default, fine.counts.completed, fine.counts.error) == (True, COUNT // 2, COUNT // 2)
        assert fine.counts.registered == row.acquisition_count - COUNT == last - COUNT
        assert (original.default, original.counts.completed, original.counts.error) == (False, COUNT // 2, COUNT // 2)
        aside = select(func.count()).where(BranchAcquisitionRow.run_id == run.id)
        assert session.scalar(aside) == COUNT, "nothing is kept twice"


@pytest.mark.feature("BY-06")
def test_a_promotion_that_fails_changes_nothing(
    database: Database, run: Element, alice: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the machine went down")

    monkeypatch.setattr(promotion, "_take_lease_away", broken)
    with pytest.raises(RuntimeError), database.session() as session:
        promotion.promote(session, alice, run.id, "fine")
    assert seen(database, run) == whole(0)
    monkeypatch.undo()
    with database.session() as session:
        promotion.promote(session, alice, run.id, "fine")
    assert seen(database, run) == whole(1)
