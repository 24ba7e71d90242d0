"""The quality report of a run (EQ-10): what it was worth, from what was recorded and nothing else."""

import hashlib
import math
from datetime import datetime
from importlib.metadata import version
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import Optics
from athena.contract.people import Principal
from athena.contract.report import MetricSummary, QualityReport
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.db.base import now
from athena.db.branches import count_branch
from athena.domain.filters import columns_of, matches
from athena.domain.histogram import distribution
from athena.services.criteria import completed_indices, rules_of
from athena.services.elements import breadcrumb
from athena.services.filter_versions import version_of
from athena.services.guard import get_visible_run
from athena.services.results import find_results, store_of
from athena.services.user_metrics import known_metrics
from athena.settings import Settings
from athena.zarrio.layout import METRICS, Metric
from athena.zarrio.reader import read_table

SUMMARISED = ("astigmatism_nm", "defocus_um", "drift_mean_angstrom", "ctf_resolution_angstrom")
"""Metrics whose distribution the report shows."""


def get_report(
    session: Session, principal: Principal, run_id: UUID, *, settings: Settings, branch: str | None = None
) -> QualityReport:
    """Quality report of a run as it is now."""
    run = get_visible_run(session, principal, run_id)
    results = find_results(session, run, branch)
    *above, element = breadcrumb(session, principal, run_id)
    source = session.get(SourceRow, run_id)
    counts = count_branch(session, results)
    rules = rules_of(session, run_id, settings)
    indices = completed_indices(session, results)
    known = known_metrics(session, run_id)
    own = tuple(name for name in known if name not in METRICS)
    names = tuple(dict.fromkeys((*SUMMARISED, *columns_of(rules), *own)))
    length = int(indices[-1]) + 1 if indices.size else 0
    table = read_table(store_of(results, settings), names, 0, length, also=names)
    complying = int(matches(rules, table, length)[indices].sum())
    acquired = AcquisitionRow.acquired
    started, ended, dated = session.execute(
        select(func.min(acquired), func.max(acquired), func.count(acquired)).where(AcquisitionRow.run_id == run_id)
    ).one()
    hours = _hours(started, ended)
    # n images between the first and the last are n − 1 intervals: n of them would tell few images as too fast
    rate = (dated - 1) / hours if hours else None
    optics = _first_optics(session, run_id)
    return QualityReport(
        run_id=run_id,
        name=element.name,
        path=tuple(crumb.name for crumb in above),
        session=source.session_name if source is not None else "",
        branch="" if results.default else results.name,
        version=run.version,
        made=now(),
        software=f"Athena {version('athena-cryoem')}",
        data_hash=_hash(indices, {name: table[name][indices] for name in names}),
        started=started,
        ended=ended,
        duration_h=hours,
        microscope=optics.microscope,
        camera=optics.camera,
        voltage_kv=optics.voltage_kv,
        pixel_size_angstrom=optics.pixel_size_angstrom,
        images=counts.total,
        processed=counts.completed,
        failed=counts.error,
        complying=complying,
        images_per_h=rate,
        complying_per_h=rate * complying / counts.total if rate is not None and counts.total else None,
        criteria=rules.rules,
        criteria_named=version_of(session, run_id, rules.rules),
        metrics=tuple(_summary(known[name], table[name][indices]) for name in SUMMARISED),
        user_metrics=tuple(_summary(known[name], table[name][indices]) for name in own),
    )


def _summary(metric: Metric, values: NDArray[np.float64]) -> MetricSummary:
    about = MetricSummary(metric=metric.name, label=metric.label, unit=metric.unit, digits=metric.digits, count=0)
    found = distribution(values)
    if not found.total:
        return about
    return about.model_copy(
        update={
            "count": found.total,
            "mean": found.mean,
            "median": found.median,
            "deviation": found.deviation,
            "low": float(np.nanmin(values)),
            "high": float(np.nanmax(values)),
            "edges": tuple(found.edges.tolist()),
            "counts": tuple(found.counts.tolist()),
        }
    )


def _hours(started: datetime | None, ended: datetime | None) -> float | None:
    """Time between the first and the last acquisition, h; None where there are not two."""
    if started is None or ended is None or ended <= started:
        return None
    return (ended - started).total_seconds() / 3600


def _first_optics(session: Session, run_id: UUID) -> Optics:
    row = session.scalar(
        select(AcquisitionRow.optics).where(AcquisitionRow.run_id == run_id).order_by(AcquisitionRow.index).limit(1)
    )
    return Optics.model_validate(row or {})


def _hash(indices: NDArray[np.int64], columns: dict[str, NDArray[np.float64]]) -> str:
    """SHA-256 over names and little-endian values; NaN in one spelling, so that equal numbers hash alike."""
    whole = hashlib.sha256(indices.astype("<i8").tobytes())
    for name in sorted(columns):
        values = columns[name].astype("<f8")
        values[np.isnan(values)] = math.nan
        whole.update(name.encode() + b"\0" + values.tobytes())
    return whole.hexdigest()
