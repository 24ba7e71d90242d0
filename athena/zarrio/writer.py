"""Writing a run's group: workers write the images of their own acquisition, the collector writes everything else.

Crash safety rests on three habits. The group appears whole, by one rename. Every chunk and every ``zarr.json`` is
written beside and renamed (zarr's ``LocalStore``). Growth resizes all arrays first and says so in the group's
``length`` last, so a reader or a restarted writer that trusts it never sees an array that is too short.
"""

import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import zarr
from numpy.typing import ArrayLike, NDArray
from zarr.abc.store import Store
from zarr.codecs import BloscCodec, BloscShuffle

from athena.contract.processing import MovieResult
from athena.errors import Invalid, NotFound
from athena.zarrio import layout
from athena.zarrio.stores import PARTIAL, exclusive, local_path, open_store, put_in_place

VERSION = 1
"""Of the layout, kept in the group's attributes."""


def _codec(dtype: np.dtype[Any]) -> BloscCodec:
    # Shuffle gains nothing on single bytes; level 1 is within 2 % of level 5 in size here and three times faster.
    shuffle = BloscShuffle.noshuffle if dtype.itemsize == 1 else BloscShuffle.shuffle
    return BloscCodec(cname="zstd", clevel=1, shuffle=shuffle)


def _blocks(length: int) -> int:
    """Length rounded up to whole blocks, at least one."""
    return max(1, -(-length // layout.BLOCK)) * layout.BLOCK


class RunWriter:
    """A run's zarr group, open for writing.

    Use :meth:`create` (which makes the group if it is not there) or :meth:`open`.
    """

    def __init__(self, url: str | Path, group: zarr.Group) -> None:
        self.url = url
        self._group = group
        self._arrays: dict[str, zarr.Array[Any]] = {}

    @classmethod
    def create(cls, url: str | Path, *, frames: int, patches: tuple[int, int] = (5, 5)) -> Self:
        """Open the run's group, making it if it is not there; any number of processes may do so at once.

        Parameters
        ----------
        url : local folder or URL of the group.
        frames : frames of a movie; the group is widened if it is there with fewer.
        patches : (patches_y, patches_x) of the local motion.
        """
        path = local_path(url)
        if path is None:
            # Object storage has no rename: the group's attributes, written last, make it whole.
            if "athena" not in zarr.open_group(open_store(url), mode="a", zarr_format=3).attrs:
                _make_group(open_store(url), frames=frames, patches=patches)
        elif not (path / "zarr.json").is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}{PARTIAL}")
            try:
                _make_group(open_store(partial), frames=frames, patches=patches)
                put_in_place(partial, path)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)
                raise
        writer = cls.open(url)
        writer.ensure_frames(frames)
        return writer

    @classmethod
    def open(cls, url: str | Path) -> Self:
        """Open a group that is there.

        Raises
        ------
        NotFound : there is none.
        """
        missing = NotFound("There are no results of this run yet.", hint="They appear once its first movie is begun.")
        path = local_path(url)
        if path is not None and not (path / "zarr.json").is_file():  # zarr would make an empty folder of it
            raise missing
        try:
            return cls(url, zarr.open_group(open_store(url), mode="r+", zarr_format=3))
        except FileNotFoundError as none:
            raise missing from none

    @property
    def length(self) -> int:
        """Acquisitions that every array has room for (a multiple of ``layout.BLOCK``)."""
        return int(_about(self._group)["length"])

    @property
    def frames(self) -> int:
        """Frames that the motion arrays have room for."""
        return int(_about(self._group)["frames"])

    @property
    def patches(self) -> tuple[int, int]:
        """(patches_y, patches_x) that the motion array has room for."""
        y, x = _about(self._group)["patches"]
        return int(y), int(x)

    def ensure_length(self, length: int) -> None:
        """Make room for ``length`` acquisitions, in whole blocks. Never shrinks."""
        if length > self.length:
            self._grow(length=_blocks(length))

    def ensure_frames(self, frames: int) -> None:
        """Make room for movies of ``frames`` frames. Never shrinks."""
        if frames > self.frames:
            self._grow(frames=frames)

    def ensure_patches(self, patches: tuple[int, int]) -> None:
        """Make room for a grid of ``patches`` (y, x). Never shrinks."""
        if patches[0] > self.patches[0] or patches[1] > self.patches[1]:
            self._grow(patches=patches)

    def write_images(
        self,
        index: int,
        *,
        thumbnail: NDArray[np.uint8] | None = None,
        spectrum: NDArray[np.uint8] | None = None,
        spectrum_fit: NDArray[np.uint8] | None = None,
    ) -> None:
        """Write an acquisition's small pictures (MRC row order), each one chunk of its own.

        Workers call this side by side; it touches nothing but the chunks of ``index``.
        """
        for path, image in (("thumbnail", thumbnail), ("spectrum", spectrum), ("spectrum_fit", spectrum_fit)):
            if image is None:
                continue
            array = self._array_with_room(path, index)
            if image.shape != array.shape[1:]:
                raise Invalid(f"A {path} is {array.shape[1:]} px, not {image.shape}.")
            array[index] = np.asarray(image, dtype=np.uint8)

    def write_results(self, results: Sequence[MovieResult]) -> None:
        """Write curves, motion and metrics of finished movies. The collector only."""
        if not results:
            return
        self.ensure_length(max(r.index for r in results) + 1)
        self.ensure_frames(max(r.frames for r in results))
        self.ensure_patches((max(r.patch_grid[0] for r in results), max(r.patch_grid[1] for r in results)))
        for result in results:
            self._write_curves(result)
        names = sorted({name for r in results for name in r.metrics})
        for name in names:
            having = [r for r in results if name in r.metrics]
            self.write_metrics([r.index for r in having], {name: [r.metrics[name] for r in having]})

    def write_metrics(self, indices: Sequence[int], columns: Mapping[str, ArrayLike]) -> None:
        """Set metrics of some acquisitions: one value an index in every column. The collector only.

        Raises
        ------
        Invalid : a name is not in the catalogue, or a column has not one value an index.
        """
        if not indices:
            return
        where = np.asarray(indices, dtype=np.int64)
        first, last = int(where.min()), int(where.max())
        self.ensure_length(last + 1)
        for name, values in columns.items():
            if name not in layout.METRICS:
                raise Invalid(f"{name!r} is not a metric.", hint="Add it to the catalogue in athena.zarrio.layout.")
            numbers = np.asarray(values, dtype=np.float64)
            if numbers.shape != where.shape:
                raise Invalid(f"{name}: {numbers.size} values for {where.size} acquisitions.")
            if layout.metric_path(name) not in self._arrays and layout.metric_path(name) not in self._group:
                self._grow()
            array = self._array_with_room(layout.metric_path(name), last)
            column = np.asarray(array[first : last + 1], dtype=np.float64)
            column[where - first] = numbers
            array[first : last + 1] = column

    def _write_curves(self, result: MovieResult) -> None:
        index = result.index
        patches_y, patches_x = result.patch_grid
        whole = np.asarray(result.global_motion, dtype=np.float32)
        local = np.asarray(result.patch_motion, dtype=np.float32)
        if whole.size != result.frames * 2 or (local.size and local.size != result.frames * patches_y * patches_x * 2):
            raise Invalid(f"Motion of acquisition {index} does not fit {result.frames} frames × {result.patch_grid}.")
        room_y, room_x = self.patches
        trajectory = np.full((self.frames, 2), np.nan, dtype=np.float32)
        trajectory[: result.frames] = whole.reshape(result.frames, 2)
        self._array_with_room("motion_global", index)[index] = trajectory
        field = np.full((self.frames, room_y, room_x, 2), np.nan, dtype=np.float32)
        if local.size:
            field[: result.frames, :patches_y, :patches_x] = local.reshape(result.frames, patches_y, patches_x, 2)
        self._array_with_room("motion", index)[index] = field
        curves = np.asarray(result.ctf_curves, dtype=np.float32)
        if curves.size:
            array = self._array_with_room("ctf_curves", index)
            if curves.shape != array.shape[1:]:
                raise Invalid(f"CTF curves of acquisition {index} are {curves.shape}, not {array.shape[1:]}.")
            array[index] = curves

    def _array_with_room(self, path: str, index: int) -> zarr.Array[Any]:
        """Array that has room at ``index``; read again once, since another process may have grown it."""
        array = self._arrays.get(path)
        if array is None or index >= array.shape[0]:
            array = self._arrays[path] = _open_array(self._group, path)
        if not 0 <= index < array.shape[0]:
            raise Invalid(f"Acquisition {index} has no room yet in {path} (length {array.shape[0]}).")
        return array

    def _grow(
        self, *, length: int | None = None, frames: int | None = None, patches: tuple[int, int] | None = None
    ) -> None:
        # The lock keeps a collector that lost its lease in mid-growth from putting a smaller shape over a larger one.
        with exclusive(local_path(self.url)):
            group = zarr.open_group(self._group.store, mode="r+", zarr_format=3)
            about = _about(group)
            length = max(int(about["length"]), length or 0)
            frames = max(int(about["frames"]), frames or 0)
            room_y, room_x = (max(int(a), b) for a, b in zip(about["patches"], patches or (0, 0), strict=True))
            _make_metrics(group, length)  # those that came into the catalogue since the group was made
            for path, shape in _shapes(length, frames=frames, patches=(room_y, room_x)).items():
                array = _open_array(group, path)
                if array.shape != shape:
                    array.resize(shape)
            group.update_attributes({"athena": about | _sizes(length, frames, (room_y, room_x))})
        self._group = group
        self._arrays.clear()


