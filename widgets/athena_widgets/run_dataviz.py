"""The numbers of a run as charts, with rules that leave acquisitions out (EQ-07, EQ-08)."""

from typing import Any, Protocol, runtime_checkable

import traitlets

from athena.contract.filters import FilterRule
from athena.contract.runs import Run
from athena_widgets.base import RunLike, bundle
from athena_widgets.chart_metrics import chart_metrics
from athena_widgets.filtering import saved_rules
from athena_widgets.judging import JudgingWidget


@runtime_checkable
class ChartedRun(Protocol):
    """A run of the SDK that may have metrics of its own."""

    @property
    def state(self) -> Run:
        """As it is now."""
        ...


class RunDataviz(JudgingWidget):
    """Each metric of a run over its acquisitions and its distribution; rules are typed, or dragged over a chart.

    Attributes
    ----------
    metrics : what a chart or a rule may look at: name, label, unit, digits, and when it has a chart unasked.
    charts : names of the metrics that have charts; empty: those that have one unasked.
    rules : of the filter, as ``athena.contract.filters.FilterRule`` writes them; by default those saved for the run.
    tally : ``{"kept", "total", "accepted", "rejected"}`` acquisitions, as the rules are now.
    show_count : say in the view how many match.
    opened : index of the acquisition that was last clicked (or entered); −1 for none.
    """

    _esm = bundle("run_dataviz")
    metrics = traitlets.List(traitlets.Dict()).tag(sync=True)
    charts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    rules = traitlets.List(traitlets.Dict()).tag(sync=True)
    tally = traitlets.Dict().tag(sync=True)
    show_count = traitlets.Bool(True).tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        traits.setdefault("metrics", chart_metrics(run.state.user_metrics if isinstance(run, ChartedRun) else ()))
        traits.setdefault("rules", saved_rules(run))
        super().__init__(run, **traits)

    @property
    def filter(self) -> tuple[FilterRule, ...]:
        """The rules as the SDK takes them: ``run.save_filter(*charts.filter)``."""
        return tuple(FilterRule.model_validate(rule) for rule in self.rules)
