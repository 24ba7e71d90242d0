"""What a page about an element shows, read in one transaction."""

import math
import threading
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import ElementKind, ElementSort
from athena.contract.neighbours import Shown
from athena.contract.people import Principal
from athena.contract.runs import Run
from athena.contract.visits import Visit, VisitedAcquisition
from athena.db.acquisitions import RunRow
from athena.db.branches import Results
from athena.services.acquisitions import get_acquisition
from athena.services.elements import breadcrumb, get_element, list_children
from athena.services.guard import get_visible_element
from athena.services.neighbours import get_neighbours
from athena.services.results import store_of, visible_results
from athena.services.runs import get_run
from athena.settings import Settings
from athena.zarrio.layout import METRIC_CHUNK, METRICS
from athena.zarrio.reader import read_table

BLOCKS_KEPT = 16
"""Chunks of metrics kept, 1.2 MB each."""


@dataclass(frozen=True)
class Inside:
    """Which page of an element's children, as ``list_children`` takes it."""

    offset: int = 0
    limit: int = 100
    sort: ElementSort | None = None
    descending: bool = False


@dataclass(frozen=True)
class Among:
    """Which acquisition of a run, in which branch of results, and among which others."""

    index: int
    shown: Shown = Shown.ALL
    newest_first: bool = False
    branch: str | None = None


def visit_element(
    session: Session,
    principal: Principal,
    element_id: UUID,
    *,
    settings: Settings,
    inside: Inside = Inside(),
    among: Among | None = None,
) -> Visit:
    """An element the caller may open, with the way to it and its children, or what it is as a run.

    Raises NotFound (also where a run has no such acquisition or branch) or Conflict (being deleted).
    """
    row = get_visible_element(session, principal, element_id)
    way = breadcrumb(session, principal, element_id)
    if row.kind == ElementKind.DATASET and session.get(RunRow, element_id) is not None:
        run = get_run(session, principal, element_id, settings=settings)
        seen = None if among is None else _visit_acquisition(session, principal, run, among, settings=settings)
        return Visit(element=run.element, breadcrumb=way, run=run, acquisition=seen)
    element = get_element(session, principal, element_id)
    if row.kind == ElementKind.DATASET:
        return Visit(element=element, breadcrumb=way)
    children = list_children(
        session,
        principal,
        element_id,
        offset=inside.offset,
        limit=inside.limit,
        sort=inside.sort,
        descending=inside.descending,
    )
    return Visit(element=element, breadcrumb=way, children=children)


def _visit_acquisition(
    session: Session, principal: Principal, run: Run, among: Among, *, settings: Settings
) -> VisitedAcquisition:
    run_id, index = run.element.id, among.index
    acquisition = get_acquisition(session, principal, run_id, index, branch=among.branch)
    metrics: dict[str, float] = {}
    if acquisition.state is AcquisitionState.COMPLETED:
        own = tuple(metric.name for metric in run.user_metrics)
        results = visible_results(session, principal, run_id, among.branch)
        block, row = divmod(index, METRIC_CHUNK)
        table = _block(results, run.version, store_of(results, settings), own, block)
        metrics = {name: float(column[row]) for name, column in table.items() if math.isfinite(column[row])}
    neighbours = get_neighbours(
        session,
        principal,
        run_id,
        index,
        settings=settings,
        shown=among.shown,
        descending=among.newest_first,
        branch=among.branch,
    )
    return VisitedAcquisition(acquisition=acquisition, metrics=metrics, neighbours=neighbours)


@cached(LRUCache(BLOCKS_KEPT), condition=threading.Condition())
def _block(
    results: Results, _version: int, store: Path, own: tuple[str, ...], block: int
) -> dict[str, NDArray[np.float64]]:
    """All metrics of one chunk's acquisitions as they are at a version of the run: one of them costs no less to read,
    and those who follow a run go from one to the next. Several threads share the columns: nobody writes to them.
    """
    start = block * METRIC_CHUNK
    return read_table(store, (*METRICS, *own), start, start + METRIC_CHUNK, also=own)
