"""An EPU run: counts, gallery, charts, metadata (AC-04, EQ-02, EQ-07)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import panel as pn

from athena.contract.elements import Element
from athena.contract.events import Event
from athena.contract.people import Role
from athena.contract.runs import Run, RunTable, Source, SourceCreate, SourceState
from athena.errors import AthenaError
from athena.portal.acting import act
from athena.portal.actions import ElementAction
from athena.portal.catalogue import Catalogue
from athena.portal.components.attach_dialog import AttachDialog
from athena.portal.components.element_list import item_of
from athena.portal.components.empty_state import EmptyState
from athena.portal.components.report_page import ReportPage, page_traits
from athena.portal.components.run_header import RunHeader
from athena.portal.components.widget_frame import WidgetFrame
from athena.portal.labels import type_label
from athena.portal.marks import drift_limit
from athena.portal.pages.listing import crumb_items
from athena.portal.panels.data_panel import SIDES
from athena.portal.panels.side import Side
from athena.portal.place import RUN_TABS, Place
from athena.portal.plots.dataviz import Dataviz, charted_metrics
from athena.portal.plots.report import DrawnReport, draw_report
from athena.portal.session import PortalSession, View
from athena.portal.theme import Scheme

QUIET_SECONDS = 40.0
"""A watched folder that was not looked at for this long is said to be stale."""
TAB_LABELS = {"micrographs": "Micrographs", "dataviz": "Dataviz", "report": "Quality report"} | {
    name: label for name, (label, _) in SIDES.items()
}


@dataclass(frozen=True)
class RunPage:
    """A run, and what its chosen tab needs."""

    place: Place
    run: Run
    crumbs: list[dict[str, str]]
    table: RunTable | None = None
    report: DrawnReport | None = None

    @property
    def title(self) -> str:
        """Name of the page."""
        return self.run.element.name

    @property
    def element(self) -> Element:
        """The run."""
        return self.run.element

    @property
    def tab(self) -> str:
        """Chosen tab; the gallery where the address names none that is known."""
        return self.place.tab if self.place.tab in RUN_TABS else RUN_TABS[0]

    def view(self, session: PortalSession) -> View:
        """Show it."""
        return RunView(self, session)


def read_run(catalogue: Catalogue, place: Place) -> RunPage:
    """Read a run and what its tab shows; nothing for tabs that are not seen."""
    assert place.element is not None
    run, crumbs = catalogue.run(place.element), crumb_items(catalogue.breadcrumb(place.element))
    page = RunPage(place, run, crumbs)
    if page.tab == "dataviz":
        columns = [metric.name for metric in charted_metrics(run.user_metrics)]
        return RunPage(place, run, crumbs, table=catalogue.table(place.element, columns))
    if page.tab == "report" and run.counts.total:
        return RunPage(place, run, crumbs, report=draw_report(catalogue.report(place.element)))
    return page


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
    return {
        "state": source.state.value,
        "path": source.path,
        "session": source.session_name,
        "message": source.message,
        "problems": list(source.problems),
        "last_scan": source.last_scan.isoformat() if source.last_scan else "",
        "quiet_s": quiet_seconds(source, now),
    }


class RunView:
    """A run on the screen. Only the chosen tab is built and fed."""

    def __init__(self, loaded: RunPage, session: PortalSession) -> None:
        self._session = session
        self._loaded = loaded
        self._header = RunHeader(self._ask, sizing_mode="stretch_width", margin=0)
        self._gallery: WidgetFrame | None = None
        self._dataviz: Dataviz | None = None
        self._sides: dict[str, tuple[Side[Any], pn.Column]] = {}
        self._report = ReportPage(sizing_mode="stretch_width", margin=0)
        self._paper = pn.Column(
            self._report,
            sizing_mode="stretch_both",
            scroll="y-auto",
            margin=0,
            styles={"padding": "16px 24px", "min-height": "0"},
        )
        self._nothing = EmptyState(sizing_mode="stretch_width", margin=24)
        self._attach = AttachDialog(self._attach_source)
        self._starting = pn.Column(
            self._nothing,
            pn.Row(self._attach.button, sizing_mode="stretch_width", styles={"justify-content": "center"}),
            sizing_mode="stretch_width",
            margin=0,
        )
        self._body = pn.Column(sizing_mode="stretch_both", margin=0, styles={"min-height": "0"})
        self.root: pn.viewable.Viewable = pn.Column(
            self._header,
            self._body,
            self._attach.dialog,
            sizing_mode="stretch_both",
            margin=0,
            styles={"min-height": "0"},
        )
        self._fill()

    @property
    def _run_id(self) -> str:
        return str(self._loaded.run.element.id)

    def _open(self, index: Any) -> None:
        if isinstance(index, int) and index >= 0:
            self._session.go(Place(self._loaded.place.element, index=index))

    def _attach_source(self, source: SourceCreate) -> None:
        run_id, catalogue = self._loaded.run.element.id, self._session.catalogue

        def attached(_run: Run) -> None:
            self._attach.done()
            self._session.refresh()

        self._session.run(lambda: catalogue.attach(run_id, source), attached, failed=self._attach.refused)

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
            tabs=[
                {
                    "name": name,
                    "label": label,
                    "search": self._loaded.place.at(tab="" if name == RUN_TABS[0] else name).search,
                    "chosen": name == tab,
                }
                for name, label in TAB_LABELS.items()
            ],
        )
        ways = {"micrographs": self._show_gallery, "dataviz": self._show_dataviz, "report": self._show_report}
        shown = ways[tab]() if tab in ways else self._show_side(tab)
        if shown not in self._body.objects:
            self._body.append(shown)
        for part in self._body.objects:
            part.visible = part is shown

    def _show_gallery(self) -> pn.viewable.Viewable:
        run = self._loaded.run
        if not run.counts.total:
            path = "/".join(crumb["name"] for crumb in self._loaded.crumbs)
            if run.source is None:
                self._nothing.param.update(
                    sentence="Nothing is acquired into this run yet. Follow a session folder from a terminal:",
                    command=f'athena watch SESSION_FOLDER --into "{path}"',
                )
                if run.element.my_role is not Role.VIEWER:
                    return self._starting
            else:
                sentence = run.source.message or "The folder is looked at; movies appear here as they land."
                self._nothing.param.update(sentence=sentence, command="")
            return self._nothing
        if self._gallery is None:
            self._gallery = WidgetFrame(
                module="widgets/run_gallery.js",
                traits={
                    "run_id": self._run_id,
                    "source_kind": "http",
                    "base_url": self._session.base_url,
                    "version": self._loaded.run.version,
                    "theme": self._session.shell.browser.theme,
                    "mode": "extended",
                    "order": "newest",
                    "drift_limit_angstrom": drift_limit(run),
                    "selected": -1,
                    "opened": -1,
                },
                heard={"opened": self._open},
                remembered=["mode", "order"],
                momentary=["opened"],
                sizing_mode="stretch_both",
                margin=(0, 8, 0, 16),
            )
        else:
            self._gallery.give(version=run.version, drift_limit_angstrom=drift_limit(run))
        return self._gallery

    def _show_dataviz(self) -> pn.viewable.Viewable:
        if not self._loaded.run.counts.completed:
            self._nothing.param.update(
                sentence="No micrograph is processed yet. Charts appear here with the first result.", command=""
            )
            return self._nothing
        metrics = charted_metrics(self._loaded.run.user_metrics)
        if self._dataviz is None or self._dataviz.metrics != metrics:
            if self._dataviz is not None:
                # somebody added a metric or took one away
                self._body.remove(self._dataviz.root)
            self._dataviz = Dataviz(metrics, scheme=self._session.shell.browser.theme, opened=self._open)
        if self._loaded.table is not None:
            self._dataviz.fill(self._loaded.table)
        return self._dataviz.root

    def _show_report(self) -> pn.viewable.Viewable:
        drawn = self._loaded.report
        if drawn is None:
            self._nothing.param.update(
                sentence="Nothing is acquired into this run yet. Its report appears here with the first movie.",
                command="",
            )
            return self._nothing
        self._report.param.update(
            made=drawn.made.isoformat(), **page_traits(svg=drawn.svg, pdf=drawn.pdf, name=self._loaded.run.element.name)
        )
        return self._paper

    def _show_side(self, name: str) -> pn.viewable.Viewable:
        """Metadata, notes, sharing: as in the data panel of other elements."""
        if name not in self._sides:
            side = SIDES[name][1](self._session)
            sheet = pn.Column(
                side.root,
                sizing_mode="stretch_both",
                scroll="y-auto",
                margin=0,
                styles={"padding": "8px", "min-height": "0", "max-width": "880px"},
            )
            self._sides[name] = side, sheet
        side, sheet = self._sides[name]
        side.show(self._loaded.run.element)
        return sheet

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
        """Everything that happens to this run; a report is drawn again at ticks, not with every movie."""
        return self._loaded.tab != "report" and event.element_id is not None and str(event.element_id) == self._run_id

    def update(self, data: Any) -> bool:
        """Show a newer reading, or another tab, of the same run."""
        if not isinstance(data, RunPage) or data.run.element.id != self._loaded.run.element.id:
            return False
        self._loaded = data
        self._fill()
        return True

    def stays_under(self, place: Place) -> bool:
        """While one looks at single micrographs, the gallery keeps its place."""
        return place.element == self._loaded.run.element.id and place.index is not None

    def shows(self, place: Place) -> bool:
        """Any tab of this run."""
        return place.element == self._loaded.run.element.id and place.index is None

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        if self._gallery is not None:
            self._gallery.give(theme=scheme)
        if self._dataviz is not None:
            self._dataviz.scheme(scheme)

    def tick(self) -> None:
        """A watched source grows stale without an event: that is the point of saying so."""
        source = self._loaded.run.source
        watched = source is not None and source.state is SourceState.WATCHING
        if watched or self._loaded.tab == "report":
            self._session.refresh()
