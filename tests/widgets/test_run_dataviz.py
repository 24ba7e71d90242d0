"""Charts of a run in a real browser: rules, drags, selections, verdicts, keys."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.contract.verdicts import VerdictKind
from athena.domain.filters import matches
from athena_widgets.chart_metrics import ALWAYS, chart_metrics
from athena_widgets.spans import parse_spans
from tests.widgets.conftest import WidgetPage
from tests.widgets.fake_run import FakeRun
from tests.widgets.web import Web

Open = Callable[..., WidgetPage]
pytestmark = pytest.mark.feature("EQ-07", "EQ-08", "NB-02")

CHANGED = """([name, before]) => new Promise((resolve) => {
  const canvas = document.querySelector(`[data-metric=${name}] canvas`);
  const sum = () => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let total = 0;
    for (let i = 0; i < data.length; i += 4) total += data[i] * 3 + data[i + 1] * 5 + data[i + 2] * 7;
    return total };
  const look = () => { const now = sum(); now !== before ? resolve(now) : requestAnimationFrame(look) };
  look();
})"""
"""Waits until a chart's picture is another than before; returns a number that tells pictures apart."""


def open_charts(open_widget: Open, **traits: Any) -> WidgetPage:
    """Charts of the made-up run."""
    given = {"metrics": chart_metrics(), "charts": [], "rules": [], "tally": {}, "show_count": True, "problem": ""}
    more = {"may_judge": True, "judged": "", "opened": -1}
    panel = open_widget("run_dataviz", **given | more | traits)
    expect(panel.page.locator("[data-athena=dataviz][data-drawn]")).to_have_count(1)
    return panel


def chart(page: Page, metric: str) -> Locator:
    """Where the charts of a metric are pointed at."""
    return page.locator(f"[data-metric={metric}] [data-athena=chart]")


def drag(page: Page, on: Locator, start: tuple[float, float], stop: tuple[float, float]) -> None:
    """Drag over a chart, from and to fractions of its size."""
    box = on.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, stop)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def kept(run: FakeRun, *rules: FilterRule) -> int:
    """How many match, as the server counts."""
    return int(matches(RunFilter(rules=rules), run.columns(run.total), run.total).sum())


def match_count(panel: WidgetPage) -> Locator:
    """How many match, as the page says."""
    return panel.page.locator(panel.hook("match-count"))


@pytest.mark.parametrize("total", [60, 3_000, 30_000])
def test_a_rule_counts_as_the_server_does_and_draws_at_once(open_widget: Open, web: Web, total: int) -> None:
    web.run = FakeRun(total)
    panel = open_charts(open_widget)
    page = panel.page
    expect(page.locator(panel.hook("metric"))).to_have_count(len(ALWAYS))
    shown = f"{total:,}".replace(",", "\u2009")
    expect(match_count(panel)).to_have_text(f"{shown} of {shown} match")
    before = page.evaluate(CHANGED, ["ctf_resolution_angstrom", 0])
    asked = len(web.asked)
    for operator, value, upper in (("<=", "3,9", ""), ("outside", "3", "4"), (">", "4.5", "")):
        page.click(panel.hook("rule-add"))
        page.locator(panel.hook("rule-metric")).select_option("ctf_resolution_angstrom")
        page.locator(panel.hook("rule-operator")).select_option(operator)
        page.fill(panel.hook("rule-value"), value)
        if upper:
            page.fill(panel.hook("rule-upper"), upper)
        page.click(panel.hook("rule-add-go"))
        before = page.evaluate(CHANGED, ["ctf_resolution_angstrom", before])
        rule = FilterRule(
            metric="ctf_resolution_angstrom",
            operator=Operator(operator),
            value=float(value.replace(",", ".")),
            upper=float(upper) if upper else None,
        )
        page.wait_for_function("count => model.get('tally').kept === count", arg=kept(web.run, rule))
        page.click(panel.hook("rule-remove"))
        page.wait_for_function("count => model.get('tally').kept === count", arg=total)
        before = page.evaluate(CHANGED, ["ctf_resolution_angstrom", before])
    assert len(web.asked) == asked, "no rule asks the server"


