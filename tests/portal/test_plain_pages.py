"""Search and dashboard without a browser: what an address asks, what is shown of the answer."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from athena.contract.elements import Crumb, Element, ElementKind, Status, StepStatus
from athena.contract.live_runs import LiveRun
from athena.contract.people import Role
from athena.contract.runs import RunCounts, SourceState
from athena.contract.search import Placed, SearchHit, SearchPage
from athena.contract.storages import Storage, StorageRole, StorageState, StorageUse
from athena.errors import Invalid, Unavailable
from athena.portal.pages.dashboard import read_dashboard
from athena.portal.pages.search import read_search
from athena.portal.place import Place
from tests.portal.test_data_panel import Desk

WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)


def placed(kind: ElementKind, name: str, *, file: str = "", **more: Any) -> SearchHit:
    """Something found, in a folder."""
    element = Element(
        id=uuid4(),
        kind=kind,
        name=name,
        creator="alice",
        created=WHEN,
        updated=WHEN,
        parent_id=uuid4(),
        my_role=Role.OWNER,
        **{"type": "", **more},
    )
    way = (Crumb(id=uuid4(), kind=ElementKind.FOLDER, name="Top"), Crumb(id=element.id, kind=kind, name=name))
    return SearchHit(element=element, breadcrumb=way, file=file)


class Index:
    """A catalogue that finds one thing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def search(self, asked: dict[str, Any]) -> SearchPage:
        """One hit; a condition that ends early is refused."""
        self.asked.append(asked)
        if asked["where"].endswith(">"):
            raise Invalid("A value is missing after “>”.")
        return SearchPage(hits=(placed(ElementKind.DATASET, "Grid 3", type="free", file="a.mrc"),), total=7, more=True)

    def recent(self, kind: ElementKind | None = None, *, limit: int = 10) -> list[Placed]:
        """One of a kind."""
        steps = (StepStatus(id=uuid4(), name="Imaging", status=Status.COMPLETED),)
        more = {"type": "free", "steps": steps} if kind is ElementKind.WORKFLOW else {}
        return [placed(kind or ElementKind.FOLDER, "Lately", **more)][:limit]

    def storages(self) -> list[Storage]:
        """One that does not answer."""
        use = StorageUse(state=StorageState.DOWN, message="No such folder.", file_count=2, used_bytes=10, quota_bytes=5)
        return [Storage(id=uuid4(), name="krios", role=StorageRole.PRIMARY, read_only=False, chosen=True, use=use)]

    def live_runs(self) -> list[LiveRun]:
        """One that is quiet."""
        hit = placed(ElementKind.DATASET, "Live", type="epu_run")
        about = {"element": hit.element, "breadcrumb": hit.breadcrumb, "state": SourceState.WATCHING}
        return [LiveRun(counts=RunCounts(total=3, completed=2), last_index=2, last_registered=WHEN, **about)]

    def jobs(self) -> list[Any]:
        """None."""
        return []


@pytest.mark.feature("SE-01", "SE-02")
def test_an_address_asks_all_that_the_boxes_ask() -> None:
    index: Any = Index()
    place = Place.parse(
        "?p=search&q=grid+3&in=name,notes&kind=dataset&status=completed&owner=bob&since=2026-05-01&until=2026-05-31"
    )
    found = read_search(index, place)
    (asked,) = index.asked
    assert (asked["text"], asked["in"], asked["kind"]) == ("grid 3", ["name", "notes"], ["dataset"])
    assert (asked["status"], asked["owner"], asked["limit"]) == (["completed"], "bob", 50)
    assert (asked["since"], asked["until"]) == ("2026-05-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00")
    tab: Any = Desk()
    view: Any = found.view(tab)
    board = view._board
    assert (board.total, board.more, board.asked, board.options["q"]) == (1, True, True, "grid 3")
    assert (board.hits[0]["file"], board.hits[0]["way"][0]["name"]) == ("a.mrc", "Top")
    board._handle_msg({"do": "look", "options": {"q": "ice", "kind": "", "where": "defocus > 1 um"}})
    (went,) = tab.visited
    assert Place.parse(went.search) == Place(page="search", options=(("q", "ice"), ("where", "defocus > 1 um")))


class Haystack:
    """A catalogue that finds a thousand things, of which some are gone when they are read."""

    def __init__(self) -> None:
        self.straw = [placed(ElementKind.DATASET, f"Straw {number}") for number in range(1000)]
        self.gone: set[int] = set()
        self.asked: list[tuple[int, int]] = []
        self.down = False

    def search(self, asked: dict[str, Any]) -> SearchPage:
        """A page."""
        if self.down:
            raise Unavailable("Athena does not answer.")
        first, limit = asked.get("offset", 0), asked["limit"]
        self.asked.append((first, limit))
        assert limit <= 200
        there = [one for at, one in enumerate(self.straw) if at not in self.gone and first <= at < first + limit]
        return SearchPage(hits=tuple(there), total=len(self.straw), more=True)


