"""How a run is processed and judged, as the Processing tab shows and changes it."""

from typing import Any
from uuid import UUID

import pytest

from athena.contract.branches import Branch, BranchComparison, MetricComparison
from athena.contract.criteria import RunCriteria
from athena.contract.filters import FilterRule, Operator, RunFilter, SavedFilter
from athena.contract.jobs import Job, JobAction, JobState
from athena.contract.processing import MovieParameters
from athena.contract.runs import ParametersUpdate, Run, RunCounts
from athena.errors import Conflict, Invalid
from athena.portal.panels.branches import BranchesSide, compared_pair, listed_indices
from athena.portal.panels.parameters import parameter_items
from athena.portal.panels.processing import ProcessingSide
from athena.portal.place import Place
from tests.portal.test_views import WHEN, Tab, run_page

RULE = FilterRule(metric="defocus_um", operator=Operator.AT_MOST, value=3)


class Processing:
    """Branches, criteria and parameters, kept in memory."""

    def __init__(self, run: Run) -> None:
        self.state = run
        self.default = "original"
        self.rules: tuple[FilterRule, ...] = ()
        self.retried = 0
        self.compared: list[tuple[str, str]] = []
        self.started: list[tuple[str, UUID, dict[str, Any]]] = []
        self.acted: list[tuple[UUID, JobAction]] = []

    def run(self, _run: UUID) -> Run:
        """As it is now."""
        return self.state

    def branches(self, run_id: UUID) -> list[Branch]:
        """Two, and one that goes."""
        return [
            Branch(
                run_id=run_id,
                name=name,
                default=name == self.default,
                created=WHEN,
                creator="alice",
                counts=RunCounts(total=2, completed=2),
                deleting=name == "gone",
            )
            for name in ("original", "fine", "gone")
        ]

    def compare(self, run_id: UUID, name: str, other: str) -> BranchComparison:
        """Half a micrometre apart; the other metric is known of none."""
        self.compared.append((name, other))
        apart = MetricComparison(
            metric="defocus_um",
            unit="µm",
            count=2,
            median_this=1.5,
            median_other=1.0,
            mean_difference=0.5,
            median_difference=0.5,
            deviation=0.0,
            higher=2,
        )
        empty = MetricComparison(metric="ctf_score", unit="", count=0)
        return BranchComparison(run_id=run_id, this=name, other=other, both=2, metrics=(empty, apart))

    def saved_filter(self, run_id: UUID) -> SavedFilter:
        """One rule."""
        return SavedFilter(run_id=run_id, filter=RunFilter(rules=(RULE,)), matching=1, total=2)

    def jobs(self) -> list[Job]:
        """What was started, as it waits."""
        return [
            Job(
                id=UUID(int=at),
                kind=kind,
                label=kind,
                state=JobState.PENDING,
                element_id=run_id,
                element_name="Grid 3",
                done=0,
                total=2,
                result={"branch": parameters["branch"]},
                initiator="alice",
                created=WHEN,
                actions=(JobAction.CANCEL,),
            )
            for at, (kind, run_id, parameters) in enumerate(self.started)
        ]

    def start_job(self, kind: str, run_id: UUID, parameters: dict[str, Any]) -> None:
        """Keep it."""
        self.started.append((kind, run_id, parameters))

    def act_on_job(self, job_id: UUID, action: JobAction) -> None:
        """Keep it."""
        self.acted.append((job_id, action))

    def criteria(self, run_id: UUID) -> RunCriteria:
        """Those that were set."""
        return RunCriteria(
            run_id=run_id,
            rules=self.rules,
            own=bool(self.rules),
            complying=1,
            judged=2,
            recent_complying=1,
            recent_judged=2,
            warning=False,
        )

    def promote(self, _run: UUID, name: str) -> None:
        """Switch."""
        self.default = name

    def set_criteria(self, _run: UUID, rules: tuple[FilterRule, ...]) -> None:
        """Keep them."""
        self.rules = tuple(rules)

    def reset_criteria(self, _run: UUID) -> None:
        """Forget them."""
        self.rules = ()

    def retry_failed(self, _run: UUID) -> int:
        """Count."""
        self.retried += 1
        return 3

    def set_parameters(self, _run: UUID, wanted: ParametersUpdate) -> Run:
        """Keep them; a voltage is refused."""
        if "voltage_kv" in wanted.parameters:
            raise Conflict("Movies of this run were processed with another voltage_kv.")
        self.state = self.state.model_copy(update={"parameters": self.state.parameters | wanted.parameters})
        return self.state


