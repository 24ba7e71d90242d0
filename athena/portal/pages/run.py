"""An EPU run: counts, gallery, charts, metadata (AC-04, EQ-02, EQ-07)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import panel as pn

from athena.contract.elements import Crumb
from athena.contract.events import Event
from athena.contract.runs import Run, Source, SourceState
from athena.domain.readable import duration
from athena.errors import AthenaError
from athena.portal.acting import act
from athena.portal.actions import ElementAction
from athena.portal.branches import branch_links, in_branch
from athena.portal.catalogue import Catalogue
from athena.portal.components.element_list import item_of
from athena.portal.components.run_header import RunHeader
from athena.portal.labels import type_label
from athena.portal.pages.listing import crumb_items
from athena.portal.panels.data_panel import SIDES
from athena.portal.place import RUN_TABS, Place
from athena.portal.plots.report import draw_report
from athena.portal.run_tabs.dataviz import DatavizTab, check_rules
from athena.portal.run_tabs.micrographs import MicrographsTab
from athena.portal.run_tabs.processing import ProcessingTab
from athena.portal.run_tabs.reading import RunReading, RunTab
from athena.portal.run_tabs.report import ReportTab
from athena.portal.run_tabs.side import SideTab
from athena.portal.session import PortalSession, View
from athena.portal.theme import Scheme

QUIET_SECONDS = 40.0
"""A watched folder that was not looked at for this long is said to be stale."""
TABS: dict[str, tuple[str, Callable[[PortalSession], RunTab]]] = {
    "micrographs": ("Micrographs", MicrographsTab),
    "dataviz": ("Dataviz", DatavizTab),
    "report": ("Quality report", ReportTab),
    "processing": ("Processing", ProcessingTab),
    **{name: (label, partial(SideTab, make=side)) for name, (label, side) in SIDES.items()},
}
"""Tabs of a run by their names in the address."""


class RunPage(RunReading):
    """A run that can be shown."""

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return RunView(self, session)


def read_run(catalogue: Catalogue, place: Place, run: Run, way: Sequence[Crumb]) -> RunPage:
    """Read what a tab of a run shows beside the run itself; nothing for tabs that are not seen."""
    run, branch = in_branch(catalogue, run, place.branch)
    page = RunPage(place, run, crumb_items(way), branch=branch)
    if page.tab == "dataviz":
        return _read_filter(catalogue, page)
    if page.tab == "report" and run.counts.total:
        return replace(page, report=draw_report(catalogue.report(run.element.id, branch=branch)))
    return page


def _read_filter(catalogue: Catalogue, page: RunPage) -> RunPage:
    check_rules(page)
    return replace(
        page,
        saved=catalogue.saved_filter(page.element.id, branch=page.branch),
        named=tuple(catalogue.named_filters(page.element.id)),
        jobs=tuple(catalogue.jobs()),
    )


def quiet_seconds(source: Source, now: datetime) -> float:
    """Age of the last look at a watched folder if it is stale, else 0."""
    if source.state is not SourceState.WATCHING or source.last_scan is None:
        return 0.0
    age = (now - source.last_scan).total_seconds()
    return age if age > QUIET_SECONDS else 0.0


def source_item(source: Source | None, *, now: datetime) -> dict[str, Any]:
    """What the header says of a source."""
    if source is None:
        return {}
    quiet = quiet_seconds(source, now)
    return {
        "state": source.state.value,
        "path": source.path,
        "session": source.session_name,
        "message": source.message,
        "problems": list(source.problems),
        "last_scan": source.last_scan.isoformat() if source.last_scan else "",
        "quiet": duration(quiet) if quiet else "",
    }


class RunView:
    """A run on the screen. Only the chosen tab is built and fed."""

    def __init__(self, loaded: RunPage, session: PortalSession) -> None:
        self._session = session
        self._loaded = loaded
        self._header = RunHeader(self._ask, sizing_mode="stretch_width", margin=0)
        self.tabs: dict[str, RunTab] = {}
        self._shown: dict[str, pn.viewable.Viewable] = {}
        self._body = pn.Column(sizing_mode="stretch_both", margin=0, styles={"min-height": "0"})
        self.root: pn.viewable.Viewable = pn.Column(
            self._header, self._body, sizing_mode="stretch_both", margin=0, styles={"min-height": "0"}
        )
        self._fill()

    def _fill(self) -> None:
        run, tab = self._loaded.run, self._loaded.tab
        self._header.param.update(
            title=run.element.name,
            item=item_of(run.element),
            kind=type_label(run.element),
            status=run.element.status.value,
            # the gallery has its own counts, which also filter
            counts={} if tab == "micrographs" and run.counts.total else run.counts.model_dump(),
            source=source_item(run.source, now=datetime.now(UTC)),
        )
        self._lead_on(self._loaded.place)
        if tab not in self.tabs:
            self.tabs[tab] = TABS[tab][1](self._session)
        shown, before = self.tabs[tab].show(self._loaded), self._shown.get(tab)
        if shown is not before:
            self._shown[tab] = shown
            self._body[:] = [*(part for part in self._body if part is not before), shown]
        for part in self._body:
            part.visible = part is shown

    def _lead_on(self, place: Place) -> None:
        """Lead to the other tabs and branches with what the address says."""
        self._header.param.update(
            branches=branch_links(self._loaded.run, place, self._loaded.branch),
            tabs=[
                {
                    "name": name,
                    "label": label,
                    "search": place.at(tab="" if name == RUN_TABS[0] else name).search,
                    "chosen": name == self._loaded.tab,
                }
                for name, (label, _) in TABS.items()
            ],
        )

    def said(self, place: Place) -> None:
        """The links of its head follow."""
        if place.element == self._loaded.element.id:
            self._lead_on(place)

    def _ask(self, asked: dict[str, Any]) -> None:
        element = self._loaded.run.element
        self._header.problem = ""

        def done(action: ElementAction) -> None:
            if action is ElementAction.DELETE:
                self._session.go(Place(element.parent_id))
            else:
                self._session.refresh()

        def failed(error: AthenaError) -> None:
            self._header.problem = str(error)

        act(self._session, element, asked, done=done, failed=failed)

    def concerns(self, event: Event) -> bool:
        """Everything that happens to this run; a report is drawn again at ticks, not with every movie.

        Dataviz also shows what the workflow keeps.
        """
        page = self._loaded
        if page.tab == "dataviz" and event.element_id is not None:
            above = {crumb["search"] for crumb in page.crumbs}
            return event.element_id == page.element.id or Place(event.element_id).search in above
        return page.tab != "report" and event.element_id == page.element.id

    def update(self, data: Any) -> bool:
        """Show a newer reading, or another tab, of the same run."""
        if not isinstance(data, RunPage) or data.run.element.id != self._loaded.run.element.id:
            return False
        if data.branch != self._loaded.branch:
            return False  # other pictures under the same numbers: nothing of the one is kept for the other
        self._loaded = data
        self._fill()
        return True

    def stays_under(self, place: Place) -> bool:
        """While one looks at single micrographs, the gallery keeps its place."""
        return self._of(place) and place.index is not None

    def shows(self, place: Place) -> bool:
        """Any tab of this run."""
        return self._of(place) and place.index is None

    def _of(self, place: Place) -> bool:
        return place.element == self._loaded.element.id and place.branch == self._loaded.place.branch

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        for tab in self.tabs.values():
            tab.scheme(scheme)

    def tick(self) -> None:
        """A watched source grows stale without an event: that is the point of saying so."""
        source = self._loaded.run.source
        watched = source is not None and source.state is SourceState.WATCHING
        if watched or self._loaded.tab == "report":
            self._session.refresh()
