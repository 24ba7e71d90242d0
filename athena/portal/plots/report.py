"""The quality report of a run, drawn once for each state of its numbers (EQ-10)."""

import threading
from dataclasses import dataclass
from datetime import datetime

from athena.contract.report import QualityReport
from athena.sdk.report_page import render

KEPT = 16
"""Drawings remembered, for all sessions of the process: two tabs on one run share one."""


@dataclass(frozen=True)
class DrawnReport:
    """The page as SVG and PDF, and when its numbers were first read."""

    svg: bytes
    pdf: bytes
    made: datetime


_drawings: dict[str, DrawnReport] = {}
_lock = threading.Lock()


def draw_report(report: QualityReport) -> DrawnReport:
    """Draw a report, or give the drawing of one with the same numbers; takes about a second, so in a thread."""
    numbers = report.model_dump_json(exclude={"made"})
    with _lock:
        known = _drawings.get(numbers)
    if known is not None:
        return known
    drawn = DrawnReport(render(report, "svg"), render(report, "pdf"), report.made)
    with _lock:
        while len(_drawings) >= KEPT:
            del _drawings[next(iter(_drawings))]
        _drawings[numbers] = drawn
    return drawn
