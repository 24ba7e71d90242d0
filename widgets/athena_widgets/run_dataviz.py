"""The numbers of a run as charts, with rules that leave acquisitions out (EQ-07, EQ-08)."""

import traitlets

from athena.contract.filters import FilterRule
from athena_widgets.base import bundle
from athena_widgets.filtering import FilteredWidget


class RunDataviz(FilteredWidget):
    """Each metric of a run over its acquisitions and its distribution; rules are typed, or dragged over a chart.

    Attributes
    ----------
    charts : names of the metrics that have charts; empty: those that have one unasked.
    tally : ``{"kept", "total", "accepted", "rejected"}`` acquisitions, as the rules are now.
    show_count : say in the view how many match.
    opened : index of the acquisition that was last clicked (or entered); −1 for none.
    """

    _esm = bundle("run_dataviz")
    charts = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tally = traitlets.Dict().tag(sync=True)
    show_count = traitlets.Bool(True).tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)

    @property
    def filter(self) -> tuple[FilterRule, ...]:
        """The rules as the SDK takes them: ``run.save_filter(*charts.filter)``."""
        return tuple(FilterRule.model_validate(rule) for rule in self.rules)
