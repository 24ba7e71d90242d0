"""How a run is processed and judged, as the Processing tab shows and changes it."""

from typing import Any
from uuid import UUID

import pytest

from athena.contract.branches import Branch
from athena.contract.criteria import RunCriteria
from athena.contract.filters import FilterRule, Operator
from athena.contract.processing import MovieParameters
from athena.contract.runs import ParametersUpdate, Run, RunCounts
from athena.errors import Conflict
from athena.portal.panels.processing import ProcessingSide, parameter_items
from tests.portal.test_views import WHEN, Tab, run_page

RULE = FilterRule(metric="defocus_um", operator=Operator.AT_MOST, value=3)


class Processing:
    """Branches, criteria and parameters, kept in memory."""

    def __init__(self, run: Run) -> None:
        self.state = run
        self.default = "original"
        self.rules: tuple[FilterRule, ...] = ()
        self.retried = 0

    def run(self, _run: UUID) -> Run:
        """As it is now."""
        return self.state

    def branches(self, run_id: UUID) -> list[Branch]:
        """Two."""
        return [
            Branch(
                run_id=run_id,
                name=name,
                default=name == self.default,
                created=WHEN,
                creator="alice",
                counts=RunCounts(),
            )
            for name in ("original", "fine")
        ]

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


@pytest.mark.feature("BY-06", "EQ-12", "AC-04")
def test_branches_failures_criteria_and_parameters_are_shown_and_changed() -> None:
    page = run_page(counts=RunCounts(total=5, completed=2, error=3), tab="processing")
    tab: Any = Tab()
    tab.catalogue = kept = Processing(page.run)
    side = ProcessingSide(tab)
    side.show(page.element)
    shown = side.root
    assert (shown.failed, shown.may_write, shown.criteria["rules"]) == (3, True, [])
    shown._handle_msg({"do": "promote", "name": "fine"})
    assert [one["name"] for one in shown.branches if one["default"]] == ["fine"]
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
