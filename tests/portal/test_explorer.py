"""The explorer without a browser: where it is, what it reads, what it makes of events (WS-08)."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import Crumb, Element, ElementKind, ElementPage, ElementSort
from athena.contract.events import Event, EventKind
from athena.contract.listings import ListedAcquisition, Listing, ListingSort
from athena.contract.neighbours import Shown
from athena.contract.people import Role
from athena.errors import NotFound, Unavailable
from athena.portal.components.explorer import Explorer
from athena.portal.order import Order
from athena.portal.pages.listing import crumb_items
from athena.portal.panels.explorer import MANY, ExplorerPanel
from athena.portal.place import Place
from tests.portal.test_data_panel import Desk

pytestmark = pytest.mark.feature("WS-08")
WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)


class Tab(Desk):
    """A desk whose catalogue lists some elements, or refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Place()
        self.listed: list[tuple[Any, ...]] = []
        self.refusal: Exception | None = None
        self.catalogue: Any = SimpleNamespace(children=self.children, listing=self.listing)

    def children(self, parent: UUID | None, order: Order, *, limit: int, holding: UUID | None) -> ElementPage:
        """One folder, at place 100 of 201."""
        self.listed.append((parent, order.sort, order.descending, order.first, limit, holding))
        if self.refusal:
            raise self.refusal
        folder = Element(
            id=uuid4(),
            kind=ElementKind.FOLDER,
            parent_id=parent,
            name="In it",
            creator="alice",
            created=WHEN,
            updated=WHEN,
            my_role=Role.OWNER,
            child_count=3,
        )
        return ElementPage(items=(folder,), total=201, offset=100)

    def listing(self, run_id: UUID, **asked: Any) -> Listing:
        """Two micrographs, of 30 that a filter keeps of 40."""
        self.listed.append((run_id, *asked.values()))
        lines = [
            ListedAcquisition(index=7, name="Seventh", state=AcquisitionState.COMPLETED),
            ListedAcquisition(index=9, name="Ninth", state=AcquisitionState.ERROR),
        ]
        return Listing(items=tuple(lines), offset=20, total=30, run_total=40, shown=Shown.FILTERED)


@pytest.fixture
def tab() -> Tab:
    """A tab without a browser."""
    return Tab()


@pytest.fixture
def explorer(tab: Tab) -> Explorer:
    """Its explorer."""
    return Explorer(lambda _: None)


@pytest.fixture
def panel(tab: Tab, explorer: Explorer) -> ExplorerPanel:
    """What keeps the explorer in step."""
    return ExplorerPanel(tab, explorer)  # type: ignore[arg-type]


def event(kind: EventKind, element_id: UUID, parent_id: UUID | None = None) -> Event:
    """Something happened."""
    return Event(seq=1, kind=kind, time=WHEN, element_id=element_id, parent_id=parent_id)


def test_a_level_is_read_as_it_is_asked_for(tab: Tab, panel: ExplorerPanel, explorer: Explorer) -> None:
    level, one = uuid4(), uuid4()
    explorer._handle_msg({"do": "level", "level": str(level), "offset": 100, "epoch": 2, "sort": "name", "down": True})
    explorer._handle_msg({"do": "level", "level": "", "holding": str(one), "epoch": 2, "sort": "?"})
    assert tab.listed == [(level, ElementSort.NAME, True, 100, 100, None), (None, None, False, 0, 100, one)]
    page = explorer.page
    assert {name: page[name] for name in ("level", "epoch", "offset", "total")} == {
        "level": "",
        "epoch": 2,
        "offset": 100,
        "total": 201,
    }
    (item,) = page["items"]
    assert (item["name"], item["kind"], item["children"]) == ("In it", "folder", 3)


def test_a_page_like_the_last_one_is_given_too(panel: ExplorerPanel, explorer: Explorer, tab: Tab) -> None:
    tab.refusal = Unavailable("no answer")
    given: list[Any] = []
    explorer.param.watch(lambda change: given.append(change.new), "page")
    for _ in range(2):
        explorer._handle_msg({"do": "level", "level": "", "offset": 0, "epoch": 0})
    assert len(given) == 2


