"""Jobs by how they stand, as components take them, and what the bell says of them (JB-01)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from athena.contract.jobs import Job, JobState
from athena.portal.place import Place

GROUPS: dict[JobState, str] = {
    JobState.RUNNING: "Running",
    JobState.PENDING: "Waiting",
    JobState.FAILED: "Failed",
    JobState.FINISHED: "Finished",
    JobState.CANCELLED: "Cancelled",
}
"""States in the order of the page, with the headings of their groups."""
LATELY = timedelta(hours=24)
"""For how long the bell's panel shows what ended."""
MOST = 8
"""Jobs of a group in the bell's panel; the page of jobs has all."""
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


def group_items(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Groups of jobs as components take them: ``{state, label, jobs}``; those without a job are left out."""
    groups: list[dict[str, Any]] = []
    for state, label in GROUPS.items():
        of_state = [job_item(job) for job in jobs if job.state is state]
        if of_state:
            groups.append({"state": state.value, "label": label, "jobs": of_state})
    return groups


def lately_items(jobs: Sequence[Job], *, now: datetime) -> list[dict[str, Any]]:
    """Groups of the jobs that are under way, failed or ended lately, a few of each."""
    recent = [job for job in jobs if job.finished is None or now - job.finished < LATELY]
    return [group | {"jobs": group["jobs"][:MOST]} for group in group_items(recent)]


def job_item(job: Job) -> dict[str, Any]:
    """A job as components take it."""
    told = job.model_dump(mode="json", include={"id", "label", "cancelling", "element_name", "done", "total", "unit"})
    told |= job.model_dump(mode="json", include={"message", "item", "initiator", "created", "started", "finished"})
    return told | {
        "search": Place(job.element_id).search if job.element_id else "",
        "actions": [action.value for action in job.actions],
    }
