"""The numbers of a run as charts, the filter on them, and exports with that filter (EQ-07, EQ-08, EQ-09)."""

from typing import Any

import panel as pn
from panel.viewable import Viewable

from athena.contract.elements import Element
from athena.contract.filters import FilterRule, KeptVersion, RunFilter, SavedFilter
from athena.contract.jobs import Job, JobKind, JobState
from athena.contract.verdicts import VerdictKind
from athena.domain.filters import check_filter
from athena.domain.readable import count
from athena.errors import AthenaError, Invalid
from athena.portal.components.filter_bar import FilterBar
from athena.portal.components.widget_frame import WidgetFrame
from athena.portal.dialogs.export import ask_filtered_export
from athena.portal.dialogs.named_filters import ask_change, ask_name, ask_removal, show_history
from athena.portal.filter_words import parse_rules, write_rules
from athena.portal.panels.side import may_write
from athena.portal.place import CHARTS, RULES, Place
from athena.portal.run_tabs.reading import RunReading, archived_words, nothing_yet
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme
from athena.sdk.client import checked
from athena.sdk.filters import rule_words, version_words
from athena.zarrio.layout import METRICS
from athena_widgets.chart_metrics import chart_metrics
from athena_widgets.judging import parse_verdict

EXPORTS = (JobKind.EXPORT.value, JobKind.LIVE_EXPORT.value)
OPEN = (JobState.PENDING, JobState.RUNNING)
JOBS_SHOWN = 2
"""Exports the bar tells of; the page of jobs has all."""
Rules = tuple[FilterRule, ...]
COUNTS = ("kept", "total", "accepted", "rejected")


