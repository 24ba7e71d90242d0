"""A run's results as files that other programs read: micrographs, thumbnails, tables."""

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

import imagecodecs
import numpy as np

from athena.contract.acquisitions import AcquisitionState
from athena.contract.runs import CryosparcFile
from athena.db.acquisitions import AcquisitionRow
from athena.formats.cryosparc import Exposure
from athena.formats.relion import UNWEIGHTED_SUFFIX
from athena.jobs.content import safe_path
from athena.jobs.transfer import Item
from athena.services.cryosparc import MovieOf, exposures_of, group_file, last_processed
from athena.services.micrographs import mrc_file
from athena.services.relion import STAR_FILES, keeps_unweighted, motion_file, star_files
from athena.zarrio.layout import METRICS
from athena.zarrio.reader import read_table, read_thumbnail

ROWS = 4096
"""Rows of a table read at a time."""


@dataclass(frozen=True)
class Processed:
    """Where a run's results are, and what they were made with.

    Attributes
    ----------
    parameters : of the run.
    gain : path of the gain reference in the export; None without one.
    """

    store: str
    parameters: dict[str, Any]
    gain: str | None


def processed_items(row: AcquisitionRow, found: Processed, movie: str) -> list[Item]:
    """Micrograph, and its unweighted sum where it is kept (MRC, float32), motion as RELION keeps it, thumbnail (PNG).

    None of an acquisition that is not processed.

    Parameters
    ----------
    movie : path of the movie in the export.
    """
    if row.state != AcquisitionState.COMPLETED:
        return []
    place = micrograph_place(row)
    motion = partial(motion_file, row, found.store, found.parameters, movie=movie, gain=found.gain)
    unweighted = keeps_unweighted(row, found.store, found.parameters)
    return [
        Item(f"{place}.mrc", lambda: mrc_file(found.store, row.index, row.name).stream()),
        *(
            [Item(f"{place}{UNWEIGHTED_SUFFIX}.mrc", lambda: mrc_file(found.store, row.index, "", plain=True).stream())]
            if unweighted
            else []
        ),
        Item(f"{place}.star", lambda: [motion().encode()]),
        Item(safe_path(f"processed/thumbnails/{row.name}.png"), partial(_thumbnail, found.store, row.index)),
    ]


def micrograph_place(row: AcquisitionRow) -> str:
    """Path of a micrograph in an export, without suffix."""
    return safe_path(f"processed/micrographs/{row.name}")


def star_items(rows: Sequence[AcquisitionRow], found: Processed) -> list[Item]:
    """The lists of micrographs that RELION reads; paths in them are relative to the export's folder."""

    def text(name: str) -> Iterator[bytes]:
        yield star_files(rows, found.store, found.parameters, place=micrograph_place)[name].encode()

    return [Item(f"processed/{name}", partial(text, name)) for name in STAR_FILES]


def cryosparc_items(
    rows: Sequence[AcquisitionRow], found: Processed, *, title: str, movie_of: MovieOf | None
) -> list[Item]:
    """The groups of exposures that cryoSPARC imports; they lie in the export's folder, and paths lead from there."""

    known: list[Exposure] = []
    reading = Lock()

    def content(name: CryosparcFile) -> Iterator[bytes]:
        with reading:  # once for the four, which are written side by side
            if not known:
                known.extend(
                    exposures_of(rows, found.store, found.parameters, place=micrograph_place, movie_of=movie_of)
                )
        yield group_file(known, name, title=title, created=last_processed(rows))

    return [Item(name.value, partial(content, name)) for name in CryosparcFile]


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
