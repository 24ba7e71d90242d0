"""Jobs by how they stand, and what the tool bar says of them (JB-01)."""

from collections.abc import Sequence
from typing import Any

from athena.contract.jobs import Job, JobState

GROUPS: dict[JobState, str] = {
    JobState.RUNNING: "Running",
    JobState.PENDING: "Waiting",
    JobState.FAILED: "Failed",
    JobState.FINISHED: "Finished",
    JobState.CANCELLED: "Cancelled",
}
"""States in the order of the page, with the headings of their groups."""
_COUNTED = (JobState.RUNNING, JobState.PENDING, JobState.FAILED)


def badge_of(jobs: Sequence[Job]) -> dict[str, Any]:
    """How many are open or failed, whether any failed, and a summary in words."""
    counts = {state: sum(job.state is state for job in jobs) for state in _COUNTED}
    words = [f"{count} {GROUPS[state].lower()}" for state, count in counts.items() if count]
    return {
        "count": sum(counts.values()),
        "failed": counts[JobState.FAILED] > 0,
        "hint": ", ".join(words) or "none running",
    }
