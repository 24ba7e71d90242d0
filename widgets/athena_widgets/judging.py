"""Verdicts that a view asks for: ``3-40,55 rejected``, and what a run does about it."""

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import traitlets

from athena_widgets.base import RunLike
from athena_widgets.selecting import SelectingWidget
from athena_widgets.spans import parse_spans

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
    indices = parse_spans(named)
    return None if indices is None or verdict not in VERDICTS else (indices, verdict)


def judge(run: JudgedRun, indices: Iterable[int], verdict: str) -> None:
    """Say a verdict of acquisitions of a run."""
    ways = {"accepted": run.accept, "rejected": run.reject, "": run.clear_verdicts}
    ways[verdict](*indices)


class JudgingWidget(SelectingWidget):
    """A view of a run in which acquisitions are selected, accepted and rejected.

    Attributes
    ----------
    may_judge : whether that is offered.
    judged : what was judged last: ``"3-40,55 rejected"``, ``"12 accepted"``, or ``"12 "`` (taken back).
    """

    may_judge = traitlets.Bool(True).tag(sync=True)
    judged = traitlets.Unicode("").tag(sync=True)

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        super().__init__(run, **traits)
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
