"""What is marked as out of range, by the quality criteria of a run (EQ-12)."""

from athena.contract.filters import FilterRule, Operator
from athena.contract.runs import Run

NO_LIMIT_ANGSTROM = 1e6
"""More than any drift: stands for no limit, as JSON knows no infinity."""


def drift_limit(run: Run) -> float:
    """Total drift above which a motion card is marked, Å: the strictest bound among the run's criteria."""
    bounds = [_upper(rule) for rule in run.criteria if rule.metric == "drift_total_angstrom"]
    return min((bound for bound in bounds if bound is not None), default=NO_LIMIT_ANGSTROM)


def _upper(rule: FilterRule) -> float | None:
    match rule.operator:
        case Operator.BELOW | Operator.AT_MOST:
            return rule.value
        case Operator.BETWEEN:
            return rule.upper
        case _:
            return None
