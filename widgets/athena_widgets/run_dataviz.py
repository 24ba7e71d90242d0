"""The numbers of a run as charts, with rules that leave acquisitions out (EQ-07, EQ-08)."""

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import traitlets

from athena.contract.filters import FilterRule
from athena.contract.runs import Run
from athena.contract.user_metrics import UserMetric
from athena.zarrio.layout import METRICS
from athena_widgets.base import AthenaWidget, RunLike, bundle
from athena_widgets.judging import JudgedRun, judge, parse_verdict

ALWAYS = ("defocus_um", "ctf_resolution_angstrom", "drift_total_angstrom", "astigmatism_nm")
"""Have charts in every run."""
VARIES = ("phase_shift_deg", "iciness", "ctf_score", "drift_early_angstrom", "mean_intensity_e_per_px")
"""Have charts where they were measured and are not one number only: a phase shift needs a phase plate."""
NO_CHART = ("acquired_unix_s",)
"""Numbers that mean nothing on an axis of values."""


@runtime_checkable
class ChartedRun(Protocol):
    """A run of the SDK that may have metrics of its own."""

    @property
    def state(self) -> Run:
        """As it is now."""
        ...


def chart_metrics(added: Iterable[UserMetric] = ()) -> list[dict[str, Any]]:
    """Metrics a chart or a rule may look at, in the order of their charts; those that people added have charts too."""
    first = (*ALWAYS, *VARIES)
    others = [name for name in METRICS if name not in first and name not in NO_CHART]
    kinds = dict.fromkeys(ALWAYS, "always") | dict.fromkeys(VARIES, "varies")
    built_in = [_item(METRICS[name], kinds.get(name, "asked")) for name in (*first, *others)]
    own = [_item(metric, "always") for metric in added]
    return [*built_in[: len(first)], *own, *built_in[len(first) :]]


def _item(metric: Any, standard: str) -> dict[str, Any]:
    about = {"name": metric.name, "label": metric.label, "unit": metric.unit, "digits": metric.digits}
    return {**about, "standard": standard}


class RunDataviz(AthenaWidget):
    """Each metric of a run over its acquisitions and its distribution; rules are typed, or dragged over a chart.

    Attributes
    ----------
    metrics : what a chart or a rule may look at: name, label, unit, digits, and when it has a chart unasked.
    charts : names of the metrics that have charts; empty: those that have one unasked.
    rules : of the filter: ``{"metric", "operator", "value", "upper"}`` as in ``athena.contract.filters``.
    tally : ``{"kept", "total", "accepted", "rejected"}`` acquisitions, as the rules are now.
    show_count : say in the view how many match.
    may_judge : whether what is selected can be accepted and rejected.
    judged : what was judged last: ``"3-40,55 rejected"``, or ``"3 "`` (taken back).
    problem : why the last thing asked was refused, in words.
    opened : index of the acquisition that was last clicked (or entered); −1 for none.
    """

    _esm = bundle("run_dataviz")
    metrics = traitlets.List(traitlets.Dict()).tag(sync=True)
    charts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rules = traitlets.List(traitlets.Dict()).tag(sync=True)
    tally = traitlets.Dict().tag(sync=True)
    show_count = traitlets.Bool(True).tag(sync=True)
    may_judge = traitlets.Bool(True).tag(sync=True)
    judged = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)

    _run: object = None

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        added = run.state.user_metrics if isinstance(run, ChartedRun) else ()
        super().__init__(run, **{"metrics": chart_metrics(added)} | traits)
        self._run = run
        self.observe(self._judge, "judged")

    @property
    def filter(self) -> tuple[FilterRule, ...]:
        """The rules as the SDK takes them: ``run.save_filter(*charts.filter)``."""
        return tuple(FilterRule.model_validate(rule) for rule in self.rules)

    def _judge(self, change: Any) -> None:
        said = parse_verdict(change["new"])
        if said is None or not isinstance(self._run, JudgedRun):
            return
        self.problem = ""
        try:
            judge(self._run, *said)
        except Exception as error:  # noqa: BLE001  the last frame before the kernel's loop, which tells nobody
            self.problem = str(error)
