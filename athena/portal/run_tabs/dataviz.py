"""The numbers of a run as charts, the filter on them, and exports with that filter (EQ-07, EQ-08, EQ-09)."""

import time
from typing import Any

import panel as pn
from panel.viewable import Viewable

from athena.contract.elements import Element
from athena.contract.filters import FilterRule, Operator, RunFilter, SavedFilter
from athena.contract.jobs import Job, JobKind, JobState
from athena.errors import AthenaError, Invalid
from athena.portal.components.export_dialog import ExportDialog
from athena.portal.components.filter_bar import FilterBar
from athena.portal.components.filter_rules import FilterRules
from athena.portal.filter_words import parse_rules, write_rules
from athena.portal.panels.side import may_write
from athena.portal.place import Place
from athena.portal.plots.dataviz import Dataviz, charted_metrics
from athena.portal.run_tabs.reading import RunReading, nothing_yet
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme
from athena.sdk.client import checked
from athena.zarrio.layout import METRICS, Metric

EXPORTS = (JobKind.EXPORT.value, JobKind.LIVE_EXPORT.value)
OPEN = (JobState.PENDING, JobState.RUNNING)
JOBS_SHOWN = 2
"""Exports the bar tells of; the page of jobs has all."""
Rules = tuple[FilterRule, ...]


