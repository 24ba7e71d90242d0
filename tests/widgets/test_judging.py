"""The gallery of a notebook passes verdicts on to its run."""

import pytest

from athena.contract.filters import FilterRule
from athena.errors import Forbidden
from athena_widgets import RunDataviz, RunGallery
from tests.widgets.test_source import RUN_ID, PlayedClient


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
