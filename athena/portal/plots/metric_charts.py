"""The two charts of one metric: a series over acquisitions at the left, its distribution at the right."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bokeh.events import SelectionGeometry
from bokeh.models import (
    BasicTicker,
    BoxAnnotation,
    BoxSelectTool,
    ColumnDataSource,
    HoverTool,
    LinearColorMapper,
    NumeralTickFormatter,
    Range1d,
    TapTool,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from athena.contract.filters import FilterRule
from athena.domain.histogram import distribution
from athena.portal.holding import held
from athena.portal.plots.raster import Raster
from athena.portal.plots.zones import left_out
from athena.portal.theme import Scheme
from athena.zarrio.layout import Metric
from athena_widgets import tokens

CHART_PX = 138
"""Height of one row of charts; four of them fit a page of 800 px."""
AXIS_LABEL_PX = 24
"""What the last row has more, for the labels of its x axes."""
DISTRIBUTION_PX = 260
LABELS_PX = 64
"""Room for the labels of the y axis, the same in every row so that the rows line up."""
FEW = 2000
"""Up to so many points are drawn large."""

Brushed = Callable[[Metric, float, float, bool], None]
"""Told of a range dragged over a chart: metric, lower and upper value, and whether the drag ended."""


class MetricCharts:
    """One metric as a series and as a distribution, on the same axis of values.

    Parameters
    ----------
    points : acquisitions in view, shared by all charts; ``kept`` says which match.
    across : the axis of acquisitions, shared by all charts.
    """

    def __init__(
        self, metric: Metric, *, scheme: Scheme, points: ColumnDataSource, across: Range1d, brushed: Brushed
    ) -> None:
        self.metric = metric
        self._brushed = brushed
        self._values: NDArray[np.float64] = np.zeros(0)
        self._raster: Raster | None = None
        self._edges: NDArray[np.float64] = np.zeros(0)
        self.bars = ColumnDataSource({"bottom": [], "top": [], "count": [], "kept": []})
        self.zones = ColumnDataSource({"low": [], "high": []})
        self.picture = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self._middle = ColumnDataSource({"value": []})
        self._along = Range1d(0, 1)
        self._strips: list[Any] = []
        self._boxes: list[BoxAnnotation] = []
        self._counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._where: dict[str, list[float]] = {}
        self._colours = LinearColorMapper(palette=["#000000", "#ffffff"], low=0, high=1)
        self._levels = LinearColorMapper(palette=["#000000"] * 256, low=0, high=255)
        self.over = figure(
            height=CHART_PX, sizing_mode="stretch_width", x_range=across, y_range=self._along, tools="", min_border=8
        )
        self.over.min_border_left = LABELS_PX
        self.spread = figure(height=CHART_PX, width=DISTRIBUTION_PX, y_range=self._along, tools="", min_border=8)
        self._build_series(points)
        self._build_distribution()
        for chart in (self.over, self.spread):
            self._finish(chart)
        self.over.yaxis.axis_label = f"{metric.label} ({metric.unit})" if metric.unit else metric.label
        self.scheme(scheme)

    @property
    def _format(self) -> str:
        return f"0.{'0' * self.metric.digits}" if self.metric.digits else "0"

    def _build_series(self, points: ColumnDataSource) -> None:
        metric, unit = self.metric, f" {self.metric.unit}" if self.metric.unit else ""
        self._picture = self.over.image(
            image="image", x="x", y="y", dw="dw", dh="dh", source=self.picture, color_mapper=self._levels
        )
        self._dots = self.over.scatter(
            "index",
            metric.name,
            source=points,
            size=5,
            line_color=None,
            alpha=0.85,
            fill_color={"field": "kept", "transform": self._colours},
        )
        self._dots.nonselection_glyph = None
        self._median = self.over.hspan(y="value", source=self._middle, line_dash="dotted", line_alpha=0.7)
        self.over.add_tools(
            HoverTool(
                renderers=[self._dots],
                tooltips=[("", "@name"), (metric.label, f"@{{{metric.name}}}{{{self._format}}}{unit}")],
            ),
            TapTool(renderers=[self._dots]),
        )
        self.over.add_tools("xwheel_zoom", "reset")
        self.over.toolbar.active_scroll = "auto"

    def _build_distribution(self) -> None:
        unit = f" {self.metric.unit}" if self.metric.unit else ""
        self._all, self._inside = (
            self.spread.quad(left=0, right=right, bottom="bottom", top="top", source=self.bars, line_color=None)
            for right in ("count", "kept")
        )
        self.spread.add_tools(
            HoverTool(
                renderers=[self._all],
                tooltips=[
                    ("", f"@bottom{{{self._format}}} – @top{{{self._format}}}{unit}"),
                    ("micrographs", "@kept of @count"),
                ],
            )
        )
        self.spread.x_range.start = 0
        self.spread.yaxis.visible = False
        self.spread.title.align = "right"
        self.spread.title.text_font_size = "12px"

    def _finish(self, chart: Any) -> None:
        strips = chart.hstrip(y0="low", y1="high", source=self.zones, level="underlay", line_width=1)
        self._strips.append(strips)
        overlay = BoxAnnotation(fill_alpha=0.16, line_alpha=0.9, line_dash="solid", line_width=1, visible=False)
        self._boxes.append(overlay)
        brush = BoxSelectTool(overlay=overlay, dimensions="height", renderers=[], continuous=True)
        chart.add_tools(brush)
        chart.toolbar.active_drag = brush
        chart.on_event(SelectionGeometry, self._dragged)
        chart.toolbar.logo = None
        chart.toolbar_location = None
        chart.xaxis.minor_tick_line_color = chart.yaxis.minor_tick_line_color = None
        chart.outline_line_color = None
        # micrographs and their counts are whole numbers
        chart.xaxis.ticker = BasicTicker(min_interval=1, desired_num_ticks=6)
        chart.xaxis.formatter = NumeralTickFormatter(format="0")
        chart.yaxis.ticker = BasicTicker(desired_num_ticks=4)
        chart.xgrid.visible = False

    def _dragged(self, event: SelectionGeometry) -> None:
        ends = sorted((float(event.geometry["y0"]), float(event.geometry["y1"])))
        with held(self.over.document):
            self._brushed(self.metric, ends[0], ends[1], bool(event.final))

    def scheme(self, scheme: Scheme) -> None:
        """Colours that stand out on dark or on light; the frame's own follow the page."""
        colour = tokens.load()[scheme]
        out = colour["line"] if scheme == "light" else "#46545f"
        self._colours.palette = [out, colour["accent"]]
        steps = [round(90 + 165 * step / 126) for step in range(127)]
        self._levels.palette = [
            "#00000000",
            *(f"{out}{alpha:02x}" for alpha in steps),
            *(f"{colour['accent']}{alpha:02x}" for alpha in (*steps, 255)),
        ]
        self._all.glyph.fill_color = out
        self._inside.glyph.fill_color = colour["accent"]
        self._median.glyph.line_color = colour["muted"]
        for strips in self._strips:
            strips.glyph.fill_color = strips.glyph.line_color = colour["warning"]
            strips.glyph.fill_alpha, strips.glyph.line_alpha = 0.09, 0.5
        for box in self._boxes:
            box.fill_color = box.line_color = colour["accent"]
        for chart in (self.over, self.spread):
            chart.background_fill_color = chart.border_fill_color = colour["surface"]
            for axis in (*chart.xaxis, *chart.yaxis):
                axis.axis_line_color = axis.major_tick_line_color = colour["line"]
                axis.major_label_text_color = axis.axis_label_text_color = colour["muted"]
                axis.major_label_text_font = axis.axis_label_text_font = "Inter"
                axis.axis_label_text_font_style = "normal"
            chart.ygrid.grid_line_color = colour["line"]
        self.spread.title.text_color = colour["muted"]

    def fill(self, values: NDArray[np.float64]) -> None:
        """Take the values of all acquisitions, by index from 0; those not known are left out."""
        self._values = values
        spread = distribution(values)
        self._edges = spread.edges
        if spread.total:
            low, high = float(spread.edges[0]), float(spread.edges[-1])
            pad = 0.06 * (high - low)
            self._along.update(start=low - pad, end=high + pad, reset_start=low - pad, reset_end=high + pad)
        self._counts = spread.counts
        self._middle.data = {"value": [spread.median] if spread.total else []}
        median = f"median {spread.median:.{self.metric.digits}f}" if spread.total else "no value yet"
        self.spread.title.text = f"{median}\u2009{self.metric.unit}" if spread.total else median

    def show_points(self, count: int) -> None:
        """Draw acquisitions in view as points."""
        self._raster = None
        self._dots.glyph.size = 5 if count <= FEW else 3
        self._dots.visible, self._picture.visible = True, False

    def show_picture(self, values: NDArray[np.float64], first: int) -> None:
        """Draw acquisitions from index ``first`` on as a picture of their density."""
        low, high = float(self._along.start), float(self._along.end)
        self._raster = Raster.of(values, low, high)
        self._where = {"x": [first + 0.5], "y": [low], "dw": [values.size], "dh": [high - low]}
        self._dots.visible, self._picture.visible = False, True

    def keep(self, kept: NDArray[np.bool_], in_view: NDArray[np.bool_]) -> None:
        """Say which of all acquisitions match, and which of those in view."""
        inside = np.histogram(self._values[kept], bins=self._edges)[0] if self._edges.size else self._counts
        self.bars.data = {
            "bottom": self._edges[:-1],
            "top": self._edges[1:],
            "count": self._counts,
            "kept": inside,
        }
        if self._raster is not None:
            self.picture.data = {"image": [self._raster.draw(in_view)], **self._where}

    def shade(self, rules: Sequence[FilterRule]) -> None:
        """Shade the values that rules leave out."""
        zones = left_out(
            [rule for rule in rules if rule.metric == self.metric.name],
            low=float(self._along.start),
            high=float(self._along.end),
        )
        self.zones.data = {"low": [low for low, _ in zones], "high": [high for _, high in zones]}
