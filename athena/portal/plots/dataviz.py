"""The run's numbers as they come: each metric over the acquisitions, and its distribution beside it (EQ-07)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import panel as pn
from bokeh.models import BasicTicker, ColumnDataSource, HoverTool, NumeralTickFormatter, TapTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from athena.contract.runs import RunTable
from athena.contract.user_metrics import UserMetric
from athena.domain.histogram import distribution
from athena.portal.theme import Scheme
from athena.zarrio.layout import METRICS, Metric
from athena_widgets import tokens

DATAVIZ_METRICS = ("defocus_um", "ctf_resolution_angstrom", "drift_total_angstrom", "astigmatism_nm")
CHART_PX = 138
"""Height of one row of charts; four of them fit a page of 800 px."""
AXIS_LABEL_PX = 24
"""What the last row has more, for the labels of its x axes."""
DISTRIBUTION_PX = 260
LABELS_PX = 64
"""Room for the labels of the y axis, the same in every row so that the rows line up."""


class MetricCharts:
    """One metric: a series over acquisitions at the left, its distribution at the right on the same axis."""

    def __init__(self, metric: Metric, *, scheme: Scheme, opened: Callable[[int], None]) -> None:
        self.metric = metric
        self._series = ColumnDataSource({"index": [], "value": [], "name": []})
        self._bars = ColumnDataSource({"bottom": [], "top": [], "count": []})
        self._middle = ColumnDataSource({"value": []})
        digits = f"0.{'0' * metric.digits}" if metric.digits else "0"
        unit = f" {metric.unit}" if metric.unit else ""
        self.over = figure(height=CHART_PX, sizing_mode="stretch_width", tools="xpan,xwheel_zoom,reset", min_border=8)
        self.over.min_border_left = LABELS_PX
        self._dots = self.over.scatter("index", "value", source=self._series, size=5, line_color=None, alpha=0.85)
        self._median = self.over.hspan(y="value", source=self._middle, line_dash="dotted", line_alpha=0.7)
        self.over.add_tools(
            HoverTool(renderers=[self._dots], tooltips=[("", "@name"), (metric.label, f"@value{{{digits}}}{unit}")]),
            TapTool(renderers=[self._dots]),
        )
        self.spread = figure(height=CHART_PX, width=DISTRIBUTION_PX, y_range=self.over.y_range, tools="", min_border=8)
        self._quads = self.spread.quad(
            left=0, right="count", bottom="bottom", top="top", source=self._bars, line_width=1
        )
        self.spread.add_tools(
            HoverTool(
                renderers=[self._quads],
                tooltips=[("", f"@bottom{{{digits}}} – @top{{{digits}}}{unit}"), ("micrographs", "@count")],
            )
        )
        self.spread.x_range.start = 0
        self.spread.yaxis.visible = False
        self.spread.title.align = "right"
        self.spread.title.text_font_size = "12px"
        for chart in (self.over, self.spread):
            chart.toolbar.logo = None
            chart.toolbar_location = None
            chart.xaxis.minor_tick_line_color = chart.yaxis.minor_tick_line_color = None
            chart.outline_line_color = None
            # micrographs and their counts are whole numbers
            chart.xaxis.ticker = BasicTicker(min_interval=1, desired_num_ticks=6)
            chart.xaxis.formatter = NumeralTickFormatter(format="0")
            chart.yaxis.ticker = BasicTicker(desired_num_ticks=4)
            chart.xgrid.visible = False
        self.over.yaxis.axis_label = f"{metric.label} ({metric.unit})" if metric.unit else metric.label
        self._series.selected.on_change("indices", lambda _attr, _old, new: self._tapped(new, opened))
        self.scheme(scheme)

    def _tapped(self, chosen: list[int], opened: Callable[[int], None]) -> None:
        if chosen:
            index = int(self._series.data["index"][chosen[0]]) - 1
            self._series.selected.indices = []
            opened(index)

    def scheme(self, scheme: Scheme) -> None:
        """Colours that stand out on dark or on light; the frame's own follow the page."""
        colour = tokens.load()[scheme]
        self._dots.glyph.fill_color = colour["accent"]
        self._quads.glyph.fill_color = colour["accent"]
        self._quads.glyph.line_color = colour["background"]
        self._median.glyph.line_color = colour["muted"]
        for chart in (self.over, self.spread):
            chart.background_fill_color = chart.border_fill_color = colour["surface"]
            for axis in (*chart.xaxis, *chart.yaxis):
                axis.axis_line_color = axis.major_tick_line_color = colour["line"]
                axis.major_label_text_color = axis.axis_label_text_color = colour["muted"]
                axis.major_label_text_font = axis.axis_label_text_font = "Inter"
                axis.axis_label_text_font_style = "normal"
            chart.ygrid.grid_line_color = colour["line"]
        self.spread.title.text_color = colour["muted"]

    def fill(self, indices: NDArray[np.int64], values: NDArray[np.float64], names: NDArray[Any]) -> None:
        """Show finite values; acquisitions are counted from 1, as people do."""
        finite = np.isfinite(values)
        self._series.data = {"index": indices[finite] + 1, "value": values[finite], "name": names[finite]}
        spread = distribution(values)
        self._bars.data = {"bottom": spread.edges[:-1], "top": spread.edges[1:], "count": spread.counts}
        self._middle.data = {"value": [spread.median] if spread.total else []}
        median = f"median {spread.median:.{self.metric.digits}f}" if spread.total else "no value yet"
        self.spread.title.text = f"{median}\u2009{self.metric.unit}" if spread.total else median


def charted_metrics(added: Iterable[UserMetric] = ()) -> tuple[Metric, ...]:
    """Metrics that matter during acquisition, then those that people added to the run (NB-05)."""
    own = (Metric(m.name, m.label, m.unit, m.digits, m.lower_is_better) for m in added)
    return (*(METRICS[name] for name in DATAVIZ_METRICS), *own)


class Dataviz:
    """Charts of a run's metrics.

    Parameters
    ----------
    metrics : one row of charts each, from the top.
    opened : called with the index of an acquisition that was chosen on a chart.
    """

    def __init__(self, metrics: Sequence[Metric], *, scheme: Scheme, opened: Callable[[int], None]) -> None:
        self.metrics = tuple(metrics)
        self._charts = [MetricCharts(metric, scheme=scheme, opened=opened) for metric in self.metrics]
        last = self._charts[-1]
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
                for charts in self._charts
            ),
            sizing_mode="stretch_both",
            scroll="y-auto",
            margin=0,
            styles={"padding": "16px 24px", "gap": "8px", "min-height": "0"},
        )

    def fill(self, table: RunTable) -> None:
        """Show a newer reading of the run."""
        indices = np.arange(table.start, table.start + len(table.names), dtype=np.int64)
        names = np.asarray(table.names, dtype=object)
        for charts in self._charts:
            column = table.columns.get(charts.metric.name, ())
            values = np.array([np.nan if value is None else value for value in column], dtype=np.float64)
            if values.size != indices.size:
                values = np.full(indices.size, np.nan)
            charts.fill(indices, values, names)

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light."""
        for charts in self._charts:
            charts.scheme(scheme)
