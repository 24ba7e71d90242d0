"""A run's results as files that other programs read: micrographs, thumbnails, tables."""

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from functools import partial

import imagecodecs
import numpy as np

from athena.contract.acquisitions import AcquisitionState
from athena.db.acquisitions import AcquisitionRow
from athena.jobs.content import safe_path
from athena.jobs.transfer import Item
from athena.services.micrographs import mrc_file
from athena.zarrio.layout import METRICS
from athena.zarrio.reader import read_table, read_thumbnail

ROWS = 4096
"""Rows of a table read at a time."""


def processed_items(row: AcquisitionRow, store: str) -> list[Item]:
    """Motion-corrected micrograph (MRC, float32) and thumbnail (PNG) of a processed acquisition."""
    if row.state != AcquisitionState.COMPLETED:
        return []
    return [
        Item(safe_path(f"processed/micrographs/{row.name}.mrc"), lambda: mrc_file(store, row.index, row.name).stream()),
        Item(safe_path(f"processed/thumbnails/{row.name}.png"), partial(_thumbnail, store, row.index)),
    ]


def results_table(
    rows: Sequence[AcquisitionRow], store: str, metrics: Sequence[str] = tuple(METRICS)
) -> Iterator[bytes]:
    """CSV of metrics of acquisitions, one a row, an unknown value empty; Athena's own have the unit in their names."""
    yield _csv(["index", "name", *metrics])
    for some, values in _in_blocks(rows, store, metrics):
        lines = [
            _csv([str(row.index), row.name, *(_shown(values[name][at]) for name in metrics)])
            for at, row in enumerate(some)
        ]
        yield b"".join(lines)


def acquisitions_document(
    rows: Sequence[AcquisitionRow], store: str, *, measured: bool, metrics: Sequence[str] = tuple(METRICS)
) -> Iterator[bytes]:
    """JSON list of acquisitions: what the microscope said of each and, if asked, what was measured on it."""
    yield b"["
    first = True
    for some, values in _in_blocks(rows, store if measured else "", metrics):
        for at, row in enumerate(some):
            told = _acquisition(row)
            if measured:
                told["flags"] = list(row.flags)
                known = {name: float(values[name][at]) for name in metrics}
                told["metrics"] = {name: value for name, value in known.items() if math.isfinite(value)}
            yield (b"\n" if first else b",\n") + json.dumps(told, ensure_ascii=False).encode()
            first = False
    yield b"\n]\n"


def _acquisition(row: AcquisitionRow) -> dict[str, object]:
    return {
        "index": row.index,
        "name": row.name,
        "acquired": row.acquired.isoformat() if row.acquired else None,
        "optics": row.optics,
        "stage": row.stage,
        "grid_square_id": row.grid_square_id,
        "foil_hole_id": row.foil_hole_id,
    }


def _in_blocks(
    rows: Sequence[AcquisitionRow], store: str, metrics: Sequence[str]
) -> Iterator[tuple[Sequence[AcquisitionRow], dict[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"]]]:
    """Acquisitions (in order of index) some at a time, with their metrics where there is a store."""
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        if not store:
            yield some, {}
            continue
        first = some[0].index
        table = read_table(store, metrics, first, some[-1].index + 1, also=metrics)
        at = np.array([row.index - first for row in some])
        yield some, {name: column[at] for name, column in table.items()}


def _csv(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _shown(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else ""


def _thumbnail(store: str, index: int) -> list[bytes]:
    # stored with row 0 at the bottom
    picture = np.ascontiguousarray(read_thumbnail(store, index)[::-1])
    return [bytes(imagecodecs.png_encode(picture, level=1))]
