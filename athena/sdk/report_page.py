"""The quality report as one printed page (EQ-10): A4, the same on screen and on paper."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from athena.contract.report import FEW_IMAGES, MetricSummary, QualityReport
from athena.domain.readable import count, duration
from athena.sdk.filters import rule_words, version_words
from athena.sdk.page_font import set_font
from athena.zarrio.layout import METRICS, Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

A4_INCHES = (210 / 25.4, 297 / 25.4)
MARGIN = 0.07
"""Of the page's width, left and right."""
INK, MUTED, LINE, ACCENT, SURFACE = "#17212b", "#5b6b79", "#d9e0e6", "#0d8577", "#f6f8fa"
WARNING = "#9a5b00"
NOT_KNOWN = "N/A"
SHOWN_OF_USERS = 2
"""Metrics that people added which the card has room for; the numbers of all are in ``report.metrics``."""
FEWEST_FOR_RATE = 3
"""Images below which no rate is told."""
HEADROOM = 1.3
"""Of a histogram above its highest bar: room for the legend."""


def draw_page(report: QualityReport) -> "Figure":
    """Page as a matplotlib figure; draws nothing on any screen, so any thread may do it."""
    from matplotlib.figure import Figure

    page = Figure(figsize=A4_INCHES, facecolor="white")
    right = 1 - MARGIN
    page.text(MARGIN, 0.945, "Quality report", size=20, weight="bold", color=INK, va="top")
    page.text(MARGIN, 0.912, report.name, size=13, color=ACCENT, va="top")
    if report.branch:
        said = f"Branch “{report.branch}” of its results, not the default one"
        page.text(right, 0.912, said, size=8, weight="bold", color=WARNING, ha="right", va="top")
    page.text(MARGIN, 0.891, _shortened(" › ".join(report.path), 100), size=8, color=MUTED, va="top")
    page.text(right, 0.945, f"{report.made.astimezone():%Y-%m-%d %H:%M %Z}", size=8, color=MUTED, ha="right", va="top")
    page.text(right, 0.930, report.software, size=8, color=MUTED, ha="right", va="top")
    if report.images > 0 and report.too_few:
        page.text(MARGIN, 0.606, _too_few_words(report), size=8, weight="bold", color=WARNING, va="top")
    gap = 0.02
    width = (right - MARGIN - 2 * gap) / 3
    for column, (title, facts) in enumerate(_cards(report)):
        _card(page, MARGIN + column * (width + gap), 0.745, width, 0.125, title, facts)
    _card(page, MARGIN, 0.625, right - MARGIN, 0.10, "Image quality", _quality(report), columns=4)
    width = (right - MARGIN - gap) / 2
    for place, summary in enumerate(report.metrics):
        row, column = divmod(place, 2)
        left, bottom = MARGIN + column * (width + gap), 0.360 - row * 0.248
        _histogram(page.add_axes((left + 0.055, bottom + 0.02, width - 0.065, 0.185)), summary)
    _footnote(page, report)
    set_font(page)
    return page


def render(report: QualityReport, form: str) -> bytes:
    """Page as ``"pdf"``, ``"svg"`` or ``"png"``."""
    page = draw_page(report)
    stream = BytesIO()
    about = {"Title": f"Quality report of {report.name}"} if form in ("pdf", "svg") else None
    page.savefig(stream, format=form, dpi=150, metadata=about)
    return stream.getvalue()


def _cards(report: QualityReport) -> list[tuple[str, list[tuple[str, str]]]]:
    def moment(name: str) -> str:
        value = getattr(report, name)
        return f"{value.astimezone():%Y-%m-%d %H:%M}" if value is not None else NOT_KNOWN

    return [
        (
            "Time",
            [
                ("Start", moment("started")),
                ("End", moment("ended")),
                ("Duration", NOT_KNOWN if report.duration_h is None else duration(3600 * report.duration_h)),
            ],
        ),
        (
            "Hardware",
            [
                ("Microscope", _shortened(report.microscope, 26) or NOT_KNOWN),
                ("Camera", _shortened(report.camera, 26) or NOT_KNOWN),
                ("Voltage", _number(report.voltage_kv, 0, "kV")),
                ("Pixel size", _number(report.pixel_size_angstrom, 3, "Å")),
            ],
        ),
        (
            "Acquisition",
            [
                ("Images", count(report.images)),
                ("Complying", _share(report.complying, report.processed)),
                ("Throughput", _rate(report.images_per_h, report.images)),
                ("… complying", _rate(report.complying_per_h, report.complying)),
            ],
        ),
    ]


def _quality(report: QualityReport) -> list[tuple[str, str]]:
    facts = []
    for summary in (*report.metrics, *report.user_metrics[:SHOWN_OF_USERS]):
        value = _number(summary.mean, summary.digits, summary.unit)
        if summary.mean is not None and summary.deviation is not None:
            value = f"{summary.mean:.{summary.digits}f} ± {summary.deviation:.{summary.digits}f}\u2009{summary.unit}"
        facts.append((_shortened(summary.label, 30), value))
    facts[len(report.metrics) : len(report.metrics)] = [
        ("Processed", count(report.processed)),
        ("In error", count(report.failed)),
    ]
    return facts


