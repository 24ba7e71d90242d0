"""The gallery of a notebook passes verdicts on to its run."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from athena.contract.filters import FilterRule, RunFilter, SavedFilter
from athena.contract.user_metrics import UserMetric
from athena.errors import Forbidden
from athena_widgets import RunDataviz, RunGallery
from tests.widgets.test_source import RUN_ID, PlayedClient

BEAUTY = UserMetric(
    run_id=UUID(RUN_ID),
    name="beauty",
    label="Beauty",
    unit="",
    digits=1,
    image=False,
    source="",
    sha256="",
    creator="alice",
    created=datetime(2024, 5, 17, tzinfo=UTC),
)


class JudgedRun:
    """A run that remembers what was said, and is not everybody's to judge."""

    id = RUN_ID

    def __init__(self) -> None:
        self.client = PlayedClient()
        self.said: list[tuple[str, int]] = []

    def accept(self, *indices: int) -> None:
        """Remember it."""
        self.said += [("accepted", index) for index in indices]

    def reject(self, *indices: int) -> None:
        """Not allowed."""
        raise Forbidden("Viewers do not judge.", hint="Ask an owner.")

    def clear_verdicts(self, *indices: int) -> None:
        """Remember it."""
        self.said += [("", index) for index in indices]


@pytest.mark.feature("EQ-08", "NB-02")
def test_verdicts_reach_the_run_and_refusals_the_gallery() -> None:
    run = JudgedRun()
    gallery = RunGallery(run, live=False)
    for word in ("3 accepted", "", "3 "):
        gallery.judged = word
    assert (run.said, gallery.problem) == ([("accepted", 3), ("", 3)], "")
    gallery.judged = "4 rejected"
    assert "Viewers do not judge." in gallery.problem
    gallery.judged = "4 accepted"
    assert gallery.problem == ""
    gallery.close()


@pytest.mark.feature("EQ-08", "NB-02")
def test_charts_judge_several_and_give_their_rules_to_the_sdk() -> None:
    run = JudgedRun()
    charts = RunDataviz(run, live=False)
    charts.judged = "3-5,9 accepted"
    assert run.said == [("accepted", index) for index in (3, 4, 5, 9)]
    charts.judged = "4 rejected"
    assert "Viewers do not judge." in charts.problem
    rule = FilterRule(metric="defocus_um", operator="between", value=1, upper=2)
    charts.rules = [rule.model_dump(mode="json")]
    assert charts.filter == (rule,)
    assert {"defocus_um", "frame_count"} <= {one["name"] for one in charts.metrics}
    charts.close()


class FilteredRun(JudgedRun):
    """A run with a filter saved, and a metric of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.rules: tuple[FilterRule, ...] = (below(2),)
        self.state = SimpleNamespace(user_metrics=[BEAUTY])

    def saved_filter(self) -> SavedFilter:
        """As it is now."""
        return SavedFilter(run_id=UUID(RUN_ID), filter=RunFilter(rules=self.rules), matching=0, total=0)


def below(value: float) -> FilterRule:
    """A rule."""
    return FilterRule(metric="defocus_um", operator="<", value=value)


def rules_of(*rules: FilterRule) -> list[dict[str, Any]]:
    """As a view has them."""
    return [rule.model_dump(mode="json") for rule in rules]


@pytest.mark.feature("EQ-03", "EQ-08", "NB-02", "NB-05")
@pytest.mark.parametrize("view", [RunGallery, RunDataviz])
def test_a_view_follows_the_filter_that_is_saved_until_it_is_given_rules(view: type[Any]) -> None:
    run = FilteredRun()
    shown, given = view(run, live=False), view(run, live=False, rules=rules_of(below(9)))
    assert ("beauty", "Beauty") in [(one["name"], one["label"]) for one in shown.metrics]
    assert (shown.rules, given.rules) == (rules_of(below(2)), rules_of(below(9)))
    run.rules = (below(1), below(7))
    for one in (shown, given):
        one.version += 1  # as the follower of events says that something happened
    assert (shown.rules, given.rules) == (rules_of(*run.rules), rules_of(below(9)))
    # what is tried in it is not taken away by what others save
    shown.rules = rules_of(below(5))
    run.rules = ()
    shown.version += 1
    assert shown.rules == rules_of(below(5))
    shown.close()
    given.close()