class DatavizTab:
    """Charts of every metric of a run, and its filter."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._reading: RunReading | None = None
        self._rules: Rules = ()
        self._draft = False
        self._adopted = ""
        self._nothing = nothing_yet()
        self.charts: WidgetFrame | None = None
        self.bar = FilterBar(self._act, sizing_mode="stretch_width", margin=0)
        self._page = pn.Column(self.bar, sizing_mode="stretch_both", margin=0, styles={"min-height": "0"})

    def show(self, reading: RunReading) -> Viewable:
        """Show the numbers there are."""
        self._reading = reading
        if not reading.run.counts.completed:
            archived = "" if reading.run.counts.total else archived_words(reading.element)
            self._nothing.param.update(
                sentence=archived or "No micrograph is processed yet. Charts appear here with the first result.",
                command="",
            )
            return self._nothing
        self._adopt(reading)
        given = {
            "version": reading.run.version,
            "metrics": chart_metrics(reading.run.user_metrics),
            "charts": [name for name in reading.place.option(CHARTS).split(",") if name],
            "may_judge": may_write(reading.element),
        }
        if self.charts is None:
            self.charts = self._new_charts(reading, given)
            self._page.insert(0, self.charts)
        else:
            self.charts.give(**given)
        self._tell_exports(reading)
        self.bar.changed = self._rules != self._saved
        self._tell_filters()
        return self._page

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        if self.charts is not None:
            self.charts.give(theme=scheme)

    def _new_charts(self, reading: RunReading, given: dict[str, Any]) -> WidgetFrame:
        traits = {
            "run_id": str(reading.element.id),
            "branch": reading.branch or "",
            "source_kind": "http",
            "base_url": self._session.base_url,
            "theme": self._session.shell.browser.theme,
            "rules": _wire(self._rules),
            "tally": {},
            "show_count": False,
            "judged": "",
            "problem": "",
            "opened": -1,
        }
        return WidgetFrame(
            module="widgets/run_dataviz.js",
            traits=traits | given,
            heard={
                "rules": self._change,
                "tally": self._count,
                "charts": self._choose,
                "judged": self._judge,
                "opened": self._open,
            },
            momentary=["opened", "judged"],
            sizing_mode="stretch_both",
            margin=0,
        )

    # ── the rules ───────────────────────────────────────────────────────────────────────────────

    @property
    def _saved(self) -> Rules:
        saved = self._reading.saved if self._reading is not None else None
        return saved.filter.rules if saved is not None else ()

    def _adopt(self, reading: RunReading) -> None:
        """Take rules from the address where it says others than before, else what was saved, unless one is at work."""
        words, before = reading.place.option(RULES), self._rules
        if words and words != self._adopted:
            self._adopted = words
            self._rules = parse_rules(words)
            self._draft = self._rules != self._saved
        elif not self._draft:
            self._rules = self._saved
        if self.charts is not None and self._rules != before:
            self.charts.push(rules=_wire(self._rules))

    def _change(self, said: Any) -> None:
        """Rules that were made on the charts."""
        if self._reading is None or not isinstance(said, list):
            return
        try:
            rules = tuple(checked(FilterRule, **rule) for rule in said if isinstance(rule, dict))
            check_filter(checked(RunFilter, rules=rules), _known(self._reading))
        except Invalid as error:
            self._tell(str(error))
            self._push()
            return
        self._tell("")
        self._use(rules)

    def _use(self, rules: Rules) -> None:
        """Look through other rules, and say so in the address."""
        if self._reading is None:
            return
        self._rules = rules
        self._draft = rules != self._saved
        self._adopted = write_rules(rules) if self._draft else ""
        self.bar.param.update(said="", problem="", changed=self._draft)
        self._tell_filters()
        self._say(**{RULES: self._adopted})

    def _tell_filters(self) -> None:
        """Offer what the workflow keeps under names; the one whose rules are looked through is marked."""
        if self._reading is None:
            return
        own, looked = self._reading.run.user_metrics, frozenset(self._rules)
        self.bar.param.update(
            ruled=bool(self._rules),
            filters=[
                {
                    "id": str(one.id),
                    "name": one.name,
                    "words": "; ".join(rule_words(rule, own) for rule in one.rules),
                    "lacking": list(one.lacking),
                    "chosen": frozenset(one.rules) == looked,
                }
                for one in self._reading.named
            ],
        )

    def _push(self) -> None:
        """Let the charts look through the rules as they are here."""
        if self.charts is not None:
            self.charts.push(rules=_wire(self._rules))

    def _say(self, **options: str) -> None:
        """Say something in the address, beside what was said there since the run was read."""
        if self._reading is not None:
            self._session.say(self._place(self._reading).having(**options))

    def _place(self, reading: RunReading) -> Place:
        """Where the charts are: what was said since the run was read is said there."""
        here, read = self._session.place, reading.place
        return here if (here.element, here.tab, here.index) == (read.element, read.tab, read.index) else read

    def _tell(self, problem: str) -> None:
        if self.charts is not None:
            self.charts.give(problem=problem)

    def _count(self, said: Any) -> None:
        """What the charts count: the browser's word."""
        if isinstance(said, dict) and all(isinstance(said.get(name), int) for name in COUNTS):
            self.bar.param.update({name: said[name] for name in COUNTS})

    def _choose(self, said: Any) -> None:
        """Other charts were chosen: the address says which."""
        if self._reading is not None and isinstance(said, list):
            known = _known(self._reading)
            self._say(**{CHARTS: ",".join(name for name in said if name in known)})

    def _judge(self, said: Any) -> None:
        asked, reading, catalogue = parse_verdict(said), self._reading, self._session.catalogue
        if asked is None or reading is None:
            return
        indices, verdict = asked
        kind, run_id = VerdictKind(verdict) if verdict else None, reading.element.id
        self._tell("")
        self._session.run(
            lambda: catalogue.judge(run_id, indices, kind), lambda _: None, failed=lambda error: self._tell(str(error))
        )

    # ── what is done with them ──────────────────────────────────────────────────────────────────

    def _act(self, asked: dict[str, Any]) -> None:
        reading = self._reading
        if reading is None:
            return
        self.bar.param.update(said="", problem="")
        match asked["do"]:
            case "reset":
                self._use(self._saved)
                self._push()
            case "apply":
                self._save(reading.element)
            case "name-filter":
                ask_name(self._session, reading.run, self._rules)
            case "choose-filter" | "change-filter" | "remove-filter" | "filter-history":
                self._act_on_named(reading, asked)
            case "export":
                self._export(reading.element, JobKind.EXPORT)
            case "live-export":
                self._export(reading.element, JobKind.LIVE_EXPORT)
            case "update-live":
                self._update_live(reading.element)

    def _act_on_named(self, reading: RunReading, asked: dict[str, Any]) -> None:
        one = next((one for one in reading.named if str(one.id) == asked["id"]), None)
        if one is None:
            self.bar.problem = "Somebody has deleted this filter."
        elif asked["do"] == "change-filter":
            ask_change(self._session, reading.run, one, self._rules)
        elif asked["do"] == "filter-history":
            show_history(self._session, reading.run, one, may_write=may_write(reading.element))
        elif asked["do"] == "remove-filter":
            ask_removal(self._session, reading.run, one)
        else:
            self._use(one.rules)
            self._push()

    def _export(self, run: Element, kind: JobKind) -> None:
        # the browser counts, and may not have counted yet
        counted = f"{count(self.bar.kept)} of {count(self.bar.total)} micrographs match the filter."
        matching = counted if self.bar.total else "Those that match the filter."
        ask_filtered_export(self._session, run, kind, rules=self._rules, matching=matching)

    def _save(self, run: Element) -> None:
        wanted, catalogue = RunFilter(rules=self._rules), self._session.catalogue

        def saved(answer: SavedFilter) -> None:
            self._draft, self._adopted = self._rules != answer.filter.rules, ""
            self.bar.param.update(changed=self._draft, said="The filter is saved for the run.")
            self._say(**{RULES: ""})
            self._session.refresh()

        self._session.run(lambda: catalogue.save_filter(run.id, wanted), saved, failed=self._refused)

    def _update_live(self, run: Element) -> None:
        """Save the filter as it is on the screen, and let the live export go on with it."""
        wanted, catalogue = RunFilter(rules=self._rules), self._session.catalogue

        def update() -> None:
            catalogue.save_filter(run.id, wanted)
            catalogue.update_live_export(run.id)

        def updated(_: None) -> None:
            self._draft, self._adopted = False, ""
            self.bar.said = "The live export goes on with this filter."
            self._session.refresh()

        self._session.run(update, updated, failed=self._refused)

    def _refused(self, error: AthenaError) -> None:
        self.bar.problem = str(error)

    def _tell_exports(self, reading: RunReading) -> None:
        jobs = [job for job in reading.jobs if job.kind in EXPORTS and job.element_id == reading.element.id]
        self.bar.param.update(
            may_write=may_write(reading.element),
            live=any(job.kind == JobKind.LIVE_EXPORT and job.state in OPEN and not job.cancelling for job in jobs),
            jobs=[_job_item(job) for job in jobs[:JOBS_SHOWN]],
        )

    def _open(self, index: Any) -> None:
        if self._reading is not None and isinstance(index, int) and index >= 0:
            self._session.go(self._place(self._reading).at(index=index))


def check_rules(reading: RunReading) -> None:
    """Raises Invalid for an address whose rules are wrong, or look at what is no metric of the run."""
    words = reading.place.option(RULES)
    if words:
        check_filter(checked(RunFilter, rules=parse_rules(words)), _known(reading))


def _known(reading: RunReading) -> frozenset[str]:
    return frozenset((*METRICS, *(metric.name for metric in reading.run.user_metrics)))


def _wire(rules: Rules) -> list[dict[str, Any]]:
    return [rule.model_dump(mode="json") for rule in rules]


def _filter_words(job: Job) -> str:
    """Version of a named filter that an export goes by, if there is one of its rules."""
    used: Any = job.result.get("filters") or [{}]
    named = used[-1].get("named_filter")
    return version_words(KeptVersion.model_validate(named)) if named else ""


def _job_item(job: Job) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "label": job.label,
        "state": job.state.value,
        "done": job.done,
        "total": job.total,
        "unit": job.unit,
        "message": job.message,
        "location": str(job.result.get("location", "")),
        "filter": _filter_words(job),
    }