def _card(
    page: "Figure",
    left: float,
    bottom: float,
    width: float,
    height: float,
    title: str,
    facts: Sequence[tuple[str, str]],
    *,
    columns: int = 1,
) -> None:
    """Box with a title and named values: one below the other, or name above value in several columns."""
    from matplotlib.patches import FancyBboxPatch

    box = FancyBboxPatch(
        (left, bottom),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.006",
        facecolor=SURFACE,
        edgecolor=LINE,
        linewidth=0.8,
        transform=page.transFigure,
    )
    page.add_artist(box)
    page.text(left + 0.012, bottom + height - 0.010, title, size=9.5, weight="bold", color=INK, va="top")
    for place, (name, value) in enumerate(facts):
        if columns == 1:
            y = bottom + height - 0.044 - place * 0.022
            page.text(left + 0.012, y, name, size=8, color=MUTED)
            page.text(left + width - 0.012, y, value, size=8, color=INK, ha="right")
        else:
            row, column = divmod(place, columns)
            x, y = left + 0.012 + column * (width - 0.012) / columns, bottom + height - 0.039 - row * 0.034
            page.text(x, y, name, size=7.5, color=MUTED)
            page.text(x, y - 0.015, value, size=9, color=INK)


def _histogram(axes: "Axes", summary: MetricSummary) -> None:
    """Counts, the normal curve of the population, and lines at mean and median."""
    from matplotlib.ticker import MaxNLocator

    metric = METRICS[summary.metric]
    unit = f" ({metric.unit})" if metric.unit else ""
    axes.set_title(
        f"{metric.label}{unit}, n = {count(summary.count)}", loc="left", size=9.5, weight="bold", color=INK, pad=8
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    axes.tick_params(labelsize=7, colors=MUTED, color=LINE)
    if summary.mean is None or summary.median is None or summary.deviation is None:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.text(0.5, 0.5, NOT_KNOWN, transform=axes.transAxes, ha="center", va="center", size=11, color=MUTED)
        return
    edges = np.array(summary.edges)
    axes.bar(edges[:-1], summary.counts, np.diff(edges), align="edge", color=ACCENT, alpha=0.55, linewidth=0)
    axes.set_ylabel("images", size=7, color=MUTED)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: count(round(value)))
    axes.set_ylim(0, HEADROOM * max(summary.counts))
    if summary.deviation > 0:
        x = np.linspace(edges[0], edges[-1], 200)
        z = (x - summary.mean) / summary.deviation
        scale = summary.count * (edges[1] - edges[0]) / (summary.deviation * math.sqrt(2 * math.pi))
        few = summary.count < FEW_IMAGES
        label, style = ("normal, too few to judge", "dotted") if few else ("normal", "solid")
        axes.plot(x, scale * np.exp(-(z**2) / 2), color=INK, linewidth=1, linestyle=style, label=label)
    axes.axvline(summary.mean, color="#b3541e", linewidth=1.2, label=f"mean {summary.mean:.{metric.digits}f}")
    axes.axvline(
        summary.median,
        color="#3b6fb6",
        linewidth=1.2,
        linestyle="--",
        label=f"median {summary.median:.{metric.digits}f}",
    )
    axes.legend(fontsize=6.5, labelcolor=MUTED, loc="upper right", handlelength=1.6, edgecolor="none", framealpha=0.85)


def _footnote(page: "Figure", report: QualityReport) -> None:
    own = [Metric(one.metric, one.label, one.unit, one.digits) for one in report.user_metrics]
    criteria = " · ".join(rule_words(rule, own) for rule in report.criteria) or "none: every image complies"
    one = report.criteria_named
    named = () if one is None else (f"The criteria are those of the filter {version_words(one)}.",)
    lines = (
        f"Quality criteria: {criteria}",
        *named,
        f"Mean ± standard deviation over processed images. Run {report.run_id}, version {report.version}.",
        f"SHA-256 of the data: {report.data_hash}",
    )
    page.add_artist(_rule(page, 0.083))
    for place, line in enumerate(lines):
        page.text(MARGIN, 0.073 - place * 0.013, _shortened(line, 150), size=6.5, color=MUTED, va="top")


def _rule(page: "Figure", y: float) -> "Line2D":
    from matplotlib.lines import Line2D

    return Line2D([MARGIN, 1 - MARGIN], [y, y], color=LINE, linewidth=0.8, transform=page.transFigure)


def _number(value: float | None, digits: int, unit: str) -> str:
    return NOT_KNOWN if value is None else f"{value:.{digits}f}\u2009{unit}"


def _rate(value: float | None, images: int) -> str:
    """Images an hour, as firmly as so many images tell it; of one or two nothing is told."""
    if value is None or images < FEWEST_FOR_RATE:
        return NOT_KNOWN if value is None else "too few to tell"
    if images >= FEW_IMAGES:
        return f"{count(round(value))}/h, n = {count(images)}"
    return f"≈ {float(f'{value:.1g}' if images < FEW_IMAGES / 3 else f'{value:.2g}'):g}/h, n = {images}"


def _too_few_words(report: QualityReport) -> str:
    number = min(report.images, report.processed)
    images = "image is" if number == 1 else "images are"
    return f"{count(number)} {images} too few to judge rates, shares and distributions by: {FEW_IMAGES} tell more."


def _share(part: int, whole: int) -> str:
    return f"{count(part)} of {count(whole)} ({part / whole:.0%})" if whole else NOT_KNOWN


def _shortened(words: str, length: int) -> str:
    return words if len(words) <= length else f"{words[: length - 1]}…"
