"""Reading a run's group: a lazy xarray Dataset for people, plain arrays for the API."""

import asyncio
import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.core.sync import sync
from zarr.storage import LocalStore

from athena.contract.runs import AcquisitionCurves
from athena.errors import Invalid, NotFound
from athena.zarrio import layout
from athena.zarrio.stores import open_store

if TYPE_CHECKING:
    import xarray as xr

FEW = 4
"""Up to this many arrays are opened one after the other: threads would cost more than they save."""
OPENERS = 8
OPEN_ARRAYS = 2048
"""Arrays of local groups that stay open: some hundred runs as their galleries read them, a few kB each."""


def open_results(
    store: Store | str | Path, *, length: int | None = None, also: Sequence[layout.Metric] = ()
) -> "xr.Dataset":
    """A run's results as a Dataset whose values are read when asked for (no Dask).

    Parameters
    ----------
    store : a store, local path or URL of the run's group.
    length : acquisitions of the run. The arrays are longer, since they grow in blocks, or shorter (or not there at all)
        while acquisitions are registered but not processed: what is missing reads as the fill value, and of a run
        without any result only the metrics are given. None: as long as the arrays.

    also : metrics that the run has of its own.

    Returns
    -------
    Variables are the metrics by catalogue name (float64, NaN where not known yet; attributes ``units``, ``long_name``)
    and the arrays of ``layout.ARRAYS``; images have row 0 at the bottom. Coordinates: ``acquisition`` (the index),
    ``curve`` and ``axis`` (names of the rows).

    Raises
    ------
    NotFound : there are no results yet, and ``length`` was not given.
    """
    # xarray costs more than half a second, which readers of plain arrays need not wait for
    import xarray as xr

    from athena.zarrio.lazy import lazy_variable

    source = open_store(store, read_only=True) if isinstance(store, str | Path) else store
    metrics = layout.METRICS | {metric.name: metric for metric in also}
    paths = {name: layout.metric_path(name) for name in metrics} | {path: path for path in layout.ARRAYS}
    arrays = _open_all(source, tuple(paths.values()))
    found = {name: arrays[path] for name, path in paths.items() if path in arrays}
    if not found and length is None:
        raise NotFound("This run has no results yet.", hint="They appear once its first movie is processed.")
    if length is None:
        length = min(array.shape[0] for array in found.values())
    variables: dict[str, Any] = {
        name: lazy_variable(array, dims=_dims(name), length=length, remember=name in metrics)
        for name, array in found.items()
    }
    for name, metric in metrics.items():
        if name not in found:
            about = {"units": metric.unit, "long_name": metric.label} if name not in layout.METRICS else {}
            variables[name] = ("acquisition", np.full(length, np.nan), about)
    coordinates = {
        "acquisition": np.arange(length),
        "curve": list(layout.CTF_CURVES),
        "axis": list(layout.AXES),
    }
    return xr.Dataset(variables, coords=coordinates)


def read_table(
    url: str | Path, names: Sequence[str], start: int, stop: int, *, also: Collection[str] = ()
) -> dict[str, NDArray[np.float64]]:
    """Metric columns of the acquisitions start ≤ index < stop: always stop − start values, NaN where not known yet.

    ``also`` : metrics that the run has of its own.

    Raises
    ------
    Invalid : a name is not a metric.
    """
    if unknown := [name for name in names if name not in layout.METRICS and name not in also]:
        raise Invalid(f"There is no metric {', '.join(unknown)}.", hint=f"Known: {', '.join(layout.METRICS)}.")
    table = {name: np.full(max(0, stop - start), np.nan) for name in names}
    arrays = _open_all(open_store(url, read_only=True), tuple(map(layout.metric_path, names)))
    there = {
        name: array
        for name in names
        if (array := arrays.get(layout.metric_path(name))) is not None and array.shape[0] > start
    }
    found = _read_all([(array, slice(start, min(stop, array.shape[0]))) for array in there.values()])
    for name, values in zip(there, found, strict=True):
        table[name][: values.size] = values
    return table