def _about(group: zarr.Group) -> dict[str, Any]:
    about = group.attrs.get("athena")
    if not isinstance(about, dict):
        raise Invalid("This zarr group was not made by Athena: its attributes lack 'athena'.")
    return about


def _sizes(length: int, frames: int, patches: tuple[int, int]) -> dict[str, Any]:
    return {"length": length, "frames": frames, "patches": list(patches)}


def _open_array(group: zarr.Group, path: str) -> zarr.Array[Any]:
    array = group[path]
    if not isinstance(array, zarr.Array):
        raise Invalid(f"{path} of the run's group is not an array.")
    return array


def _shapes(length: int, *, frames: int, patches: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Shape of every growing array, by path."""
    shapes: dict[str, tuple[int, ...]] = {layout.metric_path(name): (length,) for name in layout.METRICS}
    free = {"frame": frames, "patch_y": patches[0], "patch_x": patches[1]}
    for path, array in layout.ARRAYS.items():
        inner = (free[dim] if size is None else size for dim, size in zip(array.dims[1:], array.shape, strict=True))
        shapes[path] = (length, *inner)
    return shapes


def _make_group(store: Store, *, frames: int, patches: tuple[int, int]) -> None:
    """Make every array, then say so in the group's attributes: that is what makes the group one of Athena's."""
    group = zarr.open_group(store, mode="a", zarr_format=3)
    shapes = _shapes(layout.BLOCK, frames=frames, patches=patches)
    _make_metrics(group, layout.BLOCK)
    for path, array in layout.ARRAYS.items():
        dtype = np.dtype(array.dtype)
        group.require_array(
            path,
            shape=shapes[path],
            chunks=(1, *shapes[path][1:]),
            dtype=dtype,
            fill_value=array.fill,
            compressors=_codec(dtype),
            dimension_names=array.dims,
            attributes={"units": array.unit} if array.unit else {},
        )
    group.update_attributes({"athena": {"version": VERSION, **_sizes(layout.BLOCK, frames, patches)}})


def _make_metrics(group: zarr.Group, length: int) -> None:
    """Make the columns of metrics that are not there."""
    for metric in layout.METRICS.values():
        path = layout.metric_path(metric.name)
        if path in group:
            continue
        group.require_array(
            path,
            shape=(length,),
            chunks=(layout.METRIC_CHUNK,),
            dtype=np.float64,
            fill_value=np.nan,
            compressors=_codec(np.dtype(np.float64)),
            dimension_names=("acquisition",),
            attributes={"units": metric.unit, "long_name": metric.label},
        )
