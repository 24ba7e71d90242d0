"""What is said of a run that is acquired now."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from athena.contract.elements import Crumb, Element, ElementKind
from athena.contract.filters import FilterRule, Operator
from athena.contract.live_runs import LiveRun, RuleFailures
from athena.contract.people import Role
from athena.contract.runs import RunCounts, SourceState
from athena.portal.live_words import concerns, live_item

NOW = datetime(2024, 5, 17, 9, tzinfo=UTC)


def live(**more: Any) -> LiveRun:
    """A run that is fine but for what is said."""
    run = Element(
        id=uuid4(),
        kind=ElementKind.DATASET,
        type="epu_run",
        name="Grid 3",
        creator="alice",
        created=NOW,
        updated=NOW,
        parent_id=None,
        my_role=Role.OWNER,
    )
    fine: dict[str, Any] = {
        "element": run,
        "breadcrumb": (Crumb(id=run.id, kind=ElementKind.DATASET, name="Grid 3"),),
        "state": SourceState.WATCHING,
        "counts": RunCounts(total=100, completed=98, processing=2),
        "last_scan": NOW - timedelta(seconds=5),
        "last_registered": NOW - timedelta(seconds=20),
        "last_index": 99,
        "rate_per_h": 311.6,
        "usual_interval_s": 11.5,
        "latest": 98,
        "judged": 25,
        "complying": 25,
    }
    return LiveRun(**(fine | more))


def texts(run: LiveRun) -> list[str]:
    """What is wrong with it."""
    return [one["text"].replace("\u2009", " ") for one in concerns(run, now=NOW)]


@pytest.mark.feature("WS-19")
def test_a_run_that_is_fine_has_its_pace_and_nothing_wrong() -> None:
    item = live_item(live(shown_index=97), now=NOW, base_url="api/")
    assert (item["rate"], item["total"], item["concerns"]) == ("312", 100, [])
    assert item["picture"].endswith("/acquisitions/97/thumbnail.png")
    assert "i=99" in item["last_search"]


@pytest.mark.feature("WS-19")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"last_scan": NOW - timedelta(seconds=130)}, "Its folder was not looked at for 2 min: no runner works on it."),
        ({"last_scan": None}, "Its folder was not looked at yet: no runner works on it."),
        ({"last_registered": NOW - timedelta(minutes=74)}, "No new image for 1 h 14 min."),
        ({"last_index": None, "last_registered": None, "message": "2 squares, no movie."}, "2 squares, no movie."),
        ({"latest_failed": 3}, "3 of the last 98 could not be processed."),
        ({"counts": RunCounts(total=90, registered=30)}, "30 wait to be processed."),
        ({"counts": RunCounts(total=9000, registered=3000)}, "3 000 wait to be processed."),
        ({"last_registered": NOW - timedelta(hours=2)}, "No new image for 2 h."),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], said: str) -> None:
    assert texts(live(**given)) == [said]


@pytest.mark.feature("WS-19", "EQ-12")
def test_a_rule_is_named_where_many_of_the_latest_fail_it_and_a_slow_run_is_not_silent() -> None:
    rule = FilterRule(metric="drift_total_angstrom", operator=Operator.AT_MOST, value=20)
    assert texts(live(failures=(RuleFailures(rule=rule, failing=4),))) == []
    assert texts(live(failures=(RuleFailures(rule=rule, failing=5),))) == [
        "5 of the last 25 fail Total drift ≤ 20.0 Å."
    ]
    slow = {"last_registered": NOW - timedelta(minutes=40), "usual_interval_s": 600.0}
    assert texts(live(**slow)) == []