def read_curves(url: str | Path, indices: Sequence[int]) -> list[AcquisitionCurves]:
    """CTF curves and motion of some acquisitions, in the order asked; empty where there is nothing yet."""
    arrays = _open_all(open_store(url, read_only=True), ("ctf_curves", "motion_global", "motion"))
    wanted = [(path, index) for index in indices for path, array in arrays.items() if 0 <= index < array.shape[0]]
    found = _read_all([(arrays[path], index) for path, index in wanted])
    rows = {place: row for place, row in zip(wanted, found, strict=True) if np.isfinite(row).any()}
    return [_curves({path: rows.get((path, index)) for path in arrays}, index) for index in indices]


def read_micrograph(store: Store | str | Path, index: int) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
    """What was measured on an acquisition, as user metrics get it: known metrics by name, and the arrays of
    ``athena.sandbox.micrograph.Micrograph`` that are there.
    """
    paths = {name: layout.metric_path(name) for name in layout.METRICS} | {path: path for path in layout.ARRAYS}
    source = open_store(store, read_only=True) if isinstance(store, str | Path) else store
    found = _open_all(source, tuple(paths.values()))
    numbers = {name: _row(found, paths[name], index) for name in layout.METRICS}
    arrays: dict[str, NDArray[Any]] = {}
    curves, trajectory, field = (_row(found, path, index) for path in ("ctf_curves", "motion_global", "motion"))
    if curves is not None:
        arrays |= dict(zip(layout.CTF_CURVES, curves, strict=True))
    if trajectory is not None:
        arrays["motion"] = trajectory[np.isfinite(trajectory).all(axis=1)]
    if field is not None:
        known = np.isfinite(field).all(axis=3)
        arrays["patch_motion"] = field[known[:, 0, 0]][:, known[0, :, 0]][:, :, known[0, 0, :]]
    for path in ("thumbnail", "spectrum"):
        if (picture := _row(found, path, index)) is not None:
            arrays[path] = picture
    return {name: float(value) for name, value in numbers.items() if value is not None}, arrays


