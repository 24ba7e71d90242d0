"""Verdicts that a view asks for: ``3-40,55 rejected``, and what a run does about it."""

from collections.abc import Iterable
from itertools import chain
from typing import Protocol, runtime_checkable

MOST = 1_000_000
"""Acquisitions that one word of a browser may name."""
VERDICTS = ("accepted", "rejected", "")


@runtime_checkable
class JudgedRun(Protocol):
    """A run whose acquisitions can be judged."""

    def accept(self, *indices: int) -> None:
        """Accept them by hand."""

    def reject(self, *indices: int) -> None:
        """Reject them by hand."""

    def clear_verdicts(self, *indices: int) -> None:
        """Let the rules decide again."""


def parse_verdict(said: object) -> tuple[list[int], str] | None:
    """Indices and verdict (``accepted``, ``rejected``, or empty: taken back) that a view says.

    None for what means nothing: the word comes from a browser.
    """
    if not isinstance(said, str):
        return None
    named, _, verdict = said.partition(" ")
    spans = [_span(part) for part in named.split(",")]
    if verdict not in VERDICTS or any(span is None for span in spans):
        return None
    if sum(len(span) for span in spans if span is not None) > MOST:
        return None
    return list(chain.from_iterable(span for span in spans if span is not None)), verdict


def _span(text: str) -> range | None:
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not (first.isdecimal() and last.isdecimal() and len(first) < 10 and len(last) < 10):
        return None
    return range(int(first), int(last) + 1) if int(first) <= int(last) else None


def judge(run: JudgedRun, indices: Iterable[int], verdict: str) -> None:
    """Say a verdict of acquisitions of a run."""
    ways = {"accepted": run.accept, "rejected": run.reject, "": run.clear_verdicts}
    ways[verdict](*indices)
