"""Which acquisitions a filter keeps: laws that hold for any rules and any numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.domain.filters import check_filter, columns_of, matches
from athena.errors import Invalid

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
values = st.lists(st.floats(width=32), min_size=1, max_size=20).map(lambda found: np.array(found, dtype=np.float64))
METRICS = ("defocus_um", "ctf_resolution_angstrom")


@st.composite
def rules(draw: st.DrawFn) -> FilterRule:
    operator = draw(st.sampled_from(Operator))
    low, high = sorted((draw(finite), draw(finite)))
    two = operator in (Operator.BETWEEN, Operator.OUTSIDE)
    return FilterRule(metric=draw(st.sampled_from(METRICS)), operator=operator, value=low, upper=high if two else None)


def plainly(rule: FilterRule, value: float) -> bool:
    """As one would say it."""
    if math.isnan(value):
        return False
    upper = rule.upper if rule.upper is not None else 0.0
    return {
        "<": value < rule.value,
        "<=": value <= rule.value,
        ">": value > rule.value,
        ">=": value >= rule.value,
        "between": rule.value <= value <= upper,
        "outside": value < rule.value or value > upper,
    }[rule.operator.value]


@pytest.mark.feature("EX-02")
@given(chosen=st.lists(rules(), max_size=4), first=values, data=st.data())
def test_all_rules_must_match_and_nan_matches_none(
    chosen: list[FilterRule], first: np.ndarray, data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.floats(width=32), min_size=len(first), max_size=len(first)))
    columns = {METRICS[0]: first, METRICS[1]: np.array(other, dtype=np.float64)}
    wanted = RunFilter(rules=tuple(chosen))
    kept = matches(wanted, columns, len(first))
    for at in range(len(first)):
        assert kept[at] == all(plainly(rule, float(columns[rule.metric][at])) for rule in chosen)
    assert set(columns_of(wanted)) == {rule.metric for rule in chosen}
    # one more rule never keeps more
    more = matches(RunFilter(rules=(*chosen, *chosen[:1])), columns, len(first))
    assert not (more & ~kept).any()
    assert chosen or kept.all()


@given(rule=rules(), column=values)
def test_a_rule_and_its_opposite_part_the_numbers(rule: FilterRule, column: np.ndarray) -> None:
    opposite = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "between": "outside", "outside": "between"}
    other = rule.model_copy(update={"operator": Operator(opposite[rule.operator.value])})
    columns = {rule.metric: column}
    one = matches(RunFilter(rules=(rule,)), columns, len(column))
    two = matches(RunFilter(rules=(other,)), columns, len(column))
    assert not (one & two).any()
    assert ((one | two) == ~np.isnan(column)).all()


@pytest.mark.parametrize(
    "rule",
    [
        {"operator": "between", "value": 1.0},
        {"operator": "between", "value": 2.0, "upper": 1.0},
        {"operator": "<", "value": 1.0, "upper": 2.0},
        {"operator": "<", "value": math.nan},
        {"operator": "<", "value": math.inf},
        {"operator": "~", "value": 1.0},
        {"operator": "<"},
    ],
)
def test_rules_that_mean_nothing_are_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FilterRule.model_validate({"metric": "defocus_um"} | rule)


def test_a_filter_on_no_metric_is_refused() -> None:
    with pytest.raises(Invalid, match="luck"):
        check_filter(RunFilter(rules=(FilterRule(metric="luck", operator=Operator.BELOW, value=1.0),)))
