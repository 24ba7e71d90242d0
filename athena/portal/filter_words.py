"""Filter rules in an address: ``ctf_resolution_angstrom~le~4.0~~defocus_um~between~0.8~2.4``."""

from collections.abc import Sequence

from athena.contract.filters import FilterRule, Operator
from athena.errors import Invalid
from athena.sdk.client import checked

NO_RULES = "none"
"""Written where there are no rules, apart from an address that says nothing of them."""
_WORDS = {
    Operator.BELOW: "lt",
    Operator.AT_MOST: "le",
    Operator.ABOVE: "gt",
    Operator.AT_LEAST: "ge",
    Operator.BETWEEN: "between",
    Operator.OUTSIDE: "outside",
}
_OPERATORS = {word: operator for operator, word in _WORDS.items()}


def write_rules(rules: Sequence[FilterRule]) -> str:
    """Rules as an address carries them; numbers come back exactly."""
    return "~~".join(_written(rule) for rule in rules) or NO_RULES


def parse_rules(text: str) -> tuple[FilterRule, ...]:
    """Read what :func:`write_rules` wrote. Raises Invalid for anything else: someone mistyped a link."""
    if text == NO_RULES:
        return ()
    return tuple(_parsed(words) for words in text.split("~~"))


def _written(rule: FilterRule) -> str:
    numbers = (rule.value,) if rule.upper is None else (rule.value, rule.upper)
    return "~".join((rule.metric, _WORDS[rule.operator], *map(repr, numbers)))


def _parsed(words: str) -> FilterRule:
    parts = words.split("~")
    if len(parts) not in (3, 4) or parts[1] not in _OPERATORS:
        raise Invalid(f"The address has a filter rule that means nothing: “{words}”.", hint="Open Dataviz again.")
    metric, word, *numbers = parts
    return checked(
        FilterRule,
        metric=metric,
        operator=_OPERATORS[word],
        value=numbers[0],
        upper=numbers[1] if len(numbers) > 1 else None,
    )
