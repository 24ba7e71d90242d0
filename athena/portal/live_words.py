"""What is to be said of a run that is acquired now: how fast it is, and what is wrong with it (WS-19)."""

from datetime import datetime
from typing import Any

from athena.contract.live_runs import LiveRun
from athena.domain.readable import count, duration
from athena.portal.place import Place
from athena.sdk.filters import rule_words

STALE_SECONDS = 60.0
"""A followed folder that was not looked at for this long is said to be neglected."""
SILENT_SECONDS = 300.0
"""No new image for this long is said at the earliest,"""
SILENT_INTERVALS = 6.0
"""and for this many times the usual time between two."""
POOR_SHARE = 0.2
"""A rule that this share of the latest micrographs fails is named."""
MANY_WAITING = 20
"""Acquisitions that wait to be processed, from which on that is said."""


def live_item(run: LiveRun, *, now: datetime, base_url: str) -> dict[str, Any]:
    """A run as the dashboard takes it."""
    run_id, shown = run.element.id, run.shown_index
    return {
        "name": run.element.name,
        "search": Place(run_id).search,
        "way": [{"name": crumb.name} for crumb in run.breadcrumb[:-1]],
        "total": run.counts.total,
        "completed": run.counts.completed,
        "rate": count(round(run.rate_per_h)) if run.rate_per_h is not None else "",
        "last_name": run.last_name,
        "last_search": Place(run_id, index=run.last_index).search if run.last_index is not None else "",
        "last_time": run.last_registered.isoformat() if run.last_registered is not None else "",
        "picture": f"{base_url}runs/{run_id}/acquisitions/{shown}/thumbnail.png" if shown is not None else "",
        "concerns": concerns(run, now=now),
    }


def concerns(run: LiveRun, *, now: datetime) -> list[dict[str, str]]:
    """What is wrong, the worst first: ``{level: error | warning, text}``."""
    bad: list[str] = []
    doubtful: list[str] = []
    scanned = _age(run.last_scan, now)
    if scanned is None or scanned > STALE_SECONDS:
        since = "yet" if scanned is None else f"for {duration(scanned)}"
        bad.append(f"Its folder was not looked at {since}: no runner works on it.")
    silent = _age(run.last_registered, now)
    if silent is not None and silent > max(SILENT_SECONDS, SILENT_INTERVALS * (run.usual_interval_s or 0)):
        bad.append(f"No new image for {duration(silent)}.")
    if run.last_index is None:
        doubtful.append(run.message or "No image yet.")
    for failed in run.failures:
        if failed.failing >= POOR_SHARE * run.judged:
            doubtful.append(
                f"{failed.failing} of the last {run.judged} fail {rule_words(failed.rule, run.user_metrics)}."
            )
    if run.latest_failed:
        doubtful.append(f"{run.latest_failed} of the last {run.latest} could not be processed.")
    waiting = run.counts.registered + run.counts.processing
    if waiting >= MANY_WAITING:
        doubtful.append(f"{count(waiting)} wait to be processed.")
    return [
        {"level": level, "text": text} for level, texts in (("error", bad), ("warning", doubtful)) for text in texts
    ]


def _age(time: datetime | None, now: datetime) -> float | None:
    return None if time is None else (now - time).total_seconds()
