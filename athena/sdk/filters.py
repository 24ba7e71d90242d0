"""The filter of a run, from Python."""

from collections.abc import Iterable
from uuid import UUID

from athena.contract.filters import FilterRule, RunFilter, SavedFilter
from athena.sdk.client import Client, checked

Rule = FilterRule | tuple[str, str, float] | tuple[str, str, float, float]
"""``("defocus_um", "<", 2.5)``, ``("ctf_resolution_angstrom", "between", 3, 6)``."""


def make_filter(rules: Iterable[Rule]) -> RunFilter:
    """Filter of rules that must all match; Invalid for one that means nothing."""
    return RunFilter(rules=tuple(_rule(rule) for rule in rules))


def get_filter(client: Client, run_id: UUID) -> SavedFilter:
    """Filter saved for a run."""
    return client.get(f"/api/runs/{run_id}/filter", SavedFilter)


def save_filter(client: Client, run_id: UUID, rules: Iterable[Rule]) -> SavedFilter:
    """Save the filter of a run."""
    return client.put(f"/api/runs/{run_id}/filter", make_filter(rules), SavedFilter)


def _rule(rule: Rule) -> FilterRule:
    if isinstance(rule, FilterRule):
        return rule
    names = ("metric", "operator", "value", "upper")
    return checked(FilterRule, **dict(zip(names, rule, strict=False)))
