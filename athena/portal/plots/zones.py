"""What values of a metric its rules leave out, as intervals to shade."""

from collections.abc import Iterable

from athena.contract.filters import FilterRule, Operator


def left_out(rules: Iterable[FilterRule], *, low: float, high: float) -> list[tuple[float, float]]:
    """Intervals of low … high that any of the rules on one metric leaves out, from below, none overlapping another."""
    found: list[tuple[float, float]] = []
    for rule in rules:
        upper = rule.value if rule.upper is None else rule.upper
        match rule.operator:
            case Operator.BELOW | Operator.AT_MOST:
                found.append((rule.value, high))
            case Operator.ABOVE | Operator.AT_LEAST:
                found.append((low, rule.value))
            case Operator.BETWEEN:
                found += [(low, rule.value), (upper, high)]
            case Operator.OUTSIDE:
                found.append((rule.value, upper))
    merged: list[tuple[float, float]] = []
    for start, stop in sorted((max(low, start), min(high, stop)) for start, stop in found):
        if stop <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged
