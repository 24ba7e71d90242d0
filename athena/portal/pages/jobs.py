"""Jobs: all long work by how it stands, with progress, cancel, retry and remove, and filters (JB-01…04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import panel as pn

from athena.contract.events import Event, EventKind
from athena.contract.jobs import Job
from athena.errors import AthenaError
from athena.portal.catalogue import Catalogue
from athena.portal.components.job_board import NONE, JobBoard
from athena.portal.components.job_filters import JobFilters
from athena.portal.components.title_bar import TitleBar
from athena.portal.job_acts import act_on_jobs
from athena.portal.job_choice import JobChoice
from athena.portal.job_groups import group_items
from athena.portal.pages.plain import PAGE_STYLES, PlainPage, PlainView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View


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

    def show(self, jobs: Sequence[Job], *, none: str = NONE) -> None:
        """Show them as they stand now; where there is none, say so."""
        self._board.param.update(groups=group_items(jobs), none=none)

    def _ask(self, asked: dict[str, Any]) -> None:
        self._title.problem = ""
        act_on_jobs(self._session, asked, refused=self._refused)

    def _refused(self, error: AthenaError) -> None:
        self._title.problem = str(error)


class JobsView(PlainView):
    """The page of jobs, kept up to date."""

    def __init__(self, loaded: Jobs, session: PortalSession) -> None:
        self._session = session
        self._jobs = JobsSide(session)
        self._filters = JobFilters(self._choose, sizing_mode="stretch_width")
        heading, board = self._jobs.parts
        self.root = pn.Column(
            heading, self._filters, board, sizing_mode="stretch_both", margin=0, scroll="y-auto", styles=PAGE_STYLES
        )
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """Jobs that change, and elements that are named another way."""
        return event.kind in (EventKind.JOB_CHANGED, EventKind.ELEMENT_UPDATED, EventKind.ACCESS_CHANGED)

    def update(self, data: Any) -> bool:
        """Show a newer reading."""
        if not isinstance(data, Jobs):
            return False
        choice = JobChoice.of(data.place)
        chosen = choice.among(data.jobs)
        self._filters.param.update(**choice.offered(data.jobs), shown=len(chosen), total=len(data.jobs))
        self._jobs.show(chosen, none="No job is as the filter asks." if data.jobs else NONE)
        return True

    def _choose(self, asked: dict[str, Any]) -> None:
        """Show other jobs, and say in the address which."""
        self._session.go(JobChoice.asked(asked).on(Place(page="jobs")))


def read_jobs(catalogue: Catalogue, place: Place) -> Jobs:
    """Read the jobs."""
    return Jobs(place, tuple(catalogue.jobs()))
