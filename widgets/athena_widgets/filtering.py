"""The filter that is saved for a run, as views take it."""

from typing import Any, Protocol, runtime_checkable

import traitlets

from athena.contract.filters import SavedFilter
from athena.contract.runs import Run
from athena_widgets.base import RunLike
from athena_widgets.chart_metrics import chart_metrics
from athena_widgets.judging import JudgingWidget


@runtime_checkable
class FilteredRun(Protocol):
    """A run that a filter may be saved for."""

    def saved_filter(self) -> SavedFilter:
        """The filter saved for it."""
        ...


@runtime_checkable
class MeasuredRun(Protocol):
    """A run of the SDK that may have metrics of its own."""

    @property
    def state(self) -> Run:
        """As it is now."""
        ...


class FilteredWidget(JudgingWidget):
    """A view of a run through rules: given ones, or those saved for the run, whichever these are by now.

    Attributes
    ----------
    metrics : what a rule may look at: name, label, unit, digits, and when it has a chart unasked.
    rules : of the filter, as ``athena.contract.filters.FilterRule`` writes them; by default those saved for the run,
        also when others are saved later. Once they were changed here, they stay.
    """

    metrics = traitlets.List(traitlets.Dict()).tag(sync=True)
    rules = traitlets.List(traitlets.Dict()).tag(sync=True)

    _followed: FilteredRun | None = None
    _saved: list[dict[str, Any]]

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        traits.setdefault("metrics", chart_metrics(run.state.user_metrics if isinstance(run, MeasuredRun) else ()))
        filtered = _filtered(run)
        if "rules" not in traits and filtered is not None:
            self._followed = filtered
            self._saved = traits["rules"] = saved_rules(filtered)
        super().__init__(run, **traits)
        self.observe(self._renew, "version")

    def _renew(self, _change: object) -> None:
        """Something happened to the run, maybe to its filter."""
        if self._followed is None or self.rules != self._saved:
            return
        saved = saved_rules(self._followed)
        if saved != self._saved:
            self._saved = saved
            self.rules = saved


def _filtered(run: object) -> FilteredRun | None:
    return run if isinstance(run, FilteredRun) else None


def saved_rules(run: FilteredRun) -> list[dict[str, Any]]:
    """Rules of the filter saved for a run."""
    return [rule.model_dump(mode="json") for rule in run.saved_filter().filter.rules]
