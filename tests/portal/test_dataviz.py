"""The filter of a run on its charts: rules, what they keep, the address, exports."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.events import SelectionGeometry
from hypothesis import given
from hypothesis import strategies as st

from athena.contract.filters import FilterRule, Operator, RunFilter, SavedFilter
from athena.contract.runs import RunCounts
from athena.errors import Invalid
from athena.portal.filter_words import parse_rules, write_rules
from athena.portal.pages.run import RunPage
from athena.portal.plots.dataviz import DATAVIZ_METRICS, Dataviz, charted_metrics
from athena.portal.plots.numbers import RunNumbers
from athena.portal.plots.raster import KEPT, Raster
from athena.portal.plots.zones import left_out
from tests.portal.test_views import Tab, run_page

finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def rules(draw: Callable[..., Any]) -> FilterRule:
    """Any rule."""
    operator = draw(st.sampled_from(Operator))
    two = operator in (Operator.BETWEEN, Operator.OUTSIDE)
    low, high = sorted((draw(finite), draw(finite)))
    return FilterRule(metric="defocus_um", operator=operator, value=low, upper=high if two else None)


def make_numbers(total: int, *, accepted: tuple[int, ...] = (), rejected: tuple[int, ...] = ()) -> RunNumbers:
    """A run whose every metric is the index."""
    return RunNumbers(
        version=3,
        names=np.array([f"m{index}" for index in range(total)], dtype=object),
        columns={name: np.arange(total, dtype=float) for name in DATAVIZ_METRICS},
        accepted=np.array(accepted, dtype=np.int64),
        rejected=np.array(rejected, dtype=np.int64),
    )


def make_page(numbers: RunNumbers, *saved: FilterRule) -> RunPage:
    """Dataviz of a run with a filter saved."""
    page = run_page(counts=RunCounts(total=numbers.total, completed=numbers.total), tab="dataviz")
    kept = SavedFilter(run_id=page.element.id, filter=RunFilter(rules=saved), matching=0, total=numbers.total)
    return replace(page, numbers=numbers, saved=kept)


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


@given(st.lists(rules(), max_size=4), st.floats(-1, 11))
def test_a_value_is_shaded_when_a_rule_leaves_it_out(all_rules: list[FilterRule], value: float) -> None:
    numbers = replace(make_numbers(1), columns={"defocus_um": np.array([value])})
    zones = left_out(all_rules, low=-1, high=11)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(zones))
    if all(value not in zone for zone in zones):
        edges = [bound for rule in all_rules for bound in (rule.value, rule.upper)]
        if value not in edges and -1 < value < 11:
            assert bool(numbers.kept(tuple(all_rules))[0]) == (not any(low < value < high for low, high in zones))


@given(st.lists(st.floats(0, 10) | st.just(float("nan")), min_size=1, max_size=300), st.integers(0, 2**32 - 1))
def test_a_picture_hides_no_point_that_is_kept(values: list[float], seed: int) -> None:
    column = np.array(values)
    kept = np.random.default_rng(seed).random(column.size) < 0.5
    raster = Raster.of(column, -1.0, 11.0)
    levels = raster.draw(kept).ravel()
    shown = np.isfinite(column)
    assert raster.pixels.size == int(shown.sum())
    assert set(np.flatnonzero(levels >= KEPT)) == set(raster.pixels[kept[shown]])
    assert set(np.flatnonzero(levels)) == set(raster.pixels)


@pytest.mark.feature("EQ-07", "EQ-08")
@pytest.mark.parametrize("total", [100, 30_000])
def test_charts_show_what_a_filter_keeps(total: int) -> None:
    dataviz = Dataviz(charted_metrics(), scheme="dark", opened=lambda _: None, brushed=lambda *_: None)
    numbers = make_numbers(total)
    dataviz.fill(numbers)
    rule = below(9)
    dataviz.keep(numbers.kept((rule,)), (rule,))
    chart = dataviz.charts[0]
    assert (np.sum(chart.bars.data["kept"]), np.sum(chart.bars.data["count"])) == (10, total)
    assert len(chart.zones.data["low"]) == 1
    assert len(dataviz.charts[1].zones.data["low"]) == 0
    if total == 100:
        assert list(np.flatnonzero(dataviz.points.data["kept"])) == list(range(10))
        return
    assert len(dataviz.points.data["index"]) == 0
    assert 0 < int((chart.picture.data["image"][0] >= KEPT).sum()) <= 10
    # looking closer, there are points again
    dataviz._across.update(start=100.5, end=600.5)
    dataviz._moved()
    assert list(dataviz.points.data["index"][[0, -1]]) == [101, 600]
    assert not np.any(dataviz.points.data["kept"])
    dataviz.fill(make_numbers(total + 5))
    assert (dataviz._across.start, dataviz._across.end) == (100.5, 600.5)


@pytest.mark.feature("EQ-08")
def test_rules_are_added_brushed_deleted_and_applied() -> None:
    tab = Tab()
    page = make_page(make_numbers(20, accepted=(19,), rejected=(0,)), below(11))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    dataviz = view.tabs["dataviz"]
    assert view.root.get_root(Document()) is not None
    assert (dataviz.bar.kept, dataviz.bar.total, dataviz.bar.changed) == (12, 20, False)
    assert (dataviz.bar.accepted, dataviz.bar.rejected) == (1, 1)
    asked = {"do": "add", "metric": "astigmatism_nm", "operator": ">=", "value": "4,5", "upper": ""}
    dataviz.sentences._handle_msg(asked)
    assert (dataviz.bar.kept, dataviz.bar.changed) == (8, True)
    assert dataviz.sentences.rules[1]["value"] == "4.5"
    assert parse_rules(tab.visited[-1].option("rules"))[1].value == 4.5
    for wrong in ({"value": "x"}, {"operator": "between"}, {"value": "inf"}, {"metric": ""}):
        dataviz.sentences._handle_msg(asked | wrong)
        assert dataviz.sentences.problem != ""
        assert len(dataviz.sentences.rules) == 2
    # while it is dragged it is only shown, then it takes the place of the rules on its metric
    chart = dataviz.charts.charts[0]
    for final, count in ((False, 2), (True, 2)):
        chart._dragged(SelectionGeometry(None, {"type": "rect", "y0": 8.0, "y1": 6.001}, final))
        assert dataviz.bar.kept == 4
        assert len(dataviz.sentences.rules) == count
    assert [rule["operator"] for rule in dataviz.sentences.rules] == [">=", "between"]
    # a newer reading of the run does not take away what is being tried
    assert view.update(replace(page, place=tab.visited[-1]))
    assert view.update(page)
    assert dataviz.bar.kept == 4
    dataviz.sentences._handle_msg({"do": "remove", "at": 0})
    dataviz.bar._handle_msg({"do": "apply"})
    assert [rule.metric for rule in tab.catalogue.filter.rules] == ["defocus_um"]
    assert (dataviz.bar.changed, tab.visited[-1].option("rules"), tab.refreshed) == (False, "", 1)


@pytest.mark.feature("EQ-08")
def test_a_link_shows_its_own_rules_and_reset_goes_back_to_those_saved() -> None:
    tab = Tab()
    page = make_page(make_numbers(20), below(11))
    linked = replace(page, place=page.place.having(rules=write_rules((below(3),))))
    view: Any = linked.view(tab)  # type: ignore[arg-type]
    dataviz = view.tabs["dataviz"]
    assert (dataviz.bar.kept, dataviz.bar.changed) == (4, True)
    dataviz.bar._handle_msg({"do": "reset"})
    assert (dataviz.bar.kept, dataviz.bar.changed) == (12, False)
    assert tab.visited[-1].option("rules") == ""


@pytest.mark.feature("EQ-09", "EX-02", "EX-03")
@pytest.mark.parametrize(("asked", "kind"), [("export", "export"), ("live-export", "live_export")])
def test_an_export_takes_what_the_screen_shows(asked: str, kind: str) -> None:
    tab = Tab()
    view: Any = make_page(make_numbers(20), below(11)).view(tab)  # type: ignore[arg-type]
    dataviz = view.tabs["dataviz"]
    dataviz._use((below(3),))
    dataviz.bar._handle_msg({"do": asked})
    assert dataviz.export.dialog.open
    dataviz.export.try_it()
    assert dataviz.export._problem.visible
    dataviz.export._folder.value_input = "out"
    dataviz.export.try_it()
    assert not dataviz.export.dialog.open
    (job,) = tab.catalogue.started
    assert job["kind"] == kind
    assert job["parameters"]["folder"] == "out"
    assert job["parameters"]["filter"]["rules"][0]["value"] == 3
    dataviz.bar._handle_msg({"do": "update-live"})
    assert (tab.catalogue.filter.rules, tab.catalogue.updated) == ((below(3),), 1)
