"""Columns of user metrics in a run's group: beside the built-in ones, made when they are first needed.

Their one writer is the job that computes them. A column carries the hash of the source it was computed by; one of
another source is made anew.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from athena.zarrio import layout
from athena.zarrio.stores import open_store


def write_user_metric(
    url: str | Path, metric: layout.Metric, sha256: str, indices: Sequence[int], values: Sequence[float]
) -> None:
    """Set a user metric of some acquisitions (NaN: none)."""
    where = np.asarray(indices, dtype=np.int64)
    length = -(-(int(where.max()) + 1) // layout.BLOCK) * layout.BLOCK
    array = _current(url, metric.name, sha256)
    if array is None:
        array = zarr.create_array(
            open_store(url),
            name=layout.metric_path(metric.name),
            shape=(length,),
            chunks=(layout.METRIC_CHUNK,),
            dtype=np.float64,
            fill_value=np.nan,
            dimension_names=("acquisition",),
            attributes={"units": metric.unit, "long_name": metric.label, "sha256": sha256},
            overwrite=True,
        )
    if array.shape[0] < length:
        array.resize((length,))
    first, last = int(where.min()), int(where.max())
    column = np.asarray(array[first : last + 1], dtype=np.float64)
    column[where - first] = np.asarray(values, dtype=np.float64)
    array[first : last + 1] = column


def read_user_metric(url: str | Path, name: str, sha256: str, length: int) -> NDArray[np.float64]:
    """Values computed by this source, (length,); NaN where there are none."""
    values = np.full(length, np.nan)
    array = _current(url, name, sha256)
    if array is not None:
        known = np.asarray(array[: min(length, array.shape[0])])
        values[: known.size] = known
    return values


def _current(url: str | Path, name: str, sha256: str) -> zarr.Array[Any] | None:
    try:
        array = zarr.open_array(open_store(url), path=layout.metric_path(name), mode="r+", zarr_format=3)
    except FileNotFoundError:
        return None
    return array if array.attrs.get("sha256") == sha256 else None
