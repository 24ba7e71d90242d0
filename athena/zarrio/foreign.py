"""Zarr volumes that people bring: OME-Zarr (0.4 on zarr v2, 0.5 on v3) and plain arrays, read key by key.

What a foreign store says is not trusted: only codecs that do nothing but pack numbers are let run (zarr v2 knows one
that unpickles), and sizes are checked before anything is read.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import unquote

import numpy as np
import zarr
from numpy.typing import NDArray

from athena.errors import AthenaError, BadFile, TooLarge
from athena.zarrio.stores import ApiStore

MAX_EDGE = 2**20
MAX_SECTION_PIXELS = 2**27
MAX_CHUNK = 2**28
"""Values of a chunk: a chunk is unpacked as a whole."""
CUT_VOXELS = 2**26
"""A cut that needs more voxels, for the chunks they lie in, is not made from the volume itself."""

Read = Callable[[str, int, int | None], bytes | None]
"""``read(key, start, stop)``: bytes of a key (negative start: from its end); None where there is no such key."""

_CODECS = frozenset(
    {"bytes", "blosc", "gzip", "zstd", "crc32c", "sharding_indexed", "transpose", "vlen-utf8"}
    | {"zlib", "bz2", "lz4", "lzma", "shuffle", "delta", "fixedscaleoffset", "quantize", "bitround", "astype"}
    | {"packbits", "adler32", "crc32", "fletcher32"}
)
_ANGSTROM = {"angstrom": 1.0, "nanometer": 10.0, "micrometer": 1e4, "picometer": 0.01}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class ZarrVolume:
    """A zarr folder as a volume (z, y, x), row 0 on top in it and y upwards here; other dimensions at their first.

    Parameters
    ----------
    name : of the folder, as errors say it.
    read : gives the bytes under a key.

    Raises
    ------
    BadFile : it holds no image, is damaged, or packs it in a way that is not read here.
    TooLarge : its sections are.
    """

    def __init__(self, name: str, read: Read) -> None:
        self._name = name
        self._read = read
        with self._told():
            paths, pixel = self._describe()
            store = ApiStore(self._fetch)
            form: Literal[2, 3] = 3 if self._json("zarr.json") is not None else 2
            self._levels = [zarr.open_array(store, path=path, mode="r", zarr_format=form) for path in paths]
            for level in self._levels:
                self._check(level)
        self._level = self._levels[0]
        self._pixel = pixel

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self._name

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x), px; one image has one section."""
        return _shape(self._level)

    @property
    def axes(self) -> tuple[str, ...]:
        """Along which sections are offered."""
        return ("z", "y", "x") if self.shape[0] > 1 else ("z",)

    @property
    def pixel_size_angstrom(self) -> float:
        """As the folder says; 0 where it does not."""
        return self._pixel

    def section(self, index: int) -> NDArray[np.float32]:
        """Image as (y, x). Raises BadFile."""
        return self._values(index, slice(None), slice(None))[::-1]

    def cut(self, axis: str, start: int, stop: int) -> NDArray[np.float32] | None:
        """Mean of sections across y or x; None where the chunks that they lie in are (nearly) all of it."""
        depth, height, width = self.shape
        chunk = self._level.chunks[-2 if axis == "y" else -1]
        touched = chunk * (-(-stop // chunk) - start // chunk)
        if depth * (width if axis == "y" else height) * touched > CUT_VOXELS:
            return None
        if axis == "y":
            plane = self._values(slice(None), slice(height - stop, height - start), slice(None))
            return np.asarray(plane.reshape(depth, -1, width).mean(axis=1), dtype=np.float32)
        plane = self._values(slice(None), slice(None), slice(start, stop))
        return np.asarray(plane.reshape(depth, height, -1).mean(axis=2)[:, ::-1], dtype=np.float32)

    def coarser(self, most: int) -> "ZarrVolume":
        """The finest level of at most so many voxels; the coarsest where all have more."""
        fitting = [level for level in self._levels if np.prod(_shape(level), dtype=np.int64) <= most]
        other = object.__new__(ZarrVolume)
        other.__dict__ |= self.__dict__ | {"_level": fitting[0] if fitting else self._levels[-1]}
        return other

    def _values(self, *chosen: int | slice) -> NDArray[np.float32]:
        leading = self._level.ndim - 3
        picked = chosen[-self._level.ndim :] if leading < 0 else (0,) * leading + chosen
        with self._told():
            found = np.asarray(self._level[picked])
        if np.iscomplexobj(found):
            raise BadFile(f"{self._name} holds complex numbers, which are no image.")
        values: NDArray[np.float32] = np.asarray(found, dtype=np.float32)
        return values

    def _describe(self) -> tuple[list[str], float]:
        """Paths of the levels, finest first, and the pixel size of the first, Å."""
        for inside in ("", "0/"):  # the second: as bioformats2raw writes several images
            array = self._json(f"{inside}.zarray") or (self._json(f"{inside}zarr.json") or {})
            if "shape" in array:
                return [inside.rstrip("/")], 0.0
            attributes = self._json(f"{inside}.zattrs") or array.get("attributes", {})
            about = attributes.get("ome", attributes).get("multiscales")
            if about:
                first = about[0]
                paths = [f"{inside}{dataset['path']}" for dataset in first["datasets"]]
                return paths, _pixel_size(first)
        raise BadFile(
            f"{self._name} is no OME-Zarr: it has neither an array nor multiscales at its top.",
            hint="Give the folder of one image, whole.",
        )

    def _json(self, key: str) -> dict[str, Any] | None:
        found = self._read(key, 0, None)
        if found is None:
            return None
        told = json.loads(found)
        if not isinstance(told, dict):
            raise BadFile(f"{self._name}: {key} is no description of zarr.")
        return told

    def _check(self, level: "zarr.Array[Any]") -> None:
        _, height, width = _shape(level)
        if min(level.shape) < 1 or max(level.shape) > MAX_EDGE or np.prod(level.chunks, dtype=np.int64) > MAX_CHUNK:
            raise BadFile(
                f"{self._name} says it holds {level.shape} values in chunks of {level.chunks}, which cannot be."
            )
        if level.dtype.kind not in "biuf":
            raise BadFile(f"{self._name} holds values of type {level.dtype}, which are no image.")
        if height * width > MAX_SECTION_PIXELS:
            raise TooLarge(
                f"{self._name} has images of {height} × {width} px, which is more than is shown here.",
                hint="Download it to open it elsewhere.",
            )

    def _fetch(self, method: str, quoted: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """A key as :class:`ApiStore` asks for it."""
        key = unquote(quoted)
        asked = _RANGE.fullmatch(headers.get("Range", ""))
        start, stop = _span(asked) if asked else (0, None)
        body = self._read(key, start, stop)
        if body is None:
            return 404, {}, b""
        if key.rsplit("/", 1)[-1] in ("zarr.json", ".zarray"):
            self._check_codecs(json.loads(body))
        return (206 if asked else 200), {"content-length": str(len(body))}, b"" if method == "HEAD" else body

    def _check_codecs(self, about: Any) -> None:
        for named in _codecs(about):
            if named not in _CODECS:
                raise BadFile(
                    f"{self._name} is packed with {named!r}, which is not read here.",
                    hint="Write it with blosc, zstd, gzip or uncompressed.",
                )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn whatever zarr and its codecs raise over a foreign store into BadFile, which names it."""
        try:
            yield
        except (AthenaError, MemoryError):
            raise
        except Exception as error:
            raise BadFile(
                f"{self._name} cannot be read: {type(error).__name__}: {error}.",
                hint="A part of it may be missing or damaged; upload the folder again, whole.",
            ) from error


def _shape(level: "zarr.Array[Any]") -> tuple[int, int, int]:
    depth, height, width = (1, 1, 1, *level.shape)[-3:]
    return depth, height, width


def _span(asked: re.Match[str]) -> tuple[int, int | None]:
    first, last = asked.groups()
    if not first:
        return -int(last), None
    return int(first), int(last) + 1 if last else None


def _codecs(about: Any) -> Iterator[str]:
    """Names of all codecs that the description of an array mentions, also of those within others."""
    if not isinstance(about, dict):
        return
    for key in ("compressor", "filters", "codecs", "index_codecs"):
        given = about.get(key)
        for one in given if isinstance(given, list) else [given]:
            if isinstance(one, str):
                yield one
            elif isinstance(one, dict):
                yield str(one.get("id", one.get("name")))
                yield from _codecs(one.get("configuration"))


def _pixel_size(multiscale: dict[str, Any]) -> float:
    """Along x at the finest level, Å; 0 where it is not said."""
    axes = multiscale.get("axes") or []
    last = axes[-1] if axes and isinstance(axes[-1], dict) else {}
    steps = [*multiscale["datasets"][0].get("coordinateTransformations", ())]
    steps += multiscale.get("coordinateTransformations", ())
    size = 1.0
    scales = [float(step["scale"][-1]) for step in steps if step.get("type") == "scale"]
    for scale in scales:
        size *= scale
    unit = _ANGSTROM.get(last.get("unit", ""), 0.0)
    return size * unit if scales and np.isfinite(size) and size > 0 else 0.0
