"""The filter of a run on its charts: rules, what they keep, the address, exports."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from bokeh.document import Document
from hypothesis import given
from hypothesis import strategies as st

from athena.contract.elements import Crumb, ElementKind
from athena.contract.events import Event, EventKind
from athena.contract.filters import FilterRule, Operator, RunFilter, SavedFilter
from athena.contract.jobs import JobState
from athena.contract.named_filters import NamedFilterCreate, NamedFilterUpdate
from athena.contract.people import Role
from athena.contract.runs import RunCounts
from athena.contract.verdicts import VerdictKind
from athena.errors import Invalid
from athena.portal.filter_words import parse_rules, write_rules
from athena.portal.pages.listing import crumb_items
from athena.portal.pages.run import RunPage
from athena.portal.run_tabs.dataviz import check_rules
from tests.portal.test_jobs_page import job
from tests.portal.test_views import WHEN, Tab, run_page

finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def rules(draw: Callable[..., Any]) -> FilterRule:
    """Any rule."""
    operator = draw(st.sampled_from(Operator))
    two = operator in (Operator.BETWEEN, Operator.OUTSIDE)
    low, high = sorted((draw(finite), draw(finite)))
    return FilterRule(metric="defocus_um", operator=operator, value=low, upper=high if two else None)


def make_page(total: int, *saved: FilterRule, like: RunPage | None = None) -> RunPage:
    """Dataviz of a run with a filter saved."""
    page = like or run_page(counts=RunCounts(total=total, completed=total), tab="dataviz")
    kept = SavedFilter(run_id=page.element.id, filter=RunFilter(rules=saved), matching=0, total=total)
    return replace(page, saved=kept)


def below(value: float, metric: str = "defocus_um") -> FilterRule:
    """A rule."""
    return FilterRule(metric=metric, operator=Operator.AT_MOST, value=value)


@pytest.mark.feature("EQ-08")
@given(st.lists(rules(), max_size=5).map(tuple))
def test_rules_survive_an_address(given_rules: tuple[FilterRule, ...]) -> None:
    assert parse_rules(write_rules(given_rules)) == given_rules


@pytest.mark.parametrize("words", ["", "defocus_um", "a~b~1", "a~le~x", "a~between~2~1", "a~le~1~2", "a~le~nan", "~~"])
def test_an_address_with_no_rules_in_it_is_refused(words: str) -> None:
    with pytest.raises(Invalid):
        parse_rules(words)


def say(tab: Any, trait: str, value: Any) -> None:
    """What the charts in the browser say."""
    tab.charts._handle_msg({"trait": trait, "value": value})


def wire(*rules: FilterRule) -> list[dict[str, Any]]:
    """Rules as the browser has them."""
    return [rule.model_dump(mode="json") for rule in rules]


@pytest.mark.feature("EQ-08")
def test_rules_of_the_charts_are_checked_said_in_the_address_and_applied() -> None:
    tab = Tab()
    page = make_page(20, below(11))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    dataviz = view.tabs["dataviz"]
    assert view.root.get_root(Document()) is not None
    assert dataviz.charts.traits["rules"] == wire(below(11))
    assert not dataviz.bar.changed
    say(dataviz, "tally", {"kept": 12, "total": 20, "accepted": 1, "rejected": 1})
    assert (dataviz.bar.kept, dataviz.bar.total, dataviz.bar.accepted, dataviz.bar.rejected) == (12, 20, 1, 1)
    for wrong in ({}, {"kept": "12"}, None, {"kept": 1, "total": 20, "accepted": 1}):
        say(dataviz, "tally", wrong)
        assert dataviz.bar.kept == 12
    drawn = (below(11), below(4.5, "astigmatism_nm"))
    say(dataviz, "rules", wire(*drawn))
    assert dataviz.bar.changed
    assert parse_rules(tab.visited[-1].option("rules")) == drawn
    good = wire(below(1))[0]
    for bad in ({"operator": "between"}, {"value": "x"}, {"metric": "beauty"}, {"value": float("inf")}):
        say(dataviz, "rules", [good | bad])
        assert dataviz.charts.traits["problem"] != ""
        # the charts go back to the rules as they are here
        assert (dataviz.charts.traits["rules"], dataviz._rules) == (wire(*drawn), drawn)
    pushed = dataviz.charts.pushes["rules"]
    say(dataviz, "rules", wire(*drawn))
    assert dataviz.charts.traits["problem"] == ""
    # a newer reading of the run does not take away what is being tried, nor send it to the charts once more
    assert view.update(replace(page, place=tab.visited[-1]))
    assert view.update(page)
    assert dataviz._rules == drawn
    assert dataviz.charts.pushes["rules"] == pushed
    say(dataviz, "rules", wire(drawn[1]))
    dataviz.bar._handle_msg({"do": "apply"})
    assert tab.catalogue.filter.rules == drawn[1:]
    assert (dataviz.bar.changed, tab.visited[-1].option("rules"), tab.refreshed) == (False, "", 1)


@pytest.mark.feature("EQ-08")
def test_a_link_shows_its_own_rules_and_reset_goes_back_to_those_saved() -> None:
    tab = Tab()
    page = make_page(20, below(11))
    linked = replace(page, place=page.place.having(rules=write_rules((below(3),)), charts="iciness,defocus_um"))
    view: Any = linked.view(tab)  # type: ignore[arg-type]
    dataviz = view.tabs["dataviz"]
    assert (dataviz.charts.traits["rules"], dataviz.bar.changed) == (wire(below(3)), True)
    assert dataviz.charts.traits["charts"] == ["iciness", "defocus_um"]
    dataviz.bar._handle_msg({"do": "reset"})
    assert (dataviz.charts.traits["rules"], dataviz.bar.changed) == (wire(below(11)), False)
    assert tab.visited[-1].option("rules") == ""
    # the charts may have gone elsewhere since: reset reaches them though it was given before
    before = dataviz.charts.pushes["rules"]
    say(dataviz, "rules", wire(below(2)))
    dataviz.bar._handle_msg({"do": "reset"})
    assert dataviz.charts.pushes["rules"] == before + 1
    # somebody else saved another
    assert view.update(make_page(20, below(7), like=page))
    assert dataviz.charts.traits["rules"] == wire(below(7))
    say(dataviz, "charts", ["ctf_score", "beauty"])
    assert tab.visited[-1].option("charts") == "ctf_score"


@pytest.mark.feature("EQ-08")
def test_an_address_with_a_rule_on_no_metric_is_refused() -> None:
    page = make_page(20)
    check_rules(page)
    check_rules(replace(page, place=page.place.having(rules=write_rules((below(3),)))))
    with pytest.raises(Invalid, match="beauty"):
        check_rules(replace(page, place=page.place.having(rules=write_rules((below(3, "beauty"),)))))


@pytest.mark.feature("EQ-08")
def test_what_is_selected_on_the_charts_is_judged_by_hand() -> None:
    tab = Tab()
    page = make_page(20)
    view: Any = page.view(tab)  # type: ignore[arg-type]
    dataviz = view.tabs["dataviz"]
    for said in ("3-5,9 rejected", "", "4 ", "4 loved", "9-3 rejected", "x accepted", 7, "0-99999999 accepted"):
        say(dataviz, "judged", said)
    run = page.element.id
    assert tab.catalogue.asked == [(run, ([3, 4, 5, 9], VerdictKind.REJECTED)), (run, ([4], None))]
    tab.catalogue.locked = run
    say(dataviz, "judged", "4 accepted")
    assert dataviz.charts.traits["problem"] == "Somebody works on it."
    for index in (-1, "4", None, 4):
        say(dataviz, "opened", index)
    assert [place.index for place in tab.visited] == [4]


@pytest.mark.feature("EQ-09", "EX-02", "EX-03")
@pytest.mark.parametrize(("asked", "kind"), [("export", "export"), ("live-export", "live_export")])
def test_an_export_takes_what_the_screen_shows(asked: str, kind: str) -> None:
    tab = Tab()
    view: Any = make_page(20, below(11)).view(tab)  # type: ignore[arg-type]
    dataviz = view.tabs["dataviz"]
    say(dataviz, "rules", wire(below(3)))
    dataviz.bar._handle_msg({"do": asked})
    dialog = tab.shell.dialog
    assert dialog.form["text"].count("match the filter") == 1
    assert "kind" not in {field["name"] for field in dialog.form["fields"]}
    values = {field["name"]: field["value"] for field in dialog.form["fields"] if "value" in field}
    number = dialog.form["number"]
    dialog._handle_msg({"do": "submit", "number": number, "values": values | {"folder": " "}})
    assert dialog.answer["problem"] == "Name the folder that is to be made."
    dialog._handle_msg({"do": "submit", "number": number, "values": values | {"folder": "out"}})
    assert dialog.form == {}
    (job,) = tab.catalogue.started
    assert job["kind"] == kind
    assert job["parameters"]["folder"] == "out"
    assert job["parameters"]["filter"]["rules"][0]["value"] == 3
    dataviz.bar._handle_msg({"do": "update-live"})
    assert (tab.catalogue.filter.rules, tab.catalogue.updated) == ((below(3),), 1)


@pytest.mark.feature("EQ-08", "BY-09")
def test_rules_are_kept_under_names_chosen_changed_and_forgotten() -> None:
    tab = Tab()
    page = make_page(20, below(11))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    bar, charts, dialog = view.tabs["dataviz"].bar, view.tabs["dataviz"].charts, tab.shell.dialog

    def submit(**values: Any) -> None:
        dialog._handle_msg({"do": "submit", "number": dialog.form["number"], "values": values})

    def renew() -> None:
        assert view.update(replace(page, named=tuple(tab.catalogue.named)))

    def ask(do: str) -> None:
        bar._handle_msg({"do": do, "id": bar.filters[0]["id"]})

    assert (bar.filters, bar.ruled) == ([], True)
    bar._handle_msg({"do": "name-filter"})
    assert dialog.form["lines"] == ["Defocus ≤ 11.00\u2009µm"]
    submit(name=" ")
    assert "name" in dialog.answer["problem"]
    submit(name="taken")
    assert dialog.answer["problem"] == "There is a filter “taken” already."
    submit(name="thin")
    assert (dialog.form, tab.refreshed, tab.catalogue.named[0].rules) == ({}, 1, (below(11),))
    renew()
    assert [(one["name"], one["words"], one["chosen"]) for one in bar.filters] == [
        ("thin", "Defocus ≤ 11.00\u2009µm", True)
    ]
    # other rules on the charts: it is not chosen any more, until somebody chooses it
    say(view.tabs["dataviz"], "rules", wire(below(3)))
    assert not bar.filters[0]["chosen"]
    pushed = charts.pushes.get("rules", 0)
    ask("choose-filter")
    assert (charts.traits["rules"], charts.pushes["rules"]) == (wire(below(11)), pushed + 1)
    assert (bar.filters[0]["chosen"], bar.changed) == (True, False)
    # as the charts are, there is nothing to take over
    ask("change-filter")
    assert [field["name"] for field in dialog.form["fields"]] == ["name"]
    say(view.tabs["dataviz"], "rules", wire(below(2), below(1, "drift_total_angstrom")))
    ask("change-filter")
    assert [field["name"] for field in dialog.form["fields"]] == ["name", "replace"]
    submit(name="thinner", replace=True)
    renew()
    assert [(one["name"], one["chosen"]) for one in bar.filters] == [("thinner", True)]
    assert tab.catalogue.named[0].revision == 2
    assert tab.catalogue.filter.rules == (), "nothing was applied to the run"
    # what it was, to be that again
    ask("filter-history")
    now, then = dialog.form["choices"]["items"]
    assert (now["label"], now["now"], now["off"]) == ("Version 2", True, True)
    assert (then["label"], then["by"], then["now"], then["off"]) == ("Version 1, as “thin”", "alice", False, False)
    assert then["lines"] == ["Defocus ≤ 11.00\u2009µm"]
    submit(version="7")
    assert "Choose a version" in dialog.answer["problem"]
    submit(version="1")
    renew()
    assert (dialog.form, bar.filters[0]["name"], tab.catalogue.named[0].revision) == ({}, "thinner", 3)
    assert tab.catalogue.named[0].rules == (below(11),)
    ask("remove-filter")
    assert dialog.form["danger"]
    submit()
    assert tab.catalogue.named == []
    ask("choose-filter")
    assert bar.problem == ""
    renew()
    assert bar.filters == []
    bar._handle_msg({"do": "choose-filter", "id": "gone"})
    assert bar.problem == "Somebody has deleted this filter."
    say(view.tabs["dataviz"], "rules", [])
    assert not bar.ruled


def test_a_change_of_what_the_workflow_keeps_concerns_its_charts() -> None:
    tab = Tab()
    page = make_page(20)
    workflow = Crumb(id=uuid4(), kind=ElementKind.WORKFLOW, name="SPA")
    page = replace(page, crumbs=[*crumb_items([workflow]), *page.crumbs])
    view: Any = page.view(tab)  # type: ignore[arg-type]

    def event(element_id: UUID) -> Event:
        return Event(seq=1, kind=EventKind.ELEMENT_UPDATED, time=WHEN, element_id=element_id)

    assert view.concerns(event(workflow.id))
    assert view.concerns(event(page.element.id))
    assert not view.concerns(event(uuid4()))
    gallery: Any = replace(page, place=page.place.at()).view(tab)  # type: ignore[arg-type]
    assert not gallery.concerns(event(workflow.id))


@pytest.mark.feature("BY-09", "EX-03")
def test_who_may_only_look_sees_what_a_filter_was_and_what_an_export_goes_by() -> None:
    tab = Tab()
    page = make_page(20, below(11))
    given = NamedFilterCreate(name="thin", rules=(below(11),))
    one = tab.catalogue.add_named_filter(page.element.id, given)
    tab.catalogue.change_named_filter(page.element.id, one.id, NamedFilterUpdate(rules=(below(3),), revision=1))
    viewer = page.run.element.model_copy(update={"my_role": Role.VIEWER})
    used = [{"since": WHEN.isoformat(), "rules": [], "named_filter": {"id": str(one.id), "name": "thin", "version": 1}}]
    jobs = tuple(
        job(JobState.RUNNING, kind="live_export").model_copy(update={"element_id": page.element.id, "result": result})
        for result in ({"filters": used}, {"filters": [*used, used[0] | {"named_filter": None}]})
    )
    run = page.run.model_copy(update={"element": viewer})
    view: Any = replace(page, run=run, jobs=jobs, named=tuple(tab.catalogue.named)).view(tab)  # type: ignore[arg-type]
    bar = view.tabs["dataviz"].bar
    assert [job["filter"] for job in bar.jobs] == ["“thin”, version 1", ""]
    bar._handle_msg({"do": "filter-history", "id": str(one.id)})
    form = tab.shell.dialog.form
    assert (form["action"], [item["label"] for item in form["choices"]["items"]]) == ("", ["Version 2", "Version 1"])
