"""The filter of a run, its quality criteria and the verdicts by hand, from Python."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from athena.contract.criteria import Criteria, RunCriteria
from athena.contract.filters import FilterRule, KeptVersion, Operator, RunFilter, SavedFilter
from athena.contract.user_metrics import UserMetric
from athena.contract.verdicts import MAX_VERDICTS, RunVerdicts, VerdictChange, VerdictKind
from athena.sdk.client import Client, checked
from athena.zarrio.layout import METRICS, Metric

Rule = FilterRule | tuple[str, str, float] | tuple[str, str, float, float]
"""``("defocus_um", "<", 2.5)``, ``("ctf_resolution_angstrom", "between", 3, 6)``."""

_SIGNS = {Operator.BELOW: "<", Operator.AT_MOST: "≤", Operator.ABOVE: ">", Operator.AT_LEAST: "≥"}


def make_filter(rules: Iterable[Rule]) -> RunFilter:
    """Filter of rules that must all match; Invalid for one that means nothing."""
    return RunFilter(rules=tuple(_rule(rule) for rule in rules))


def rule_words(rule: FilterRule, own: Iterable[UserMetric | Metric] = ()) -> str:
    """Rule as people read it: ``CTF resolution ≤ 4.0 Å``; ``own`` are the metrics that people added to the run."""
    added = (one for one in own if one.name == rule.metric)
    metric: Metric | UserMetric | None = METRICS.get(rule.metric) or next(added, None)
    label, digits = (metric.label, metric.digits) if metric is not None else (rule.metric, 3)
    unit = f"\u2009{metric.unit}" if metric is not None and metric.unit else ""
    value = f"{rule.value:.{digits}f}"
    if rule.upper is not None:
        return f"{label} {rule.operator.value} {value} and {rule.upper:.{digits}f}{unit}"
    return f"{label} {_SIGNS[rule.operator]} {value}{unit}"


def version_words(named: KeptVersion) -> str:
    """Version of a named filter as people read it: ``“good”, version 3``."""
    return f"“{named.name}”, version {named.version}"


def get_filter(client: Client, run_id: UUID) -> SavedFilter:
    """Filter saved for a run."""
    return client.get(f"/api/runs/{run_id}/filter", SavedFilter)


def save_filter(client: Client, run_id: UUID, rules: Iterable[Rule]) -> SavedFilter:
    """Save the filter of a run."""
    return client.put(f"/api/runs/{run_id}/filter", make_filter(rules), SavedFilter)


def get_criteria(client: Client, run_id: UUID) -> RunCriteria:
    """Quality criteria in force for a run."""
    return client.get(f"/api/runs/{run_id}/criteria", RunCriteria)


def set_criteria(client: Client, run_id: UUID, rules: Iterable[Rule]) -> RunCriteria:
    """Set the quality criteria of a run."""
    new = checked(Criteria, rules=tuple(_rule(rule) for rule in rules))
    return client.put(f"/api/runs/{run_id}/criteria", new, RunCriteria)


def reset_criteria(client: Client, run_id: UUID) -> RunCriteria:
    """Let the instance's criteria apply to a run again."""
    return client.delete(f"/api/runs/{run_id}/criteria", RunCriteria)


def get_verdicts(client: Client, run_id: UUID) -> RunVerdicts:
    """Verdicts by hand on the acquisitions of a run."""
    return client.get(f"/api/runs/{run_id}/verdicts", RunVerdicts)


def give_verdict(client: Client, run_id: UUID, indices: Sequence[int], verdict: VerdictKind | None) -> None:
    """Accept or reject acquisitions by index, or take that back."""
    for first in range(0, len(indices), MAX_VERDICTS):
        change = checked(VerdictChange, indices=tuple(indices[first : first + MAX_VERDICTS]), verdict=verdict)
        client.put(f"/api/runs/{run_id}/verdicts", change, None)


def _rule(rule: Rule) -> FilterRule:
    if isinstance(rule, FilterRule):
        return rule
    names = ("metric", "operator", "value", "upper")
    return checked(FilterRule, **dict(zip(names, rule, strict=False)))