def test_a_level_that_went_and_one_that_cannot_be_read_are_told_apart(
    tab: Tab, panel: ExplorerPanel, explorer: Explorer
) -> None:
    level = str(uuid4())
    for refusal, holding, said in (
        (NotFound("gone"), "", "gone"),
        (NotFound("not among them"), str(uuid4()), "failed"),
        (Unavailable("no answer"), "", "failed"),
    ):
        tab.refusal = refusal
        explorer._handle_msg({"do": "level", "level": level, "offset": 0, "holding": holding, "epoch": 0})
        assert explorer.page[said]
        assert "items" not in explorer.page


def test_it_follows_where_one_is_and_leaves_pages_without_elements_alone(
    panel: ExplorerPanel, explorer: Explorer
) -> None:
    ids = [uuid4() for _ in range(3)]
    crumbs = crumb_items([Crumb(id=one, kind=ElementKind.FOLDER, name="F") for one in ids])
    loaded: Any = SimpleNamespace(place=Place(ids[-1]), crumbs=crumbs, element=None)
    panel.arrived(loaded)
    assert (explorer.way, explorer.here, explorer.visible) == ([str(one) for one in ids], str(ids[-1]), True)
    micrograph = Place(ids[-1], index=4)
    panel.arrived(SimpleNamespace(place=micrograph, crumbs=[*crumbs, {"search": micrograph.search}], element=None))  # type: ignore[arg-type]
    assert (explorer.way, explorer.deep) == ([*map(str, ids), f"{ids[-1]}/4"], True)
    assert explorer.here == f"{ids[-1]}/4"
    panel.going(replace(Place(), page="jobs"))
    assert not explorer.visible
    panel.arrived(SimpleNamespace(place=Place(page="jobs"), crumbs=[], element=None))  # type: ignore[arg-type]
    assert explorer.way[:-1] == [str(one) for one in ids]
    panel.arrived(SimpleNamespace(place=Place(), crumbs=[], element=None))  # type: ignore[arg-type]
    assert (explorer.way, explorer.here, explorer.visible) == ([], "", True)


def test_micrographs_of_a_run_are_rows_below_it(tab: Tab, panel: ExplorerPanel, explorer: Explorer) -> None:
    run = uuid4()
    asked = {"do": "level", "level": str(run), "micrographs": True, "epoch": 1, "sort": "created", "down": True}
    explorer._handle_msg(asked | {"holding": f"{run}/7"})
    assert tab.listed == [(run, None, ListingSort.ACQUIRED, True, 0, 100, 7, None)]
    page = explorer.page
    assert (page["offset"], page["total"], page["note"]) == (20, 30, "Only what the filter keeps: 30 of 40")
    first, second = page["items"]
    assert (first["id"], first["kind"]) == (f"{run}/7", "micrograph")
    assert (first["status"], first["name"]) == ("completed", "Seventh")
    # to go on among those that the filter keeps
    assert Place.parse(first["search"]) == Place(run, index=7, options=(("show", "filtered"),))
    assert (second["status"], second["picture"]) == ("error", "")
    # only of runs that were unfolded news are told
    panel.hear([event(EventKind.RUN_CHANGED, run), event(EventKind.RUN_CHANGED, uuid4())])
    assert explorer.news["inside"] == [str(run)]


def test_news_name_what_changed_and_where(panel: ExplorerPanel, explorer: Explorer) -> None:
    made, renamed, went, parent = (uuid4() for _ in range(4))
    panel.hear([event(EventKind.RUN_CHANGED, made)])
    assert explorer.news == {}
    panel.hear(
        [
            event(EventKind.ELEMENT_CREATED, made, parent),
            event(EventKind.ELEMENT_UPDATED, renamed),
            event(EventKind.ELEMENT_DELETED, went),
        ]
    )
    first = explorer.news
    assert first["changed"] == [[str(made), str(parent)], [str(renamed), ""]]
    assert first["gone"] == [str(went)]
    panel.hear([event(EventKind.ELEMENT_DELETED, went)])
    panel.hear([event(EventKind.ELEMENT_DELETED, went)])
    assert explorer.news["number"] == first["number"] + 2
    panel.hear([event(EventKind.ELEMENT_CREATED, uuid4()) for _ in range(MANY + 1)])
    assert explorer.news["all"]
    panel.hear([event(EventKind.ELEMENT_DELETED, went)])
    panel.hear([event(EventKind.ACCESS_CHANGED, made)])
    assert explorer.news["all"]
