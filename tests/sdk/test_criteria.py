"""Quality criteria and verdicts by hand, as users meet them."""

from collections.abc import Callable

import pytest

from athena.contract.elements import Status
from athena.contract.filters import FilterRule
from athena.db.acquisitions import bump_version
from athena.errors import Invalid, NotFound
from athena.sdk.runs import Run
from athena.services.criteria import judge_latest
from athena.services.statuses import follow_acquisitions

NewRun = Callable[[], Run]
Process = Callable[..., None]


@pytest.mark.feature("EQ-12")
def test_criteria_say_who_complies(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 4)  # defocus 1, 2, 3, 4 µm; drift 0, 0.5, 1.0, 1.5 Å
    ours = run.criteria
    assert not ours.own
    assert {rule.metric for rule in ours.rules} == {"ctf_resolution_angstrom", "astigmatism_nm", "drift_total_angstrom"}
    assert (ours.complying, ours.judged) == (0, 4)  # no CTF resolution is known of these
    version = run.version
    own = run.set_criteria(("defocus_um", "<=", 3), ("drift_total_angstrom", "<", 1))
    assert (own.own, own.complying, own.judged, own.warning) == (True, 2, 4, False)
    assert run.version > version
    assert run.state.criteria == own.rules == run.criteria.rules
    with pytest.raises(Invalid, match="beauty"):
        run.set_criteria(("beauty", ">", 1))
    assert run.reset_criteria().rules == ours.rules


@pytest.mark.feature("EQ-12", "WS-04")
def test_a_run_is_in_warning_while_too_few_of_its_latest_comply(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    run.set_criteria(("defocus_um", "<=", 2))

    def collected() -> Status:
        with running.database.session() as session:
            bump_version(session, run.id)
            judge_latest(session, run.id, running.settings)
            return follow_acquisitions(session, run.id)

    process(run, 9, defocus_um=3.0)
    assert collected() is Status.COMPLETED  # nine say nothing yet
    process(run, 1, defocus_um=3.0)
    assert collected() is Status.WARNING
    assert run.criteria.warning
    assert run.state.element.status is Status.WARNING
    process(run, 5, defocus_um=1.0)
    assert collected() is Status.COMPLETED  # a third of them
    process(run, 25, defocus_um=3.0)
    assert collected() is Status.WARNING  # of the latest 25, whatever came before
    run.set_criteria(("defocus_um", "<=", 4))
    assert run.state.element.status is Status.COMPLETED


@pytest.mark.feature("BY-09", "EQ-08")
def test_verdicts_by_hand_go_before_the_rules(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 4)
    run.save_filter(("defocus_um", "<=", 2))
    run.accept(3)
    run.reject(0, 2)
    found = run.saved_filter()
    assert (found.matching, found.accepted, found.rejected) == (2, 1, 2)  # 1 by the rule, 3 by hand
    assert found.filter.rules == (FilterRule(metric="defocus_um", operator="<=", value=2.0),)
    assert run.table([]).verdict.tolist() == ["rejected", "", "rejected", "accepted"]
    given = run.verdicts
    assert given.verdict.to_dict() == {0: "rejected", 2: "rejected", 3: "accepted"}
    assert given.username.nunique() == 1
    run.accept(0)
    run.clear_verdicts(2, 3)
    assert run.verdicts.verdict.to_dict() == {0: "accepted"}
    assert run.saved_filter().matching == 2
    with pytest.raises(NotFound, match="4"):
        run.reject(1, 4)
    assert run.verdicts.verdict.to_dict() == {0: "accepted"}