@pytest.mark.feature("EQ-12", "AC-04")
def test_failures_criteria_and_parameters_are_shown_and_changed() -> None:
    page = run_page(counts=RunCounts(total=5, completed=2, error=3), tab="processing")
    tab: Any = Tab()
    tab.catalogue = kept = Processing(page.run)
    side = ProcessingSide(tab)
    side.show(page.element)
    shown = side.root
    assert (shown.failed, shown.may_write, shown.criteria["rules"]) == (3, True, [])
    shown._handle_msg({"do": "retry"})
    assert kept.retried == 1
    shown._handle_msg({"do": "criteria", "rules": [RULE.model_dump(mode="json")]})
    assert kept.rules == (RULE,)
    assert shown.criteria["own"]
    shown._handle_msg({"do": "criteria", "rules": [{"metric": "defocus_um", "operator": "<=", "value": None}]})
    assert kept.rules == (RULE,)
    assert shown.problem
    shown._handle_msg({"do": "reset-criteria"})
    assert (shown.criteria["own"], shown.problem) == (False, "")
    shown._handle_msg({"do": "parameters", "parameters": {"patches_x": 7}})
    assert {one["name"]: one["value"] for one in shown.parameters}["patches_x"] == 7
    shown._handle_msg({"do": "parameters", "parameters": {"voltage_kv": 200}})
    assert "another voltage_kv" in shown.problem


@pytest.mark.feature("BY-06")
def test_every_parameter_can_be_set_but_what_the_server_finds() -> None:
    items = {one["name"]: one for one in parameter_items(run_page(counts=RunCounts()).run)}
    assert items.keys() == MovieParameters.model_fields.keys() - {"defects_sha256"}
    assert items["search_phase_shift"]["choices"] == ["true", "false"]
    assert (items["patches_x"]["kind"], items["voltage_kv"]["kind"], items["defects"]["kind"]) == (
        "whole",
        "number",
        "text",
    )
    assert items["dose_per_frame_e_per_A2"]["label"] == "Dose per frame (e⁻/Å²)"


@pytest.mark.feature("BY-06")
def test_branches_are_shown_compared_made_and_promoted() -> None:
    page = run_page(counts=RunCounts(total=5, completed=2, error=3), tab="processing")
    tab: Any = Tab()
    tab.catalogue = kept = Processing(
        page.run.model_copy(update={"branches": ("original", "fine"), "parameters": {"patches_x": 7}})
    )
    side, place = BranchesSide(tab), page.place.having(branch="fine")
    side.look(place)
    side.show(page.element)
    shown = side.root
    assert [(one["name"], one["default"], one["chosen"]) for one in shown.branches] == [
        ("original", True, False),
        ("fine", False, True),
    ]
    assert kept.compared == [("fine", "original")]
    (metric,) = shown.comparison["metrics"]
    assert (metric["label"], metric["this"], metric["difference"]) == ("Defocus", "1.50", "+0.500")
    assert metric["words"] == "higher in all"
    shown._handle_msg({"do": "compare", "this": "original", "other": "fine"})
    assert tab.visited[-1].option("compare") == "original"
    assert kept.compared[-1] == ("original", "fine")
    # the run's own parameters are what an empty field means
    items = {one["name"]: one for one in shown.parameters}
    assert (items["patches_x"]["usual"], items["patches_x"]["value"], items["patches_y"]["usual"]) == ("7", None, "5")
    asked = {"do": "reprocess", "branch": "new", "parameters": {"keep_unweighted": True}, "numbers": "1-2, 5"}
    shown._handle_msg(asked | {"exposures": None, "chosen": "numbers"})
    shown._handle_msg(asked | {"exposures": 5, "chosen": "filter"})
    (_, _, first), (kind, run_id, second) = kept.started
    assert first["indices"] == [0, 1, 4]
    assert (kind, run_id, second["exposures"], second["indices"]) == ("reprocess", page.element.id, 5, None)
    assert second["filter"]["rules"][0]["metric"] == "defocus_um"
    assert second["parameters"] == {"keep_unweighted": True}
    assert (shown.begun, shown.problem, len(shown.jobs), shown.jobs[0]["branch"]) == (2, "", 2, "new")
    shown._handle_msg(asked | {"branch": "../up", "exposures": None, "chosen": "all"})
    assert shown.problem
    shown._handle_msg({"do": "cancel", "id": shown.jobs[0]["id"]})
    assert kept.acted == [(UUID(int=0), JobAction.CANCEL)]
    shown._handle_msg({"do": "delete", "name": "fine"})
    assert kept.started[-1] == ("delete_branch", page.element.id, {"branch": "fine"})
    shown._handle_msg({"do": "promote", "name": "fine"})
    assert [one["name"] for one in shown.branches if one["default"]] == ["fine"]


@pytest.mark.feature("BY-06")
def test_which_two_are_compared_follows_the_address() -> None:
    names, place = ["original", "fine", "coarse"], Place()
    assert compared_pair(["original"], "original", place) is None
    assert compared_pair(names, "original", place) == ("coarse", "original")
    assert compared_pair(names, "original", place.having(branch="fine")) == ("fine", "original")
    assert compared_pair(names, "original", place.having(compare="fine", **{"with": "coarse"})) == ("fine", "coarse")
    assert compared_pair(names, "original", place.having(compare="gone", **{"with": "gone"})) == ("coarse", "original")


@pytest.mark.feature("BY-06")
def test_micrographs_are_named_by_number() -> None:
    assert listed_indices("1-3, 7,7") == (0, 1, 2, 6)
    for wrong in ("", "0", "3-1", "one", "1-2-3", "-4", "99999999"):
        with pytest.raises(Invalid):
            listed_indices(wrong)