def read_motion(url: str | Path, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Motion of an acquisition, Å, (x, y): global (frames, 2), and (frames, patches_y, patches_x, 2) or None.

    Raises
    ------
    NotFound : there is none yet.
    """
    arrays = _open_all(open_store(url, read_only=True), ("motion_global", "motion"))
    whole, field = _row(arrays, "motion_global", index), _row(arrays, "motion", index)
    if whole is None:
        raise NotFound(f"There is no motion of acquisition {index} yet.")
    frames = int(np.isfinite(whole).all(axis=1).sum())
    if field is None:
        return whole[:frames].astype(np.float64), None
    known = np.isfinite(field).all(axis=3)
    rows, columns = int(known[0, :, 0].sum()), int(known[0, 0, :].sum())
    return whole[:frames].astype(np.float64), field[:frames, :rows, :columns].astype(np.float64)


def read_thumbnail(url: str | Path, index: int) -> NDArray[np.uint8]:
    """Thumbnail of an acquisition, (THUMBNAIL_SIZE, THUMBNAIL_SIZE) uint8, row 0 at the bottom: turn over to show.

    Raises
    ------
    NotFound : there is none yet.
    """
    return _read_picture(url, "thumbnail", index)


def read_spectrum(url: str | Path, index: int, fit: bool = False) -> NDArray[np.uint8]:
    """Power spectrum of an acquisition (``fit``: half of it the fitted CTF), uint8, row 0 at the bottom.

    Raises
    ------
    NotFound : there is none yet.
    """
    return _read_picture(url, "spectrum_fit" if fit else "spectrum", index)


def _read_picture(url: str | Path, path: str, index: int) -> NDArray[np.uint8]:
    array = _open_all(open_store(url, read_only=True), (path,)).get(path)
    if array is not None and 0 <= index < array.shape[0]:
        picture = np.asarray(array[index], dtype=np.uint8)
        if picture.any():  # all zero is the fill value: not written yet
            return picture
    raise NotFound(f"There is no {path} of acquisition {index} yet.")


def _dims(name: str) -> tuple[str, ...]:
    return layout.ARRAYS[name].dims if name in layout.ARRAYS else ("acquisition",)


def _curves(rows: Mapping[str, NDArray[Any] | None], index: int) -> AcquisitionCurves:
    fields: dict[str, Any] = {}
    curves = rows.get("ctf_curves")
    if curves is not None:
        for name, row in zip(layout.CTF_CURVES, curves, strict=True):
            fields[name] = tuple(float(value) if np.isfinite(value) else None for value in row)
    trajectory = rows.get("motion_global")
    if trajectory is not None:
        known = trajectory[np.isfinite(trajectory).all(axis=1)]
        fields["global_motion"] = tuple((float(x), float(y)) for x, y in known)
    field = rows.get("motion")
    if field is not None:
        fields |= _patches(field)
    return AcquisitionCurves(index=index, **fields)


def _patches(field: NDArray[Any]) -> dict[str, Any]:
    """Patch trajectories and centres. The grid may be smaller than the array's room for it, padded with NaN."""
    known = np.isfinite(field).all(axis=3)
    frames = int(known[:, 0, 0].sum())
    rows = int(known[0, :, 0].sum())
    columns = int(known[0, 0, :].sum())
    return {
        "patch_motion": tuple(
            tuple((float(x), float(y)) for x, y in field[:frames, row, column])
            for row in range(rows)
            for column in range(columns)
        ),
        "patch_centres": tuple(
            ((column + 0.5) / columns, (row + 0.5) / rows) for row in range(rows) for column in range(columns)
        ),
    }


def _row(arrays: dict[str, zarr.Array[Any]], path: str, index: int) -> NDArray[Any] | None:
    """Values of one acquisition, None when there are none."""
    array = arrays.get(path)
    if array is None or not 0 <= index < array.shape[0]:
        return None
    values = np.asarray(array[index])
    return values if np.isfinite(values).any() else None


def _read_all(wanted: Sequence[tuple[zarr.Array[Any], Any]]) -> list[NDArray[Any]]:
    """Selections of several arrays, read side by side: one after the other, each would hand over to zarr's thread."""

    async def read() -> list[Any]:
        return await asyncio.gather(*(array.async_array.getitem(selection) for array, selection in wanted))

    return [np.asarray(values) for values in sync(read())] if wanted else []


def _open_all(store: Store, paths: tuple[str, ...]) -> dict[str, zarr.Array[Any]]:
    """Open many arrays at once (over HTTP one after the other would take seconds); those not there are left out."""
    opened: Iterable[zarr.Array[Any] | None]
    if isinstance(store, LocalStore):
        opened = [_open_local(store.root, path) for path in paths]
    elif len(paths) > FEW:
        with ThreadPoolExecutor(max_workers=OPENERS) as pool:
            opened = list(pool.map(functools.partial(_open, store), paths))
    else:
        opened = [_open(store, path) for path in paths]
    return {path: array for path, array in zip(paths, opened, strict=True) if array is not None}


def _open(store: Store, path: str) -> zarr.Array[Any] | None:
    try:
        return zarr.open_array(store, path=path, mode="r", zarr_format=3)
    except FileNotFoundError:
        return None


def _open_local(root: Path, path: str) -> zarr.Array[Any] | None:
    """Open an array of a local group; one whose description is the file it was is open already."""
    try:
        about = (root / path / "zarr.json").stat()
    except FileNotFoundError:
        return None
    return _open_as_described(root, path, (about.st_ino, about.st_mtime_ns, about.st_size))


@functools.lru_cache(maxsize=OPEN_ARRAYS)
def _open_as_described(root: Path, path: str, _description: tuple[int, int, int]) -> zarr.Array[Any] | None:
    return _open(LocalStore(root, read_only=True), path)
