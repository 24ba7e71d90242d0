"""A zarr array as a lazy xarray variable, without Dask."""

from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing


class _FittedArray(BackendArray):  # type: ignore[misc]
    """A zarr array made ``length`` rows long, read when indexed (xarray's protocol for backends).

    A longer array is cut; rows beyond a shorter one read as its fill value.
    """

    def __init__(self, array: zarr.Array[Any], length: int) -> None:
        self._array = array
        self.shape = (length, *array.shape[1:])
        self.dtype = array.dtype

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        # Made absolute here: a negative or open end would otherwise count from the end of the stored array.
        rows, *inner = (_absolute(part, size) for part, size in zip(key, self.shape, strict=True))
        there = self._array.shape[0]
        if self.shape[0] <= there:
            return self._stored(rows, *inner)
        wanted = np.atleast_1d(np.arange(self.shape[0])[rows])
        known = wanted < there
        values = self._filled(wanted.size, inner)
        if known.any():
            values[known] = self._stored(wanted[known], *inner)
        return values[0] if isinstance(rows, int) else values

    def _stored(self, *key: Any) -> NDArray[Any]:
        if any(isinstance(part, np.ndarray) for part in key):
            return np.asarray(self._array.oindex[key])
        return np.asarray(self._array[key])

    def _filled(self, rows: int, inner: list[Any]) -> NDArray[Any]:
        """``rows`` rows of fill value, indexed like the stored ones, axis by axis from the last."""
        values = np.broadcast_to(np.asarray(self._array.fill_value, dtype=self.dtype), (rows, *self.shape[1:]))
        for axis in range(len(inner), 0, -1):
            values = values[(slice(None),) * axis + (inner[axis - 1],)]
        return values.copy()


def _absolute(part: Any, size: int) -> Any:
    """A slice or index of xarray's as zarr takes it: from 0 to ``size``, integers not negative."""
    if isinstance(part, slice):
        start, stop, step = part.indices(size)
        if step > 0:
            return slice(start, stop, step)
        return np.arange(start, stop, step)  # zarr has no slices that run backwards
    numbers = np.asarray(part)
    absolute = np.where(numbers < 0, numbers + size, numbers)
    return int(absolute) if numbers.ndim == 0 else absolute


def lazy_variable(array: zarr.Array[Any], *, dims: tuple[str, ...], length: int, remember: bool) -> xr.Variable:
    """Variable of ``length`` rows of ``array``, with its attributes.

    Parameters
    ----------
    dims : names of the dimensions.
    remember : keep values once read (small columns); else every access reads again (images).
    """
    data: Any = indexing.LazilyIndexedArray(_FittedArray(array, length))
    if remember:
        data = indexing.CopyOnWriteArray(indexing.MemoryCachedArray(data))
    return xr.Variable(dims, data, attrs=dict(array.attrs))
