"""The run's numbers as they come: each metric over the acquisitions, and its distribution beside it (EQ-07, EQ-08)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
from bokeh.events import RangesUpdate
from bokeh.models import ColumnDataSource, Range1d
from numpy.typing import NDArray

from athena.contract.filters import FilterRule
from athena.contract.user_metrics import UserMetric
from athena.portal.holding import held
from athena.portal.plots.metric_charts import AXIS_LABEL_PX, CHART_PX, Brushed, MetricCharts
from athena.portal.plots.numbers import RunNumbers
from athena.portal.theme import Scheme
from athena.zarrio.layout import METRICS, Metric

DATAVIZ_METRICS = ("defocus_um", "ctf_resolution_angstrom", "drift_total_angstrom", "astigmatism_nm")
"""Have charts in every run."""
MORE_METRICS = (
    *("phase_shift_deg", "iciness", "ice_thickness_nm", "ctf_score"),
    *("drift_early_angstrom", "mean_intensity_e_per_px"),
)
"""Have charts where they were measured and are not one number only: a phase shift needs a phase plate."""
MOST_POINTS = 20_000
"""Up to so many acquisitions in view are drawn as points that can be pointed at; more as a picture of their density."""


def charted_metrics(
    added: Iterable[UserMetric] = (), columns: Mapping[str, NDArray[np.float64]] | None = None
) -> tuple[Metric, ...]:
    """Metrics that matter during acquisition, others that ``columns`` has, those that people added (NB-05)."""
    own = (Metric(m.name, m.label, m.unit, m.digits, m.lower_is_better) for m in added)
    more = [name for name in MORE_METRICS if columns is not None and _varies(columns.get(name))]
    return (*(METRICS[name] for name in (*DATAVIZ_METRICS, *more)), *own)


def _varies(values: NDArray[np.float64] | None) -> bool:
    if values is None:
        return False
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() < known.max())


class Dataviz:
    """Charts of a run's metrics, with one axis of acquisitions and one filter.

    Parameters
    ----------
    metrics : one row of charts each, from the top.
    opened : called with the index of an acquisition that was chosen on a chart.
    brushed : called with a metric and a range that was dragged over one of its charts.
    """

    def __init__(
        self, metrics: Sequence[Metric], *, scheme: Scheme, opened: Callable[[int], None], brushed: Brushed
    ) -> None:
        self.metrics = tuple(metrics)
        self._opened = opened
        self._numbers: RunNumbers | None = None
        self._kept: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._seen = (0, 0)
        self._across = Range1d(0.5, 1.5)
        self.points = ColumnDataSource({name: [] for name in ("index", "name", "kept", *(m.name for m in metrics))})
        self.charts = [
            MetricCharts(metric, scheme=scheme, points=self.points, across=self._across, brushed=brushed)
            for metric in self.metrics
        ]
        self.points.selected.on_change("indices", lambda _attr, _old, new: self._tapped(new))
        for charts in self.charts:
            charts.over.on_event(RangesUpdate, lambda _: self._moved())
        last = self.charts[-1]
        last.over.xaxis.axis_label, last.spread.xaxis.axis_label = "Micrograph", "Micrographs"
        last.over.height = last.spread.height = CHART_PX + AXIS_LABEL_PX
        self.root = pn.Column(
            *(
                pn.Row(
                    pn.pane.Bokeh(charts.over, sizing_mode="stretch_width", margin=0),
                    pn.pane.Bokeh(charts.spread, margin=0),
                    sizing_mode="stretch_width",
                    margin=0,
                    css_classes=["athena-charts"],
                )
                for charts in self.charts
            ),
            sizing_mode="stretch_both",
            scroll="y-auto",
            margin=0,
            styles={"padding": "8px 24px", "gap": "8px", "min-height": "0"},
        )

    def fill(self, numbers: RunNumbers) -> None:
        """Show a newer reading of the run. Someone who looks closer at a part of it goes on looking there."""
        before = 0 if self._numbers is None else self._numbers.total
        whole = self._seen == (0, before)
        self._numbers = numbers
        self._kept = np.ones(numbers.total, dtype=np.bool_)
        if whole:
            self._across.update(start=0.5, end=numbers.total + 0.5, reset_start=0.5, reset_end=numbers.total + 0.5)
        for charts in self.charts:
            charts.fill(numbers.columns[charts.metric.name])
        self._seen = (0, numbers.total) if whole else self._in_view(numbers.total)
        self._place()

    def keep(self, kept: NDArray[np.bool_], rules: Sequence[FilterRule]) -> None:
        """Show which acquisitions a filter keeps, and the zones it leaves out."""
        self._kept = kept
        for charts in self.charts:
            charts.shade(rules)
        self._draw()

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        for charts in self.charts:
            charts.scheme(scheme)

    def _tapped(self, chosen: list[int]) -> None:
        if chosen:
            index = int(self.points.data["index"][chosen[0]]) - 1
            self.points.selected.indices = []
            self._opened(index)

    def _in_view(self, total: int) -> tuple[int, int]:
        """First acquisition in view, and the one after the last; never none."""
        start, end = float(self._across.start), float(self._across.end)
        first = min(max(0, round(start - 0.5)), max(0, total - 1))
        return first, max(first + 1, min(total, round(end - 0.5)))

    def _moved(self) -> None:
        """Somebody zoomed or panned: what is in view may be few enough for points now, or not any more."""
        if self._numbers is None:
            return
        seen = self._in_view(self._numbers.total)
        if seen != self._seen:
            self._seen = seen
            if self._numbers.total > MOST_POINTS:
                with held(self.points.document):
                    self._place()
                    self._draw()

    def _place(self) -> None:
        """Lay out points, or the pixels of pictures."""
        numbers = self._numbers
        if numbers is None:
            return
        first, last = self._seen if numbers.total > MOST_POINTS else (0, numbers.total)
        here = slice(first, last)
        columns = [charts.metric.name for charts in self.charts]
        if last - first <= MOST_POINTS:
            data: dict[str, Any] = {"index": np.arange(first, last) + 1, "name": numbers.names[here]}
            data |= {name: numbers.columns[name][here] for name in columns}
            self.points.data = data | {"kept": self._kept[here].astype(np.uint8)}
            for charts in self.charts:
                charts.show_points(last - first)
        else:
            if len(self.points.data["index"]):
                self.points.data = {name: [] for name in ("index", "name", "kept", *columns)}
            for charts in self.charts:
                charts.show_picture(numbers.columns[charts.metric.name][here], first)

    def _draw(self) -> None:
        """Say which are kept."""
        first, last = self._seen
        count = len(self.points.data["index"])
        if count:
            begin = int(self.points.data["index"][0]) - 1
            self.points.data["kept"] = self._kept[begin : begin + count].astype(np.uint8)
        for charts in self.charts:
            charts.keep(self._kept, self._kept[first:last])
