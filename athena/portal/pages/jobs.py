"""Jobs: all long work by how it stands, with progress, cancel, retry and remove (JB-01…04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import panel as pn

from athena.contract.events import Event, EventKind
from athena.contract.jobs import Job, JobAction
from athena.errors import AthenaError
from athena.portal.catalogue import Catalogue
from athena.portal.components.job_board import JobBoard
from athena.portal.components.title_bar import TitleBar
from athena.portal.job_groups import GROUPS
from athena.portal.pages.plain import PAGE_STYLES, PlainPage, PlainView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View


def group_items(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Groups of jobs as the component takes them: ``{state, label, jobs}``; those without a job are left out."""
    groups: list[dict[str, Any]] = []
    for state, label in GROUPS.items():
        of_state = [job_item(job) for job in jobs if job.state is state]
        if of_state:
            groups.append({"state": state.value, "label": label, "jobs": of_state})
    return groups


def job_item(job: Job) -> dict[str, Any]:
    """A job as the component takes it."""
    told = job.model_dump(mode="json", include={"id", "label", "cancelling", "element_name", "done", "total", "unit"})
    told |= job.model_dump(mode="json", include={"message", "item", "initiator", "created", "started", "finished"})
    return told | {
        "search": Place(job.element_id).search if job.element_id else "",
        "actions": [action.value for action in job.actions],
    }


@dataclass(frozen=True)
class Jobs(PlainPage):
    """The jobs a visitor may see."""

    place: Place
    jobs: tuple[Job, ...]

    title: str = "Jobs"

    def view(self, session: PortalSession) -> View:
        """Show them."""
        return JobsView(self, session)


class JobsSide:
    """The jobs under their heading, to be put into a page, with what may be done with them."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._title = TitleBar(lambda _: None, title="Jobs", sizing_mode="stretch_width")
        self._board = JobBoard(self._ask, sizing_mode="stretch_width")
        self.parts: tuple[pn.viewable.Viewable, ...] = (
            pn.Row(self._title, sizing_mode="stretch_width", margin=0),
            self._board,
        )

    def show(self, jobs: Sequence[Job]) -> None:
        """Show them as they stand now."""
        self._board.groups = group_items(jobs)

    def _ask(self, asked: dict[str, Any]) -> None:
        catalogue = self._session.catalogue
        self._title.problem = ""
        if asked["do"] == "remove-ended":
            self._session.run(catalogue.remove_ended_jobs, lambda _: self._session.refresh(), failed=self._refused)
            return
        job, action = UUID(asked["id"]), JobAction(asked["do"])
        self._session.run(
            lambda: catalogue.act_on_job(job, action), lambda _: self._session.refresh(), failed=self._refused
        )

    def _refused(self, error: AthenaError) -> None:
        self._title.problem = str(error)


class JobsView(PlainView):
    """The page of jobs, kept up to date."""

    def __init__(self, loaded: Jobs, session: PortalSession) -> None:
        self._jobs = JobsSide(session)
        self.root = pn.Column(
            *self._jobs.parts, sizing_mode="stretch_both", margin=0, scroll="y-auto", styles=PAGE_STYLES
        )
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """Jobs that change, and elements that are named another way."""
        return event.kind in (EventKind.JOB_CHANGED, EventKind.ELEMENT_UPDATED, EventKind.ACCESS_CHANGED)

    def update(self, data: Any) -> bool:
        """Show a newer reading."""
        if not isinstance(data, Jobs):
            return False
        self._jobs.show(data.jobs)
        return True


def read_jobs(catalogue: Catalogue, place: Place) -> Jobs:
    """Read the jobs."""
    return Jobs(place, tuple(catalogue.jobs()))
