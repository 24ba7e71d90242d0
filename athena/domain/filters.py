"""Which acquisitions a filter keeps. Pure."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.errors import Invalid
from athena.zarrio.layout import METRICS


def check_filter(wanted: RunFilter, known: Collection[str] = METRICS) -> None:
    """Refuse with Invalid a filter on what is no metric: a built-in one, or one of the run's own."""
    if unknown := sorted({rule.metric for rule in wanted.rules if rule.metric not in known}):
        raise Invalid(f"There is no metric {', '.join(unknown)}.", hint=f"Metrics: {', '.join(known)}.")


def columns_of(wanted: RunFilter) -> tuple[str, ...]:
    """Metrics the filter looks at, each once."""
    return tuple(dict.fromkeys(rule.metric for rule in wanted.rules))


def rules_hash(rules: Iterable[FilterRule]) -> str:
    """SHA-256 that rules have in common with whatever says the same: their order and repetitions do not count."""
    told = {json.dumps([rule.metric, rule.operator.value, rule.value, rule.upper]) for rule in rules}
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()


def matches(wanted: RunFilter, columns: Mapping[str, NDArray[np.float64]], length: int) -> NDArray[np.bool_]:
    """Whether each of ``length`` acquisitions matches all rules; NaN matches none.

    Parameters
    ----------
    columns : (length,) values of each metric of :func:`columns_of`, in the unit of the rules.
    """
    kept = np.ones(length, dtype=np.bool_)
    for rule in wanted.rules:
        kept &= _rule_matches(rule, columns[rule.metric])
    return kept


def _rule_matches(rule: FilterRule, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    upper = rule.value if rule.upper is None else rule.upper
    match rule.operator:
        case Operator.BELOW:
            found = values < rule.value
        case Operator.AT_MOST:
            found = values <= rule.value
        case Operator.ABOVE:
            found = values > rule.value
        case Operator.AT_LEAST:
            found = values >= rule.value
        case Operator.BETWEEN:
            found = (values >= rule.value) & (values <= upper)
        case Operator.OUTSIDE:
            found = (values < rule.value) | (values > upper)
    return np.asarray(found, dtype=np.bool_)
