"""Words that the dialogs share."""

from collections.abc import Sequence

from athena.contract.elements import Element

NAMED = 5
"""Refusals that are told one by one."""


def heading(verb: str, elements: Sequence[Element]) -> str:
    """What a dialog is about: “Move “Grid 3””, or “Move 3 elements”."""
    return f"{verb} “{elements[0].name}”" if len(elements) == 1 else f"{verb} {len(elements)} elements"


def refusals(reasons: Sequence[str], total: int, done: str) -> str:
    """What was refused of so many, and why."""
    told = " ".join(reasons[:NAMED])
    return told if total == 1 else f"{len(reasons)} of {total} could not be {done}. {told}"
