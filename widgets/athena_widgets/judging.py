"""Verdicts that a view asks for: ``3-40,55 rejected``, and what a run does about it."""

from collections.abc import Iterable
from itertools import chain
from typing import Any, Protocol, runtime_checkable

import traitlets

from athena_widgets.base import AthenaWidget, RunLike

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


class JudgingWidget(AthenaWidget):
    """A view of a run in which acquisitions are accepted and rejected.

    Attributes
    ----------
    may_judge : whether that is offered.
    judged : what was judged last: ``"3-40,55 rejected"``, ``"12 accepted"``, or ``"12 "`` (taken back).
    problem : why the last thing asked was refused, in words.
    """

    may_judge = traitlets.Bool(True).tag(sync=True)
    judged = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        super().__init__(run, **traits)
        self._run: object = run
        self.observe(self._judge, "judged")

    def _judge(self, change: Any) -> None:
        said = parse_verdict(change["new"])
        if said is None or not isinstance(self._run, JudgedRun):
            return
        self.problem = ""
        try:
            judge(self._run, *said)
        except Exception as error:  # noqa: BLE001  the last frame before the kernel's loop, which tells nobody
            self.problem = str(error)
