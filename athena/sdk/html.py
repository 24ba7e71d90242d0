"""How objects show themselves in a notebook: trees, tables and cards of plain HTML.

Nothing is loaded from anywhere (facility networks are closed), no script is used, and every text that people or files
gave is escaped: a dataset named ``<script>…`` is shown by that name.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import DatasetType, Element, ElementKind, Status
from athena.domain.templates import TEMPLATES
from athena.zarrio.layout import Metric

MARKS: dict[str, tuple[str, str, str]] = {
    Status.COMPLETED: ("●", "ok", "completed"),
    Status.IN_PROGRESS: ("◐", "busy", "in progress"),
    Status.WARNING: ("!", "warn", "warning"),
    Status.SUSPENDED: ("‖", "off", "suspended"),
    Status.NOT_STARTED: ("○", "off", "not started"),
    AcquisitionState.PROCESSING: ("◐", "busy", "processing"),
    AcquisitionState.REGISTERED: ("○", "off", "registered"),
    AcquisitionState.AWAITING_MOVIE: ("○", "off", "awaiting movie"),
    AcquisitionState.LEFT_OUT: ("○", "off", "not in this branch"),
    AcquisitionState.ERROR: ("▲", "bad", "error"),
}
"""Shape, colour class and words of each status: never colour alone."""

KIND_LABELS = {
    ElementKind.FOLDER: "Folder",
    ElementKind.WORKFLOW: "Workflow",
    ElementKind.STEP: "Step",
    ElementKind.DATASET: "Dataset",
}

TYPE_LABELS: dict[str, str] = {template: spec.label for template, spec in TEMPLATES.items()} | {
    DatasetType.EPU_RUN: "EPU run",
    DatasetType.TOMO_RUN: "Tomo run",
    DatasetType.CRYOSPARC_LIVE_RUN: "CryoSPARC Live run",
}

STYLE = """<style>
.athena-html{--ok:#369d44;--busy:#4b8dd9;--bad:#cc7435;--warn:#b48e25;--off:#6a737a;--mute:#5b6b79;--line:#d9e0e6;
--accent:#0d8577;font:13px/1.5 Inter,system-ui,sans-serif;font-variant-numeric:tabular-nums;max-width:72em}
[data-jp-theme-light="false"] .athena-html{--ok:#3fb950;--busy:#58a6ff;--bad:#f0883e;--warn:#d4a72c;--off:#7d8790;
--mute:#91a0ad;--line:#2a353f;--accent:#2bb8a8}
.athena-html .box{border:1px solid var(--line);border-radius:6px;padding:8px 16px}
.athena-html .ok{color:var(--ok)}.athena-html .busy{color:var(--busy)}.athena-html .bad{color:var(--bad)}
.athena-html .warn{color:var(--warn)}.athena-html .off{color:var(--off)}.athena-html .mute{color:var(--mute)}
.athena-html .name{font-weight:600;font-size:15px}.athena-html ul{list-style:none;margin:0;padding-left:20px}
.athena-html table{border-collapse:collapse;font:inherit}
.athena-html td,.athena-html th{border-bottom:1px solid var(--line);
padding:2px 12px 2px 0;text-align:left;background:none}.athena-html th{color:var(--mute);font-weight:500}
.athena-html .number{text-align:right}.athena-html .row{display:flex;gap:24px;flex-wrap:wrap;align-items:baseline}
.athena-html img{width:256px;height:256px;image-rendering:pixelated;border-radius:6px;border:1px solid var(--line)}
</style>"""


def page(*parts: str) -> str:
    """Whole representation from finished HTML parts."""
    return f'{STYLE}<div class="athena-html">{"".join(parts)}</div>'


def text(value: object, style: str = "") -> str:
    """A value as escaped text, in a colour class if one is given."""
    safe = escape(str(value))
    return f'<span class="{style}">{safe}</span>' if style else f"<span>{safe}</span>"


def kind_words(element: Element) -> str:
    """What an element is, in words; the type is left out where the name says it already."""
    if element.type in ("", element.name):
        return KIND_LABELS[element.kind]
    words = TYPE_LABELS.get(element.type, element.type)
    return (
        words
        if element.kind is ElementKind.DATASET and words.endswith("run")
        else f"{KIND_LABELS[element.kind]} · {words}"
    )


def mark(status: str, *, label: bool = False) -> str:
    """Coloured shape of a status, with its words on hover (or beside it)."""
    shape, colour, words = MARKS.get(status, ("○", "off", status.replace("_", " ")))
    shown = f"{shape} {escape(words)}" if label else shape
    return f'<span class="{colour}" title="{escape(words)}">{shown}</span>'


def quantity(value: float, unit: str, *, digits: int) -> str:
    """Number, thin space, unit in muted colour."""
    return f"{value:.{digits}f}\u2009{text(unit, 'mute')}" if unit else f"{value:.{digits}f}"


def measured(metric: Metric, value: float) -> str:
    """Label and value of a metric."""
    return f"{text(metric.label, 'mute')} {quantity(value, metric.unit, digits=metric.digits)}"


def card(title: str, kind: str, *rows: str, status: str | None = None) -> str:
    """Box with a name, its kind and rows of finished HTML."""
    name = f"{mark(status)} {text(title, 'name')}" if status else text(title, "name")
    head = [f"<span>{name}</span>", text(kind, "mute")]
    body = "".join(f"<div>{row}</div>" for row in rows if row)
    return f'<div class="box"><div class="row">{"".join(head)}</div>{body}</div>'


def row(*cells: str) -> str:
    """Finished pieces side by side."""
    return f'<div class="row">{"".join(f"<span>{cell}</span>" for cell in cells if cell)}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Table of finished HTML cells under plain text heads."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def branch(label: str, children: Sequence[str] = ()) -> str:
    """One node of a tree: finished label, finished children; open at first, folded by a click."""
    if not children:
        return f"<li>{label}</li>"
    return f"<li><details open><summary>{label}</summary><ul>{''.join(children)}</ul></details></li>"


def tree(branches: Sequence[str]) -> str:
    """A whole tree."""
    return f"<ul>{''.join(branches)}</ul>"


def picture(png: bytes, alt: str) -> str:
    """Image carried in the page itself."""
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{b64encode(png).decode()}">'