def test_rules_that_mean_nothing_are_refused_with_a_reason(open_widget: Open) -> None:
    panel = open_charts(open_widget)
    page = panel.page
    page.click(panel.hook("rule-add"))
    page.fill(panel.hook("rule-value"), "much")
    page.click(panel.hook("rule-add-go"))
    expect(page.locator(panel.hook("rule-problem"))).to_have_text("“much” is no number. Write it as 3.5.")
    page.locator(panel.hook("rule-operator")).select_option("between")
    page.fill(panel.hook("rule-value"), "3")
    page.fill(panel.hook("rule-upper"), "2")
    page.click(panel.hook("rule-add-go"))
    expect(page.locator(panel.hook("rule-problem"))).to_contain_text("below the lower one")
    page.keyboard.press("Escape")
    expect(page.locator(panel.hook("rule-value"))).to_have_count(0)
    assert panel.trait("rules") == []


def test_a_drag_makes_a_rule_in_place_of_those_on_its_metric(open_widget: Open, web: Web) -> None:
    panel = open_charts(open_widget)
    page = panel.page
    for start, stop in ((0.2, 0.7), (0.3, 0.5)):
        drag(page, chart(page, "defocus_um"), (0.3, start), (0.32, stop))
        (rule,) = panel.trait("rules")
        assert (rule["metric"], rule["operator"]) == ("defocus_um", "between")
        count = kept(web.run, FilterRule(**rule))
        assert 0 < count < web.run.total
        page.wait_for_function("count => model.get('tally').kept === count", arg=count)
    # over the distribution as well
    drag(page, chart(page, "drift_total_angstrom"), (0.9, 0.3), (0.92, 0.8))
    assert [rule["metric"] for rule in panel.trait("rules")] == ["defocus_um", "drift_total_angstrom"]


def test_what_is_selected_is_judged_and_joins_the_count(open_widget: Open, web: Web) -> None:
    web.run.verdicts = {7: VerdictKind.REJECTED}
    panel = open_charts(open_widget, rules=[{"metric": "defocus_um", "operator": "<=", "value": -1.0, "upper": None}])
    page = panel.page
    expect(match_count(panel)).to_have_text(f"0 of {web.run.total} match")
    page.click(panel.hook("drag-select"))
    drag(page, chart(page, "defocus_um"), (0.1, 0.02), (0.4, 0.8))
    selection = page.locator(panel.hook("selection"))
    expect(selection).to_contain_text("selected")
    chosen = int(selection.locator("strong").inner_text())
    assert chosen > 3
    assert len(parse_spans(panel.trait("chosen")) or ()) == chosen
    panel.give(chosen="3-5,9")  # as a notebook may
    expect(selection.locator("strong")).to_have_text("4")
    panel.give(chosen="")
    expect(selection).to_be_hidden()
    drag(page, chart(page, "defocus_um"), (0.1, 0.02), (0.4, 0.8))
    page.click(panel.hook("selection-accept"))
    expect(selection).to_be_hidden()
    assert panel.trait("chosen") == ""
    expect(match_count(panel)).to_have_text(f"{chosen} of {web.run.total} match")
    said = panel.trait("judged")
    assert said.endswith(" accepted")
    panel.give(may_judge=False)
    drag(page, chart(page, "defocus_um"), (0.1, 0.02), (0.4, 0.8))
    expect(page.locator(panel.hook("selection-accept"))).to_have_count(0)
    # refused: what the server says stands
    panel.give(problem="Viewers do not judge.")
    expect(page.locator(panel.hook("rule-problem"))).to_have_text("Viewers do not judge.")
    expect(match_count(panel)).to_have_text(f"0 of {web.run.total} match")


