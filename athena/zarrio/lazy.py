"""A zarr array as a lazy xarray variable, without Dask."""

from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing


class _TrimmedArray(BackendArray):  # type: ignore[misc]
    """The first ``length`` rows of a zarr array, read when indexed (xarray's protocol for backends)."""

    def __init__(self, array: zarr.Array[Any], length: int) -> None:
        self._array = array
        self.shape = (length, *array.shape[1:])
        self.dtype = array.dtype

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        # Made absolute here: a negative or open end would otherwise count from the end of the longer stored array.
        absolute = tuple(_absolute(part, size) for part, size in zip(key, self.shape, strict=True))
        if any(isinstance(part, np.ndarray) for part in absolute):
            return np.asarray(self._array.oindex[absolute])
        return np.asarray(self._array[absolute])


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
    """Variable of the first ``length`` rows of ``array``, with its attributes.

    Parameters
    ----------
    dims : names of the dimensions.
    remember : keep values once read (small columns); else every access reads again (images).
    """
    data: Any = indexing.LazilyIndexedArray(_TrimmedArray(array, length))
    if remember:
        data = indexing.CopyOnWriteArray(indexing.MemoryCachedArray(data))
    return xr.Variable(dims, data, attrs=dict(array.attrs))
