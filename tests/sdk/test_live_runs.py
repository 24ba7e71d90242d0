"""Runs that are acquired now, as the API tells of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from athena.contract.acquisitions import AcquisitionState
from athena.contract.live_runs import LiveRun
from athena.contract.runs import SourceState
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.db.user_metrics import UserMetricRow
from athena.portal.live_words import concerns
from athena.sdk.runs import Run
from athena.services.live_runs import pace

NewRun = Callable[[], Run]
Process = Callable[..., None]
WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)


@pytest.mark.feature("WS-19", "EQ-12")
def test_a_followed_run_tells_its_pace_and_what_its_latest_fail(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    process(run, 12)  # defocus 1 to 12 µm
    run.set_criteria(("defocus_um", "<=", 4), ("drift_total_angstrom", ">=", 0))

    def live() -> list[LiveRun]:
        return [one for one in run.client.get("/api/live-runs", list[LiveRun]) if one.element.id == run.id]

    assert live() == []
    with running.database.session() as session:
        session.add(SourceRow(run_id=run.id, adapter="epu", path="/nowhere", state=SourceState.WATCHING.value))
        for index in range(12):
            session.get_one(AcquisitionRow, (run.id, index)).acquired = WHEN + timedelta(seconds=10 * index)
        session.get_one(AcquisitionRow, (run.id, 11)).state = AcquisitionState.ERROR.value
    (found,) = live()
    assert (found.rate_per_h, found.usual_interval_s) == (pytest.approx(360), pytest.approx(10))
    assert (found.last_index, found.shown_index, found.latest, found.latest_failed) == (11, 10, 12, 1)
    assert (found.judged, found.complying) == (11, 4)
    assert [(one.rule.metric, one.failing) for one in found.failures] == [("defocus_um", 7)]
    assert found.breadcrumb[-1].name == run.name
    with running.database.session() as session:
        session.get_one(SourceRow, run.id).state = SourceState.COMPLETED.value
    assert live() == []


@pytest.mark.feature("WS-19", "EQ-12", "NB-05")
def test_a_rule_on_a_metric_that_people_added_is_told_by_its_title(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    process(run, 3)
    with running.database.session() as session:
        about = {"label": "Carbon share", "unit": "%", "digits": 1, "source": "secret", "sha256": ""}
        session.add(UserMetricRow(run_id=run.id, name="carbon_percent", **about))
        session.add(SourceRow(run_id=run.id, adapter="epu", path="/nowhere", state=SourceState.WATCHING.value))
    run.set_criteria(("carbon_percent", "<=", 20))
    (found,) = [one for one in run.client.get("/api/live-runs", list[LiveRun]) if one.element.id == run.id]
    said = [one["text"] for one in concerns(found, now=datetime.now(UTC))]
    assert "3 of the last 3 fail Carbon share ≤ 20.0\u2009%." in said
    assert [one.source for one in found.user_metrics] == [""]
    with running.database.session() as session:
        session.get_one(SourceRow, run.id).state = SourceState.COMPLETED.value


def test_a_pace_needs_some_intervals_and_leaves_out_the_longest() -> None:
    times = [WHEN + timedelta(seconds=12 * number) for number in range(21)]
    assert pace(times[:3]) == (None, None)
    assert pace([*times, times[-1] + timedelta(hours=1)]) == (pytest.approx(300), pytest.approx(12))
    assert pace([WHEN] * 30) == (None, None)
