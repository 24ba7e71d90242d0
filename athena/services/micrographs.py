"""Corrected micrographs as MRC files, made while they are read: what is kept is an OME-Zarr image."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from athena.contract.people import Principal
from athena.contract.processing import NO_DOSE_WEIGHTING
from athena.contract.runs import MrcMode
from athena.db.acquisitions import AcquisitionRow
from athena.db.branches import BranchAcquisitionRow
from athena.errors import Invalid, NotFound
from athena.formats.mrc import HEADER_BYTES, Statistics, mrc_header
from athena.formats.relion import UNWEIGHTED_SUFFIX
from athena.services.results import store_of, visible_results
from athena.settings import Settings
from athena.storages.keys import safe_name
from athena.zarrio.layout import TILE
from athena.zarrio.pyramid import has_plain, image_statistics, open_level


@dataclass(frozen=True)
class MrcFile:
    """A micrograph as an MRC file that is made while it is read: always the same bytes, any part of them.

    Rows are in MRC order (the first is the bottom one), which is how RELION and IMOD take them.

    Attributes
    ----------
    name : of the file.
    tag : names the content.
    size : bytes.
    """

    name: str
    tag: str
    size: int
    _header: bytes
    _store: Path | str
    _index: int
    _dtype: np.dtype[np.floating]
    _shape: tuple[int, int]
    _plain: bool = False

    def stream(self, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes from ``start`` to ``stop`` (not included), a band of rows at a time."""
        stop = self.size if stop is None else min(stop, self.size)
        if start < HEADER_BYTES:
            yield self._header[start : min(stop, HEADER_BYTES)]
        height, width = self._shape
        band = TILE * width * self._dtype.itemsize  # chunks are read whole anyway
        level = open_level(self._store, self._index, plain=self._plain)
        for first in range(max(0, start - HEADER_BYTES) // band, -(-(stop - HEADER_BYTES) // band)):
            rows = np.asarray(level[first * TILE : min(height, (first + 1) * TILE)]).astype(self._dtype)
            begin = HEADER_BYTES + first * band
            yield rows.tobytes()[max(0, start - begin) : stop - begin]


def micrograph_mrc(
    session: Session,
    principal: Principal,
    run_id: UUID,
    index: int,
    *,
    settings: Settings,
    mode: MrcMode = MrcMode.FLOAT32,
    weighted: bool | None = None,
    branch: str | None = None,
) -> MrcFile:
    """The micrograph of an acquisition as an MRC file.

    Parameters
    ----------
    mode : of MRC; ``HALF`` only where the micrograph is kept so.
    weighted : by exposure or not; None: whichever is kept.

    Raises
    ------
    NotFound : there is no such acquisition or no micrograph of it (yet), or its other sum is not kept.
    Invalid : half precision would lose something of it.
    """
    results = visible_results(session, principal, run_id, branch)
    row = session.get(AcquisitionRow, (run_id, index))
    if row is None:
        raise NotFound(f"Run {run_id} has no acquisition {index}.")
    found = row if results.default else session.get(BranchAcquisitionRow, (run_id, results.number, index))
    plain = found is not None and NO_DOSE_WEIGHTING in found.flags
    store = store_of(results, settings)
    if weighted and plain:
        raise NotFound(f"Of {row.name} only the plain sum is there, not the weighted: its dose is not known.")
    beside = weighted is False and not plain
    if beside and not has_plain(store, index):
        raise NotFound(
            f"Of {row.name} only the weighted sum is there, not the plain: it was processed without keep_unweighted.",
            hint="Process it into a branch with keep_unweighted=True.",
        )
    return mrc_file(store, index, row.name, mode=mode, plain=beside)


def mrc_file(
    store: Path | str, index: int, name: str, *, mode: MrcMode = MrcMode.FLOAT32, plain: bool = False
) -> MrcFile:
    """As ``micrograph_mrc``, for callers past their guard; ``plain``: the unweighted sum that is kept beside it."""
    about = image_statistics(store, index, plain=plain)
    level = open_level(store, index, plain=plain)
    if mode is MrcMode.HALF and level.dtype != np.float16:
        raise Invalid(f"Half precision would lose grey values of {name}: it is kept in single.", hint="Ask for mode 2.")
    dtype = np.dtype("<f2" if mode is MrcMode.HALF else "<f4")
    height, width = level.shape
    header = mrc_header(
        (height, width),
        mode=mode.value,
        pixel_size_angstrom=about.pixel_size_angstrom,
        statistics=Statistics(about.lowest, about.highest, about.mean, about.sigma),
    )
    return MrcFile(
        name=f"{safe_name(name)}{UNWEIGHTED_SUFFIX if plain else ''}.mrc",
        tag=f"{about.content_hash}-{mode.value}",
        size=HEADER_BYTES + height * width * dtype.itemsize,
        _header=header,
        _store=store,
        _index=index,
        _dtype=dtype,
        _shape=(height, width),
        _plain=plain,
    )
