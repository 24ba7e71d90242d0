"""Named filters from Python: a mapping that the runs of a workflow share."""

import pickle
from collections.abc import Callable

import pytest

from athena.contract.filters import FilterRule
from athena.errors import Invalid, NotFound
from athena.sdk.connection import Athena
from athena.sdk.runs import Run

NewRun = Callable[[], Run]
Process = Callable[..., None]


@pytest.mark.feature("EQ-08", "BY-09")
def test_rules_kept_through_one_run_are_applied_to_its_sibling(
    athena: Athena, new_run: NewRun, process: Process
) -> None:
    run = new_run()
    sibling = athena.run(athena.ensure(f"{run.path.rpartition('/')[0]}/Grid 99").id)
    process(sibling, 4)  # defocus 1, 2, 3, 4 µm; drift 0, 0.5, 1.0, 1.5 Å
    assert dict(run.filters) == {}
    assert "no named filters" in repr(run.filters)
    run.filters["good"] = [("defocus_um", "<", 2.5)]
    run.filters["still"] = [("drift_total_angstrom", "between", 0.4, 1.2), ("defocus_um", "<=", 3)]
    assert list(sibling.filters) == ["good", "still"]
    assert sibling.filters["GOOD"] == (FilterRule(metric="defocus_um", operator="<", value=2.5),)
    assert "Good" in sibling.filters
    assert ("poor" in sibling.filters, sibling.filters.get("poor"), len(sibling.filters)) == (False, None, 2)
    applied = sibling.filters.apply("good")
    assert (applied.matching, applied.total, sibling.saved_filter().filter.rules) == (2, 4, run.filters["good"])
    assert run.saved_filter().filter.rules == (), "the sibling's filter is the sibling's"
    sibling.filters["good"] = [("defocus_um", "<", 1.5)]
    assert run.filters["good"][0].value == 1.5
    assert sibling.saved_filter().filter.rules[0].value == 2.5, "what was saved for a run stays"
    run.filters.rename("good", "Best")
    assert [one.name for one in run.filters.models] == ["Best", "still"]
    assert "Best: Defocus < 1.50\u2009µm" in repr(run.filters)
    assert "between 0.4 and 1.2" in run.filters._repr_html_()
    # what it gives goes wherever rules are taken
    assert run.save_filter(*run.filters["still"]).filter.rules == run.filters["still"]
    del sibling.filters["best"]
    assert list(run.filters.items()) == [("still", run.filters["still"])]


@pytest.mark.feature("EQ-08")
def test_what_is_no_filter_is_refused(new_run: NewRun) -> None:
    run = new_run()
    with pytest.raises(NotFound, match=r"keeps no filter “good”. Keep one"):
        run.filters.apply("good")
    with pytest.raises(KeyError):
        run.filters["good"]
    with pytest.raises(KeyError):
        del run.filters["good"]
    with pytest.raises(Invalid, match="beauty"):
        run.filters["good"] = [("beauty", ">", 1)]
    with pytest.raises(Invalid, match="rules"):
        run.filters["good"] = []
    with pytest.raises(Invalid, match="name"):
        run.filters["  "] = [("defocus_um", ">", 1)]
    assert len(run.filters) == 0
    run.filters["one"] = [("defocus_um", ">", 1)]
    with pytest.raises(NotFound, match="It keeps: one"):
        run.filters.rename("two", "three")


@pytest.mark.feature("BY-09")
def test_what_a_filter_was_is_asked_for_and_used_again(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 4)
    run.filters["good"] = [("defocus_um", "<", 2.5)]
    run.filters["good"] = [("defocus_um", "<", 1.5)]
    good = run.filters["good"]
    assert (good.version, list(good.versions), len(good.versions)) == (2, [1, 2], 2)
    first = good.versions[1]
    assert (first.version, first[0].value) == (1, 2.5)
    assert [one.username for one in good.versions.models] == [run.filters.models[0].creator] * 2
    run.filters["good"] = first
    assert (run.filters["good"].version, run.filters["good"]) == (3, first)
    assert repr(good.versions).startswith("3: Defocus < 2.50")
    assert "1.50" in good.versions._repr_html_()
    named = run.filters.apply("good").named
    assert named is not None
    assert (named.name, named.version) == ("good", 3)
    assert run.save_filter(*good.versions[2]).named.version == 2  # type: ignore[union-attr]
    run.set_criteria(*good)
    assert run.quality_report().model.criteria_named == named.model_copy(update={"version": 2})
    for missing in (0, 4, "good"):
        with pytest.raises(KeyError):
            good.versions[missing]  # type: ignore[index]
    assert pickle.loads(pickle.dumps(first)) == tuple(first)
    del run.filters["good"]
    assert list(good.versions) == [1, 2, 3], "what was made with it can still be understood"