@pytest.mark.parametrize("total", [60, 30_000])
def test_a_point_says_what_it_is_and_opens_it(open_widget: Open, web: Web, total: int) -> None:
    web.run = FakeRun(total)
    panel = open_charts(open_widget)
    page = panel.page
    values = web.run.columns(total)["defocus_um"]
    row = chart(page, "defocus_um")
    row.focus()
    page.keyboard.press("Home")
    tip = page.locator("[data-metric=defocus_um] [data-athena=point-tip]")
    expect(tip).to_contain_text(web.run.table([], 0, 1).names[0])
    expect(tip).to_contain_text(f"Defocus {values[0]:.2f}\u2009µm")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    expect(row).to_have_attribute("aria-valuenow", "3")
    page.keyboard.press("Enter")
    assert panel.trait("opened") == 2
    page.keyboard.press("x")
    assert panel.trait("judged") == "2 rejected"
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("c")
    assert panel.trait("judged") == "2-4 accepted"
    # with the pointer on the last of them that the keyboard showed
    box = row.bounding_box()
    place = tip.bounding_box()
    assert box is not None
    assert place is not None
    page.mouse.move(place["x"] - 14, place["y"] + place["height"] / 2)
    expect(tip).to_be_visible()
    page.mouse.down()
    page.mouse.up()
    assert panel.trait("opened") >= 0
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + box["height"] / 2)
    expect(tip).to_contain_text("micrographs")


def test_one_looks_closer_and_at_the_whole_again(open_widget: Open, web: Web) -> None:
    web.run = FakeRun(30_000)
    panel = open_charts(open_widget)
    page = panel.page
    before = page.evaluate(CHANGED, ["defocus_um", 0])
    whole = page.locator(panel.hook("zoom-reset"))
    expect(whole).to_be_hidden()
    page.click(panel.hook("drag-zoom"))
    drag(page, chart(page, "defocus_um"), (0.2, 0.5), (0.22, 0.5))
    closer = page.evaluate(CHANGED, ["defocus_um", before])
    # a live run grows; whoever looks closer goes on looking there
    panel.give(version=2)
    page.click(panel.hook("zoom-reset"))
    expect(whole).to_be_hidden()
    again = page.evaluate(CHANGED, ["defocus_um", closer])
    chart(page, "defocus_um").focus()
    page.keyboard.press("+")
    expect(whole).to_be_visible()
    page.evaluate(CHANGED, ["defocus_um", again])
    page.keyboard.press("Escape")
    expect(whole).to_be_hidden()


def test_charts_are_chosen_and_their_columns_read_when_asked_for(open_widget: Open, web: Web) -> None:
    panel = open_charts(open_widget)
    page = panel.page
    asked = [path for path in web.asked if "/columns" in path]
    assert len(asked) == 1
    assert "frame_count" not in asked[0]
    page.click(f"{panel.hook('charts-menu')} summary")
    page.click(panel.hook("chart-of-drift_mean_angstrom"))
    expect(page.locator("[data-metric=drift_mean_angstrom] [data-athena=median]")).to_contain_text("Å")
    page.click(panel.hook("chart-of-defocus_um"))
    expect(page.locator("[data-metric=defocus_um]")).to_have_count(0)
    assert panel.trait("charts") == [*ALWAYS[1:], "drift_mean_angstrom"]
    page.click(panel.hook("charts-standard"))
    expect(page.locator(panel.hook("metric"))).to_have_count(len(ALWAYS))


def test_a_run_that_grows_reads_only_its_end(open_widget: Open, web: Web) -> None:
    web.run = FakeRun(30_000)
    panel = open_charts(open_widget)
    web.asked.clear()
    web.run = FakeRun(30_040)
    web.run.version = 2
    panel.give(version=2)
    expect(match_count(panel)).to_have_text("30\u2009040 of 30\u2009040 match")
    (asked,) = [path for path in web.asked if "/columns" in path]
    assert "start=297" in asked


def test_states_of_a_run_without_numbers_and_of_one_that_is_not_read(open_widget: Open, web: Web) -> None:
    web.failing = {"/columns"}
    given: dict[str, Any] = {"metrics": chart_metrics(), "charts": [], "rules": [], "tally": {}, "problem": ""}
    panel = open_widget("run_dataviz", **given)
    state = panel.page.locator(panel.hook("state"))
    expect(state).to_contain_text("The store does not answer.")
    web.failing = set()
    web.run = FakeRun(0)
    panel.page.click(panel.hook("retry"))
    expect(state).to_contain_text("No micrographs yet")
