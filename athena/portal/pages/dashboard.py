"""The dashboard: what is acquired now, where one was lately, how full the storages are, and what runs (WS-19)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import panel as pn

from athena import __version__
from athena.contract.elements import ElementKind
from athena.contract.events import Event, EventKind
from athena.contract.jobs import Job
from athena.contract.live_runs import LiveRun
from athena.contract.search import Placed
from athena.contract.storages import Storage
from athena.portal.catalogue import Catalogue
from athena.portal.components.dashboard_board import DashboardBoard
from athena.portal.components.search_board import hit_item
from athena.portal.components.storage_board import storage_item
from athena.portal.components.title_bar import TitleBar
from athena.portal.live_words import live_item
from athena.portal.pages.jobs import JobsSide
from athena.portal.pages.plain import PAGE_STYLES, PlainPage, PlainView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View

RECENT = 6


@dataclass(frozen=True)
class Dashboard(PlainPage):
    """What the dashboard shows."""

    place: Place
    live: Sequence[LiveRun]
    workflows: Sequence[Placed]
    folders: Sequence[Placed]
    storages: Sequence[Storage]
    jobs: Sequence[Job]
    title: str = "Dashboard"

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return DashboardView(self, session)


class DashboardView(PlainView):
    """Shows the dashboard, and keeps it up to date."""

    def __init__(self, loaded: Dashboard, session: PortalSession) -> None:
        self._session = session
        self._live = False
        self._board = DashboardBoard(sizing_mode="stretch_width")
        self._jobs = JobsSide(session)
        title = TitleBar(lambda _: None, title="Dashboard", sizing_mode="stretch_width")
        centre = pn.Column(
            pn.Row(title, sizing_mode="stretch_width", margin=0),
            self._board,
            sizing_mode="stretch_both",
            margin=0,
            scroll="y-auto",
            styles=PAGE_STYLES,
        )
        beside = pn.Column(
            *self._jobs.parts,
            sizing_mode="stretch_both",
            margin=0,
            scroll="y-auto",
            styles=PAGE_STYLES | {"flex": "0 0 40%", "max-width": "40%", "border-left": "1px solid var(--athena-line)"},
        )
        self.root = pn.Row(centre, beside, sizing_mode="stretch_both", margin=0, styles={"min-height": "0"})
        self.update(loaded)

    def concerns(self, event: Event) -> bool:
        """All that is shown here, but not every micrograph."""
        return event.kind in (
            EventKind.JOB_CHANGED,
            EventKind.STORAGE_CHANGED,
            EventKind.SOURCE_CHANGED,
            EventKind.ELEMENT_UPDATED,
            EventKind.ELEMENT_DELETED,
            EventKind.ACCESS_CHANGED,
        )

    def update(self, data: Any) -> bool:
        """Show a newer reading."""
        if not isinstance(data, Dashboard):
            return False
        self._live = bool(data.live)
        now = datetime.now(UTC)
        self._board.param.update(
            live=[live_item(one, now=now, base_url=self._session.base_url) for one in data.live],
            workflows=[hit_item(one) for one in data.workflows],
            folders=[hit_item(one) for one in data.folders],
            storages=[storage_item(one) for one in data.storages],
            version=__version__,
        )
        self._jobs.show(data.jobs)
        return True

    def tick(self) -> None:
        """Runs go on without an event that this page follows; one that says nothing any more is the point."""
        if self._live:
            self._session.refresh()


def read_dashboard(catalogue: Catalogue, place: Place) -> Dashboard:
    """Read what the dashboard shows."""
    return Dashboard(
        place,
        live=catalogue.live_runs(),
        workflows=catalogue.recent(ElementKind.WORKFLOW, limit=RECENT),
        folders=catalogue.recent(ElementKind.FOLDER, limit=RECENT),
        storages=catalogue.storages(),
        jobs=catalogue.jobs(),
    )
