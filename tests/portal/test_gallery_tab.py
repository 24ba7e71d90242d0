"""The gallery of a run as the portal shows it, and the way from it to single micrographs."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from athena.contract.acquisitions import Acquisition, AcquisitionState
from athena.contract.events import Event, EventKind
from athena.contract.filters import FilterRule, Operator
from athena.contract.neighbours import Neighbours, Shown
from athena.contract.people import Role
from athena.contract.runs import RunCounts
from athena.portal.pages.micrograph import MicrographPage
from athena.portal.place import Place
from athena.portal.shown import Listed
from tests.portal.test_views import WHEN, Tab, run_page

FOREIGN = UUID(int=1)


@pytest.fixture
def tab() -> Tab:
    """A browser tab without a browser."""
    return Tab()


def test_the_browsers_word_is_only_heard_where_someone_listens(tab: Tab) -> None:
    page = run_page(counts=RunCounts(total=3, completed=3))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    gallery = view.tabs["micrographs"]._gallery
    for message in ({}, {"trait": "run_id", "value": "x"}, {"trait": "opened", "value": "x"}, {"trait": "opened"}):
        gallery._handle_msg(message)
    assert tab.visited == []
    gallery._handle_msg({"trait": "opened", "value": 2})
    assert tab.visited == [Place(page.run.element.id, index=2).having(show="all", order="newest")]
    assert gallery.traits["run_id"] == str(page.run.element.id)


@pytest.mark.feature("EQ-03")
def test_a_micrograph_is_opened_with_what_the_gallery_shows_in_its_address(tab: Tab) -> None:
    page = run_page(counts=RunCounts(total=3, completed=3))
    rule = FilterRule(metric="defocus_um", operator=Operator.BELOW, value=2.0)
    page = replace(page, run=page.run.model_copy(update={"filter": (rule,)}))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    gallery, here = view.tabs["micrographs"]._gallery, page.place
    assert gallery.traits["rules"] == [rule.model_dump(mode="json")]
    assert gallery.traits["shown"] == ""
    gallery._handle_msg({"trait": "opened", "value": 2})
    assert tab.visited.pop() == here.at(index=2).having(show="filtered", order="newest")
    for trait, value in (("order", "oldest"), ("shown", "excluded")):
        tab.place = here
        gallery._handle_msg({"trait": trait, "value": value})
        here = tab.visited.pop()
    assert here == page.place.having(order="oldest", show="excluded")
    for odd in ("order", "shown"):
        gallery._handle_msg({"trait": odd, "value": 7})
    gallery._handle_msg({"trait": "order", "value": "sideways"})
    assert tab.visited == []
    tab.place = here
    assert view.update(replace(page, place=here))
    assert (gallery.traits["shown"], gallery.traits["order"]) == ("excluded", "oldest")
    gallery._handle_msg({"trait": "opened", "value": 1})
    assert Listed.of(tab.visited.pop()) == Listed(Shown.EXCLUDED, "oldest")
    gallery._handle_msg({"trait": "wanted", "value": "rules"})
    assert tab.visited.pop() == here.at(tab="dataviz")
    assert Listed.of(Place.parse("?show=best&order=sideways")) == Listed()


@pytest.mark.feature("EQ-03")
def test_a_micrograph_says_where_it_is_among_those_shown_and_its_links_stay_there(tab: Tab) -> None:
    page = run_page(counts=RunCounts(total=9, completed=9))
    run_id = page.run.element.id
    shot = Acquisition(run_id=run_id, index=4, name="m4", state=AcquisitionState.COMPLETED, registered=WHEN)
    place = Place(run_id, "ctf", 4).having(show="filtered", order="newest")
    among = Neighbours(index=4, shown=Shown.FILTERED, count=3, position=1, previous=7, following=2)
    view: Any = MicrographPage(place, page.run, shot, {}, [], among).view(tab)  # type: ignore[arg-type]
    header = view._header
    assert header.where == "2 of 3 filtered"
    assert Place.parse(header.previous) == Place(run_id, "ctf", 7).having(show="filtered", order="newest")
    assert Place.parse(header.following).index == 2
    assert Place.parse(header.back) == Place(run_id).having(show="filtered", order="newest")
    assert {Listed.of(Place.parse(tab["search"])).shown for tab in view._tabs.tabs} == {Shown.FILTERED}
    # where a newer one may come to stand beside it, every event of the run counts
    later = Event(seq=1, kind=EventKind.ACQUISITION_COMPLETED, time=WHEN, element_id=run_id, index=8)
    assert not view.concerns(later)
    last = among.model_copy(update={"position": None, "previous": None})
    assert view.update(MicrographPage(place, page.run, shot, {}, [], last))
    assert header.where == "not among the 3 filtered"
    assert view.concerns(later)


@pytest.mark.feature("EQ-08")
def test_the_gallery_judges_and_says_what_was_refused(tab: Tab) -> None:
    page = run_page(counts=RunCounts(total=3, completed=3))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    gallery = view.tabs["micrographs"]._gallery
    for word in ("", "x rejected", "-1 rejected", "2 wrong", 7):
        gallery._handle_msg({"trait": "judged", "value": word})
    assert tab.catalogue.asked == []
    gallery._handle_msg({"trait": "judged", "value": "2 rejected"})
    gallery._handle_msg({"trait": "judged", "value": "2 "})
    assert tab.catalogue.asked == [(page.run.element.id, ([2], "rejected")), (page.run.element.id, ([2], None))]
    tab.catalogue.locked = page.run.element.id
    gallery._handle_msg({"trait": "judged", "value": "1 accepted"})
    assert gallery.traits["problem"] == "Somebody works on it."
    assert (
        not run_page(counts=RunCounts(total=3), role=Role.VIEWER)
        .view(tab)
        .tabs["micrographs"]
        ._gallery.traits[  # type: ignore[arg-type,attr-defined]
            "may_judge"
        ]
    )


@pytest.mark.feature("EQ-03", "EQ-08")
def test_the_other_tabs_are_led_to_with_what_the_address_says_by_now(tab: Tab) -> None:
    page = run_page(counts=RunCounts(total=3, completed=3))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    run_id = page.run.element.id

    def links() -> dict[str, Place]:
        return {one["name"]: Place.parse(one["search"]) for one in view._header.tabs}

    assert links()["dataviz"] == Place(run_id, "dataviz")
    # the gallery says what it shows, and nothing is read for that
    said = {"show": "error", "order": "oldest"}
    view.said(page.place.having(**said))
    assert links()["dataviz"] == Place(run_id, "dataviz").having(**said)
    assert links()["micrographs"] == Place(run_id).having(**said)
    # so do the charts; what a micrograph says is not of the run's tabs
    view.said(Place(run_id, "dataviz").having(**said, rules="none"))
    assert dict(links()["report"].options) == {**said, "rules": "none"}
    view.said(Place(FOREIGN).having(show="all"))
    assert dict(links()["report"].options) == {**said, "rules": "none"}
    # a newer reading of another tab has it from its own address
    assert view.update(replace(page, place=links()["notes"]))
    assert dict(links()["micrographs"].options) == {**said, "rules": "none"}
