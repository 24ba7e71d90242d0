"""The micrographs of a run: its gallery, or how to begin where there are none (AC-04, EQ-02)."""

from typing import Any

from panel.viewable import Viewable

from athena.contract.people import Role
from athena.contract.verdicts import VerdictKind
from athena.errors import AthenaError
from athena.portal.components.widget_frame import WidgetFrame
from athena.portal.dialogs.attach import ask_attach
from athena.portal.marks import drift_limit
from athena.portal.place import ORDER, SHOW, Place
from athena.portal.run_tabs.reading import RunReading, archived_words, nothing_yet
from athena.portal.session import PortalSession
from athena.portal.shown import NEWEST, OLDEST, Listed
from athena.portal.theme import Scheme
from athena_widgets.chart_metrics import chart_metrics
from athena_widgets.judging import parse_verdict


class MicrographsTab:
    """The gallery of a run; of an empty one, what to do."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._reading: RunReading | None = None
        self._gallery: WidgetFrame | None = None
        self._order = NEWEST
        self._nothing = nothing_yet(self._begin)

    def show(self, reading: RunReading) -> Viewable:
        """Show the micrographs there are, or how to begin."""
        self._reading = reading
        if not reading.run.counts.total:
            return self._show_beginning(reading)
        given: dict[str, Any] = {"version": reading.run.version, "drift_limit_angstrom": drift_limit(reading.run)}
        given["may_judge"] = reading.element.my_role is not Role.VIEWER
        given["rules"] = [rule.model_dump(mode="json") for rule in reading.run.filter]
        given["metrics"] = chart_metrics(reading.run.user_metrics)
        listed = Listed.of(reading.place)
        given["shown"] = listed.shown or ""
        if listed.order:
            given["order"] = self._order = listed.order
        if self._gallery is None:
            self._gallery = self._new_gallery(reading, given)
        else:
            self._gallery.give(**given)
        return self._gallery

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        if self._gallery is not None:
            self._gallery.give(theme=scheme)

    def _show_beginning(self, reading: RunReading) -> Viewable:
        source, archived = reading.run.source, archived_words(reading.element)
        if archived:
            self._nothing.param.update(sentence=archived, command="")
        elif source is None:
            path = "/".join(crumb["name"] for crumb in reading.crumbs)
            self._nothing.param.update(
                sentence="Nothing is acquired into this run yet. Follow a session folder from a terminal:",
                command=f'athena watch SESSION_FOLDER --into "{path}"',
            )
        else:
            sentence = source.message or "The folder is looked at; movies appear here as they land."
            self._nothing.param.update(sentence=sentence, command="")
        may_attach = not archived and source is None and reading.element.my_role is not Role.VIEWER
        self._nothing.action = "Attach a session folder…" if may_attach else ""
        return self._nothing

    def _new_gallery(self, reading: RunReading, given: dict[str, Any]) -> WidgetFrame:
        return WidgetFrame(
            module="widgets/run_gallery.js",
            traits={
                "run_id": str(reading.element.id),
                "branch": reading.branch or "",
                "source_kind": "http",
                "base_url": self._session.base_url,
                "theme": self._session.shell.browser.theme,
                "may_filter": True,
                "selected": -1,
                "opened": -1,
                "judged": "",
                "wanted": "",
                "problem": "",
            }
            | given,
            heard={
                "opened": self._open,
                "judged": self._judge,
                "shown": self._show_only,
                "order": self._order_by,
                "wanted": self._go_to_rules,
            },
            remembered=["mode", "order"],
            momentary=["opened", "judged"],
            sizing_mode="stretch_both",
            margin=(0, 8, 0, 16),
        )

    def _open(self, index: Any) -> None:
        """Open a micrograph, whose neighbours are those of the gallery."""
        if self._reading is not None and isinstance(index, int) and index >= 0:
            shown = Listed.of(self._place).chosen(self._reading.run)
            self._session.go(Listed(shown, self._order).on(self._place.at(index=index)))

    @property
    def _place(self) -> Place:
        """Where the gallery is: what it was asked to show since it was read is said there."""
        assert self._reading is not None
        here = self._session.place
        return here if here.element == self._reading.element.id else self._reading.place

    def _show_only(self, shown: Any) -> None:
        """Say in the address what the gallery shows."""
        if isinstance(shown, str):
            self._say(**{SHOW: shown})

    def _order_by(self, order: Any) -> None:
        """Note the order, which the browser remembers, and say it in the address where that says one."""
        if order in (NEWEST, OLDEST) and order != self._order:
            self._order = order
            self._say(**{ORDER: order})

    def _say(self, **options: str) -> None:
        if self._reading is None or self._place.element != self._reading.element.id or self._place.index is not None:
            return
        self._session.say(self._place.having(**options))

    def _go_to_rules(self, wanted: Any) -> None:
        if self._reading is not None and wanted == "rules":
            self._session.go(self._place.at(tab="dataviz"))

    def _judge(self, said: Any) -> None:
        """Accept, reject or take back what the gallery says: ``12 rejected``."""
        asked = parse_verdict(said)
        if self._reading is None or asked is None:
            return
        run_id, catalogue = self._reading.element.id, self._session.catalogue
        indices, verdict = asked
        kind = VerdictKind(verdict) if verdict else None
        if self._gallery is not None:
            self._gallery.give(problem="")
        self._session.run(lambda: catalogue.judge(run_id, indices, kind), lambda _: None, failed=self._refused)

    def _refused(self, error: AthenaError) -> None:
        if self._gallery is not None:
            self._gallery.give(problem=str(error))

    def _begin(self, _: dict[str, Any]) -> None:
        if self._reading is not None:
            ask_attach(self._session, self._reading.element)
