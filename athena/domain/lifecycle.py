"""How statuses follow from what happens below (WS-04)."""

from collections.abc import Iterable

from athena.contract.elements import Status
from athena.contract.runs import SourceState


def run_status(
    *, source: SourceState | None, begun: bool, pending: bool, failed: bool, below_criteria: bool = False
) -> Status:
    """Status of a run.

    Parameters
    ----------
    source : state of the run's source; None while it has none.
    begun : whether the run has any acquisition.
    pending : whether an acquisition waits for processing or is in it.
    failed : whether an acquisition is in error.
    below_criteria : whether too few of the latest acquisitions comply with the quality criteria.
    """
    if source is SourceState.ERROR or below_criteria:
        return Status.WARNING
    if pending or source in (SourceState.WATCHING, SourceState.IMPORTING):
        return Status.IN_PROGRESS
    if failed:
        return Status.WARNING
    return Status.COMPLETED if begun or source is SourceState.COMPLETED else Status.NOT_STARTED


def step_status(current: Status, datasets: Iterable[Status]) -> Status:
    """Status of a step after one of its runs changed; a suspension stays until the user lifts it."""
    if current is Status.SUSPENDED:
        return current
    below = set(datasets)
    if Status.WARNING in below:
        return Status.WARNING
    if Status.IN_PROGRESS in below:
        return Status.IN_PROGRESS
    if below == {Status.COMPLETED}:
        return Status.COMPLETED
    if Status.COMPLETED in below:
        return Status.IN_PROGRESS
    return current