class DatavizTab:
    """Charts of every metric of a run, and its filter."""

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._reading: RunReading | None = None
        self._rules: Rules = ()
        self._draft = False
        self._adopted = ""
        self._previewed = 0.0
        self._nothing = nothing_yet()
        self.charts: Dataviz | None = None
        self.sentences = FilterRules(self._change, sizing_mode="stretch_width", margin=0)
        self.bar = FilterBar(self._act, sizing_mode="stretch_width", margin=0)
        self.export = ExportDialog(self._start_export)
        self._middle = pn.Column(sizing_mode="stretch_both", margin=0, styles={"min-height": "0"})
        self._page = pn.Column(
            self.sentences,
            self._middle,
            self.bar,
            self.export.dialog,
            sizing_mode="stretch_both",
            margin=0,
            styles={"min-height": "0"},
        )

    def show(self, reading: RunReading) -> Viewable:
        """Show the numbers there are."""
        self._reading = reading
        numbers = reading.numbers
        if not reading.run.counts.completed or numbers is None:
            self._nothing.param.update(
                sentence="No micrograph is processed yet. Charts appear here with the first result.", command=""
            )
            return self._nothing
        self._adopt(reading)
        metrics = charted_metrics(reading.run.user_metrics, numbers.columns)
        if self.charts is None or self.charts.metrics != metrics:
            self.charts = Dataviz(
                metrics, scheme=self._session.shell.browser.theme, opened=self._open, brushed=self._brush
            )
            self._middle[:] = [self.charts.root]
        self.charts.fill(numbers)
        self.sentences.metrics = [{"name": one.name, "label": one.label, "unit": one.unit} for one in metrics]
        self._tell_exports(reading)
        self._apply_rules()
        return self._page

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        if self.charts is not None:
            self.charts.scheme(scheme)

    # ── the rules ───────────────────────────────────────────────────────────────────────────────

    @property
    def _saved(self) -> Rules:
        saved = self._reading.saved if self._reading is not None else None
        return saved.filter.rules if saved is not None else ()

    def _adopt(self, reading: RunReading) -> None:
        """Take rules from the address where it says others than before, else what was saved, unless one is at work."""
        words = reading.place.option("rules")
        if words and words != self._adopted:
            self._adopted = words
            self._rules = parse_rules(words)
            self._draft = self._rules != self._saved
        elif not self._draft:
            self._rules = self._saved

    def _change(self, asked: dict[str, Any]) -> None:
        self.sentences.problem = ""
        if asked["do"] == "remove":
            at = int(asked["at"])
            self._use(tuple(rule for number, rule in enumerate(self._rules) if number != at))
            return
        try:
            rule = checked(
                FilterRule,
                metric=asked["metric"],
                operator=asked["operator"],
                value=_number(asked["value"]),
                upper=_number(asked["upper"]) if asked["upper"] else None,
            )
            self._use((*self._rules, rule))
        except Invalid as error:
            self.sentences.problem = str(error)

    def _brush(self, metric: Metric, low: float, high: float, ended: bool) -> None:
        """A range dragged over a chart takes the place of the rules on its metric."""
        if not ended and time.monotonic() - self._previewed < 0.1:
            return
        low, high = round(low, metric.digits), round(high, metric.digits)
        if low >= high:
            return
        rule = FilterRule(metric=metric.name, operator=Operator.BETWEEN, value=low, upper=high)
        rules = (*(one for one in self._rules if one.metric != metric.name), rule)
        if ended:
            self._use(rules)
        else:
            self._preview(rules)
            self._previewed = time.monotonic()

    def _use(self, rules: Rules) -> None:
        """Look through other rules, and say so in the address."""
        if self._reading is None:
            return
        checked(RunFilter, rules=rules)  # not too many
        self._rules = rules
        self._draft = rules != self._saved
        self._adopted = write_rules(rules) if self._draft else ""
        self.bar.param.update(said="", problem="")
        self._session.say(self._reading.place.having(rules=self._adopted))
        self._apply_rules()

    def _apply_rules(self) -> None:
        reading = self._reading
        if reading is None or reading.numbers is None:
            return
        if reading.numbers.lacks(self._rules):
            # a rule on a metric that has no chart: its column comes with the next reading
            self._session.say(reading.place.having(rules=write_rules(self._rules)))
            self._session.refresh()
            return
        self._preview(self._rules)
        self.bar.changed = self._rules != self._saved
        self.sentences.rules = [self._sentence(rule) for rule in self._rules]

    def _preview(self, rules: Rules) -> None:
        numbers = self._reading.numbers if self._reading is not None else None
        if numbers is None or self.charts is None:
            return
        kept = numbers.kept(rules)
        self.charts.keep(kept, rules)
        self.bar.param.update(
            kept=int(kept.sum()),
            total=numbers.there,
            accepted=int(numbers.accepted.size),
            rejected=int(numbers.rejected.size),
        )

    def _sentence(self, rule: FilterRule) -> dict[str, Any]:
        shown = self.charts.metrics if self.charts is not None else ()
        metric = next((one for one in shown if one.name == rule.metric), METRICS.get(rule.metric))
        digits = metric.digits if metric is not None else 3
        return {
            "metric": rule.metric,
            "label": metric.label if metric is not None else rule.metric,
            "unit": metric.unit if metric is not None else "",
            "operator": rule.operator.value,
            "value": _written(rule.value, digits),
            "upper": "" if rule.upper is None else _written(rule.upper, digits),
        }

    # ── what is done with them ──────────────────────────────────────────────────────────────────

    def _act(self, asked: dict[str, Any]) -> None:
        reading = self._reading
        if reading is None:
            return
        self.bar.param.update(said="", problem="")
        match asked["do"]:
            case "reset":
                self._use(self._saved)
            case "apply":
                self._save(reading.element)
            case "export":
                self.export.ask(JobKind.EXPORT, matching=self._matching())
            case "live-export":
                self.export.ask(JobKind.LIVE_EXPORT, matching=self._matching())
            case "update-live":
                self._update_live(reading.element)

    def _matching(self) -> str:
        return f"{self.bar.kept} of {self.bar.total} micrographs match the filter."

    def _save(self, run: Element) -> None:
        wanted, catalogue = RunFilter(rules=self._rules), self._session.catalogue

        def saved(answer: SavedFilter) -> None:
            self._draft, self._adopted = self._rules != answer.filter.rules, ""
            self.bar.param.update(changed=self._draft, said="The filter is saved for the run.")
            if self._reading is not None:
                self._session.say(self._reading.place.having(rules=""))
            self._session.refresh()

        self._session.run(lambda: catalogue.save_filter(run.id, wanted), saved, failed=self._refused)

    def _start_export(self, kind: JobKind, parameters: dict[str, Any]) -> None:
        reading, catalogue = self._reading, self._session.catalogue
        if reading is None:
            return
        given = parameters | {"filter": RunFilter(rules=self._rules).model_dump(mode="json")}

        def started(_job: Job) -> None:
            self.export.done()
            self._session.refresh()

        self._session.run(
            lambda: catalogue.start_job(kind.value, reading.element.id, given), started, failed=self.export.refused
        )

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

    def _open(self, index: int) -> None:
        if self._reading is not None:
            self._session.go(self._reading.place.at(index=index))


def rule_columns(place: Place, saved: SavedFilter) -> tuple[str, ...]:
    """Metrics that the rules of an address, and those saved, look at. Raises Invalid for an address that is wrong."""
    words = place.option("rules")
    rules = (*saved.filter.rules, *(parse_rules(words) if words else ()))
    return tuple(dict.fromkeys(rule.metric for rule in rules))


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
    }


def _number(typed: str) -> float:
    try:
        return float(typed.strip().replace(",", "."))
    except ValueError as error:
        raise Invalid(f"“{typed}” is no number.", hint="Write it as 3.5.") from error


def _written(value: float, digits: int) -> str:
    """A bound with the decimals of its metric, or with all it has where it has more."""
    rounded = f"{value:.{digits}f}"
    return rounded if float(rounded) == value else f"{value:g}"
