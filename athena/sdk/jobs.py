"""Jobs as objects: started from elements, waited for with a progress bar, steered."""

import time
from collections.abc import Sequence
from typing import Any, Self, overload
from uuid import UUID

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from athena.contract import jobs as wire
from athena.contract.jobs import JobState
from athena.errors import AthenaError, Unavailable
from athena.sdk import html
from athena.sdk.client import Client, checked

OPEN = (JobState.PENDING, JobState.RUNNING)
LOOK_SECONDS = 1.0
"""How often a job is looked at while one waits; news of its element come sooner."""
HEADS = ("Job", "On", "State", "Progress", "By", "Started (UTC)", "Message")


class Job:
    """A job, as it was when last read; ``refresh`` reads it again."""

    def __init__(self, client: Client, model: wire.Job) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> wire.Job:
        """All that the API said of it."""
        return self._model

    @property
    def id(self) -> UUID:
        """Identifier."""
        return self._model.id

    @property
    def kind(self) -> str:
        """What it does: export, delete …"""
        return self._model.kind

    @property
    def state(self) -> JobState:
        """Where it stands."""
        return self._model.state

    @property
    def message(self) -> str:
        """How it stands, in words."""
        return self._model.message

    @property
    def result(self) -> dict[str, Any]:
        """What it made, by kind: of an export ``location``, ``files`` and ``bytes``."""
        return dict(self._model.result)

    def refresh(self) -> Self:
        """Read it again."""
        self._model = self._client.get(f"/api/jobs/{self.id}", wire.Job)
        return self

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Self:
        """Wait for its end, with a progress bar in notebook and terminal.

        Raises
        ------
        AthenaError : it failed, or was cancelled; the message has the reason.
        Unavailable : it did not end within ``timeout`` seconds; it goes on all the same.
        """
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        deadline = None if timeout is None else time.monotonic() + timeout
        with Progress(*columns, disable=not progress) as shown:
            task = shown.add_task(self._words(), total=None)
            after = self._client.events(-1).last_seq
            while self.refresh().state in OPEN:
                shown.update(task, description=self._words(), completed=self._model.done)
                shown.update(task, total=self._model.total or None)
                left = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, deadline - time.monotonic())
                if left <= 0:
                    raise Unavailable(f"{self._words()} did not end within {timeout:.0f} s; it goes on.")
                after = self._client.events(after, wait=left).last_seq
            shown.update(task, description=self._words(), completed=self._model.done, total=self._model.done or 1)
        if self.state is not JobState.FINISHED:
            item = f" on {self._model.item}" if self._model.item else ""
            raise AthenaError(f"{self._words()}: {self.state.value}{item}. {self.message}", hint="job.retry() goes on.")
        return self

    def cancel(self) -> Self:
        """Call it off; a running one ends as soon as it has tidied up."""
        self._model = self._client.post(f"/api/jobs/{self.id}/cancel", None, wire.Job)
        return self

    def retry(self) -> Self:
        """Begin it again from where it got to."""
        self._model = self._client.post(f"/api/jobs/{self.id}/retry", None, wire.Job)
        return self

    def remove(self) -> None:
        """Take it off the list, once it has ended."""
        self._client.delete(f"/api/jobs/{self.id}")

    def _words(self) -> str:
        name = self._model.element_name
        return f"{self._model.label} of {name}" if name else self._model.label

    def cells(self) -> tuple[str, ...]:
        """What a table shows of it, under :data:`HEADS`."""
        model = self._model
        count = f"{model.done} of {model.total}" if model.total else f"{model.done}"
        state = "cancelling" if model.cancelling else model.state.value
        started = f"{model.started:%Y-%m-%d %H:%M}" if model.started else ""
        failed_on = f"{model.item}: " if model.item and model.state is JobState.FAILED else ""
        progress = f"{count} {model.unit}" if model.total or model.done else ""
        return (
            model.label,
            model.element_name,
            state,
            progress,
            model.initiator,
            started,
            f"{failed_on}{model.message}",
        )

    def __repr__(self) -> str:
        return f"<Job {self._words()!r} {self.state.value}>"

    def _repr_html_(self) -> str:
        return html.page(html.table(HEADS, [[html.text(cell) for cell in self.cells()]]))


class Jobs(Sequence[Job]):
    """Jobs, newest first; a table wherever it is shown."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = tuple(jobs)

    @overload
    def __getitem__(self, key: int) -> Job: ...
    @overload
    def __getitem__(self, key: slice) -> "Jobs": ...
    def __getitem__(self, key: int | slice) -> "Job | Jobs":
        return Jobs(self._jobs[key]) if isinstance(key, slice) else self._jobs[key]

    def __len__(self) -> int:
        return len(self._jobs)

    def __repr__(self) -> str:
        rows = [HEADS, *(job.cells() for job in self._jobs)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(HEADS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join(lines) if self._jobs else "No jobs."

    def _repr_html_(self) -> str:
        if not self._jobs:
            return html.page(html.text("No jobs.", "mute"))
        return html.page(html.table(HEADS, [[html.text(cell) for cell in job.cells()] for job in self._jobs]))


def start_job(client: Client, kind: str, element_id: UUID | None, **parameters: Any) -> Job:
    """Start a job of any kind; what is None is left to the kind's default."""
    given = {name: value for name, value in parameters.items() if value is not None}
    new = checked(wire.JobCreate, kind=kind, element_id=element_id, parameters=given)
    return Job(client, client.post("/api/jobs", new, wire.Job))


def list_jobs(client: Client, element_id: UUID | None = None) -> Jobs:
    """Jobs you may see, of everything or of one element."""
    params = {"element_id": str(element_id)} if element_id is not None else None
    return Jobs([Job(client, model) for model in client.get("/api/jobs", list[wire.Job], params=params)])