@pytest.mark.feature("SE-01")
def test_a_thousand_hits_are_read_page_by_page_and_kept_in_the_address() -> None:
    stack: Any = Haystack()
    stack.gone = {60, 999}
    tab: Any = Desk()
    tab.catalogue = stack
    view: Any = read_search(stack, Place(page="search").having(q="straw")).view(tab)
    board = view._board
    names = [hit["name"] for hit in board.hits]
    assert (len(names), board.total, board.more) == (50, 1000, True)
    pages = 0
    while True:
        before = len(stack.asked)
        board._handle_msg({"do": "more"})
        if len(stack.asked) == before:
            break
        pages += 1
        assert board.further["after"] == len(names)
        names += [hit["name"] for hit in board.further["hits"]]
    assert pages == 10
    assert names == [f"Straw {number}" for number in range(1000) if number not in stack.gone]
    assert board.total == len(names), "what is gone is not waited for"
    place = tab.visited[-1]
    assert Place.parse(place.search) == Place(page="search").having(q="straw", show="1050")
    # the address shows as many again, in as few requests as there can be
    stack.asked.clear()
    again = read_search(stack, place)
    assert [hit.element.name for hit in again.hits] == names
    assert stack.asked == [(first, 200) for first in range(0, 1000, 200)]
    for odd in ("all", "-5", "9" * 30, ""):
        assert len(read_search(stack, Place(page="search").having(q="straw", show=odd)).hits) == 50


@pytest.mark.feature("SE-01")
def test_what_follows_an_answer_that_was_replaced_is_dropped_and_a_refusal_is_said() -> None:
    stack: Any = Haystack()
    tab: Any = Desk()
    tab.catalogue = stack
    view: Any = read_search(stack, Place(page="search").having(q="straw")).view(tab)
    late: list[Any] = []
    tab.run = lambda work, then, failed: late.append((work(), then))  # type: ignore[method-assign]
    view._board._handle_msg({"do": "more"})
    view._board._handle_msg({"do": "more"})
    assert len(late) == 1, "one page at a time"
    assert view.update(read_search(stack, Place(page="search").having(q="other")))
    page, then = late[0]
    then(page)
    assert ("hits" in view._board.further, tab.visited) == (False, [])
    # the same answer, read again meanwhile because something happened, is gone on with
    view._board._handle_msg({"do": "more"})
    assert view.update(read_search(stack, Place(page="search").having(q="other")))
    for page, then in late[1:]:
        then(page)
    page, then = late[-1]
    then(page)
    assert (view._board.further["after"], len(view._board.further["hits"])) == (50, 100)
    # what was read before more was shown takes none of it away: it is read again, for as many
    earlier = view._loaded
    del tab.run
    view._board._handle_msg({"do": "more"})
    shown = view._board.further
    assert (shown["after"], tab.place) == (150, earlier.place.having(show="250"))
    assert view.update(read_search(stack, earlier.place))
    assert (view._board.further, tab.refreshed) == (shown, 1)
    assert view.update(read_search(stack, tab.place))
    assert (len(view._board.hits), tab.refreshed) == (250, 1)
    # another question with the same answer is told as one, and fewer hits are shown where the address goes back to them
    told = view._board.further
    tab.place = Place(page="search").having(q="others")
    assert view.update(read_search(stack, tab.place))
    assert view.update(read_search(stack, tab.place))
    assert view._board.further["answer"] == told["answer"] + 2
    assert (len(view._board.hits), tab.refreshed) == (50, 1)
    stack.down = True
    view._board._handle_msg({"do": "more"})
    assert view._board.problem == "Athena does not answer."


@pytest.mark.feature("SE-01")
def test_a_search_that_is_not_understood_says_why_and_none_shows_what_was_opened_lately() -> None:
    index: Any = Index()
    tab: Any = Desk()
    view: Any = read_search(index, Place(page="search").having(where="defocus >")).view(tab)
    assert "value is missing" in view._board.problem
    assert view.update(read_search(index, Place(page="search").having(since="May")))
    assert "no day" in view._board.problem
    assert view.update(read_search(index, Place(page="search").having(**{"in": "name"})))
    assert (view._board.problem, view._board.asked, view._board.hits[0]["name"]) == ("", False, "Lately")
    assert len(index.asked) == 1


@pytest.mark.feature("WS-19")
def test_the_dashboard_shows_where_one_was_and_what_is_down() -> None:
    tab: Any = Desk()
    index: Any = Index()
    view: Any = read_dashboard(index, Place(page="dashboard")).view(tab)
    board = view._board
    assert board.workflows[0]["steps"] == [{"name": "Imaging", "status": "completed"}]
    assert (board.folders[0]["kind"], board.folders[0]["way"][0]["name"]) == ("folder", "Top")
    assert (board.storages[0]["state"], board.storages[0]["message"]) == ("down", "No such folder.")
    assert (board.storages[0]["quota"], board.storages[0]["total"]) == (5, None)
    assert board.version
    (live,) = board.live
    assert (live["total"], live["completed"], live["picture"]) == (3, 2, "")
    assert [one["level"] for one in live["concerns"]] == ["error", "error"]  # never looked at, and long silent
    view.tick()
    assert tab.refreshed == 1
