"""Micrograph pyramids: OME-Zarr 0.5 multiscales, one sharded object a level.

Row 0 of what is stored is the bottom of the image (MRC order). :func:`read_tile` alone turns it over, since tiles
are only ever shown. Levels are block means down to ``layout.PYRAMID_MIN``; a last odd row or column is the mean of the
pixels that are there, so no edge is lost.
"""

import hashlib
import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.codecs import BloscCodec, BloscShuffle, ShardingCodecIndexLocation
from zarr.core.array import ShardsConfigParam
from zarr.storage import StorePath

from athena.contract.runs import ImageInfo
from athena.errors import Invalid, NotFound
from athena.zarrio import layout
from athena.zarrio.stores import PARTIAL, local_path, open_store, put_in_place

WINDOW_SIGMAS = 3.0
"""Half width of the default grey window, in standard deviations."""
MOMENT_ROWS = 64
HALF_LIMIT = 60_000.0
"""Largest magnitude trusted to float16 (whose largest number is 65 504)."""
HALF_STEPS_PER_SIGMA = 8.0
"""float16 is used when its step is at most σ over this: rounding then adds under 0.14 % to the noise's variance."""


def write_pyramid(
    url: str | Path,
    index: int,
    image: NDArray[np.floating[Any]],
    *,
    pixel_size_angstrom: float,
    plain: NDArray[np.floating[Any]] | None = None,
) -> None:
    """Write an acquisition's micrograph as ``images/<index>``; what was there before is replaced.

    On a local store the image appears by one rename; on object storage by its group metadata, written last.

    Parameters
    ----------
    image : (height, width), row 0 at the bottom; finite.
    pixel_size_angstrom : of ``image``.
    plain : its sum that is not weighted by exposure, kept beside it at full size; None: none is kept.
    """
    if image.ndim != 2 or min(image.shape) < 1:
        raise Invalid(f"A micrograph has two dimensions, not the shape {image.shape}.")
    path = layout.image_path(index)
    base = local_path(url)
    if base is None:
        _write_both(open_store(url), path, image, plain, pixel_size_angstrom)
        return
    final = base / path
    partial = final.with_name(f"{final.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        _write_both(open_store(partial), "", image, plain, pixel_size_angstrom)
        if final.exists():  # a retry after the first write was done: a folder cannot be renamed over a full one
            outgoing = final.with_name(f"{final.name}.{uuid.uuid4().hex}{PARTIAL}")
            final.rename(outgoing)
            shutil.rmtree(outgoing)
        put_in_place(partial, final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def image_info(url: str | Path, index: int) -> ImageInfo:
    """Size, levels and grey window of a micrograph, from its attributes alone.

    Raises
    ------
    NotFound : the acquisition has no micrograph (yet).
    """
    about = _attributes(url, index)["athena"]
    return ImageInfo(
        width=about["width"],
        height=about["height"],
        tile=layout.TILE,
        levels=about["levels"],
        pixel_size_angstrom=about["pixel_size_angstrom"],
        low=about["mean"] - WINDOW_SIGMAS * about["sigma"],
        high=about["mean"] + WINDOW_SIGMAS * about["sigma"],
        content_hash=about["content_hash"],
    )


@dataclass(frozen=True)
class ImageStatistics:
    """Grey values of a micrograph at full size; ``lowest`` above ``highest``: not recorded when it was written."""

    pixel_size_angstrom: float
    lowest: float
    highest: float
    mean: float
    sigma: float
    content_hash: str


def has_plain(url: str | Path, index: int) -> bool:
    """Whether the unweighted sum is kept beside a weighted micrograph. NotFound where there is none (yet)."""
    return bool(_attributes(url, index)["athena"].get(layout.PLAIN))


def image_statistics(url: str | Path, index: int, *, plain: bool = False) -> ImageStatistics:
    """Grey values and pixel size of a micrograph, or of its unweighted sum, from its attributes alone.

    Raises
    ------
    NotFound : the acquisition has no micrograph (yet), or its unweighted sum is not kept.
    """
    if plain and not has_plain(url, index):
        raise NotFound(
            f"The unweighted sum of micrograph {index} is not kept.",
            hint="Process with keep_unweighted; where the dose is not known, the micrograph itself is unweighted.",
        )
    about = _attributes(url, index, plain=plain)["athena"]
    return ImageStatistics(
        pixel_size_angstrom=about["pixel_size_angstrom"],
        lowest=about.get("lowest", 0.0),
        highest=about.get("highest", -1.0),
        mean=about["mean"],
        sigma=about["sigma"],
        content_hash=about["content_hash"],
    )


def read_tile(url: str | Path, index: int, level: int, tx: int, ty: int) -> NDArray[np.float32]:
    """Tile as it is displayed: (tx, ty) counted from the top left of the displayed image, top row first.

    Returns (≤ TILE, ≤ TILE) float32; tiles at the right and bottom edge are smaller. Already turned over from the
    stored row order: show it as it is. When the height is no multiple of the tile, it comes from two stored chunks.

    Raises
    ------
    NotFound : there is no such micrograph, level or tile.
    """
    array = open_level(url, index, level)
    height, width = array.shape
    left, top = tx * layout.TILE, ty * layout.TILE
    if not (0 <= left < width and 0 <= top < height):
        raise NotFound(f"Micrograph {index} has no tile {tx}_{ty} at level {level}.")
    stop = height - top
    rows = array[max(0, stop - layout.TILE) : stop, left : left + layout.TILE]
    return np.ascontiguousarray(np.asarray(rows)[::-1], dtype=np.float32)


def read_level(url: str | Path, index: int, level: int = 0) -> NDArray[np.float32]:
    """Whole level of a micrograph in stored order (row 0 at the bottom), float32."""
    return np.asarray(open_level(url, index, level)[...], dtype=np.float32)


def open_level(store: Store | str | Path, index: int, level: int = 0, *, plain: bool = False) -> zarr.Array[Any]:
    """Level of a micrograph as a zarr array, in stored order, read when indexed; ``plain``: of its unweighted sum.

    Raises
    ------
    NotFound : there is no such micrograph or level.
    """
    path = f"{layout.image_path(index, plain=plain)}/{level}"
    source = open_store(store, read_only=True) if isinstance(store, str | Path) else store
    try:
        return zarr.open_array(source, path=path, mode="r", zarr_format=3)
    except FileNotFoundError as missing:
        raise NotFound(f"Micrograph {index} has no level {level}.") from missing


def _attributes(url: str | Path, index: int, *, plain: bool = False) -> dict[str, Any]:
    path, inside = local_path(url), layout.image_path(index, plain=plain)
    missing = NotFound(f"There is no micrograph {index} yet.", hint="It appears once its movie is processed.")
    if path is not None:  # past zarr: a viewer asks for this with every image it opens
        try:
            found = json.loads((path / inside / "zarr.json").read_bytes())["attributes"]
        except (FileNotFoundError, NotADirectoryError) as none:
            raise missing from none
    else:
        try:
            store = open_store(url, read_only=True)
            found = zarr.open_group(store, path=inside, mode="r", zarr_format=3).attrs.asdict()
        except FileNotFoundError as none:
            raise missing from none
    if "athena" not in found:  # on object storage: still being written
        raise missing
    return dict(found)


def halve(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of 2 × 2 blocks, (⌈h/2⌉, ⌈w/2⌉); at an odd edge the mean of the pixels that are there."""
    height, width = image.shape
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2)), mode="edge")
    total = image[0::2, 0::2] + image[0::2, 1::2]
    total += image[1::2, 0::2]
    total += image[1::2, 1::2]
    total *= np.float32(0.25)
    return total


def storage_dtype(*, mean: float, sigma: float, largest: float) -> np.dtype[Any]:
    """float16 when it holds the image's values to well within their noise, else float32.

    Half precision halves disk and traffic (19 instead of 38 GB an hour at 600 micrographs of 4096²), and other
    packages keep micrographs in it too (MRC mode 12). With σ the noise and s the step of float16 near the grey window's
    upper end, rounding adds a variance of s²/12, which is ≤ 0.14 % of σ² for s ≤ σ/8: counts of up to about 40 e⁻ a
    pixel fit. Sums with a large offset (σ small against the mean) or huge outliers keep float32.
    """
    step = float(np.spacing(np.float16(min(abs(mean) + 4 * sigma, HALF_LIMIT))))
    fits = largest < HALF_LIMIT and step * HALF_STEPS_PER_SIGMA <= sigma
    return np.dtype(np.float16 if fits else np.float32)


def _levels(image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    levels = [image]
    while max(levels[-1].shape) > layout.PYRAMID_MIN:
        levels.append(halve(levels[-1]))
    return levels


def _write_both(
    store: Store, path: str, image: NDArray[Any], plain: NDArray[Any] | None, pixel_size_angstrom: float
) -> None:
    """Write a micrograph, and first its unweighted sum where there is one: what is written last tells of both."""
    if plain is not None:
        inside = f"{path}/{layout.PLAIN}".lstrip("/")
        _write_levels(store, inside, plain, pixel_size_angstrom=pixel_size_angstrom, whole_only=True)
    _write_levels(store, path, image, pixel_size_angstrom=pixel_size_angstrom, with_plain=plain is not None)


def _write_levels(
    store: Store,
    path: str,
    image: NDArray[Any],
    *,
    pixel_size_angstrom: float,
    whole_only: bool = False,
    with_plain: bool = False,
) -> None:
    full = np.ascontiguousarray(image, dtype=np.float32)
    mean, sigma = _moments(full)
    if not np.isfinite(mean + sigma):
        raise Invalid("The micrograph has pixels that are not numbers.", hint="Check the movie and its gain reference.")
    lowest, highest = float(full.min()), float(full.max())
    dtype = storage_dtype(mean=mean, sigma=sigma, largest=max(highest, -lowest))
    levels = [full] if whole_only else _levels(full)
    group = zarr.open_group(StorePath(store, path), mode="a", zarr_format=3)
    for number, level in enumerate(levels):
        _write_level(group, str(number), level.astype(dtype))
    # Which picture it is, for caches: the moments change with any pixel, the second level with any that moves.
    digest = hashlib.blake2b(f"{full.shape} {mean!r} {sigma!r}".encode(), digest_size=12)
    digest.update(levels[min(1, len(levels) - 1)].data)
    about = {
        "width": full.shape[1],
        "height": full.shape[0],
        "levels": len(levels),
        "pixel_size_angstrom": pixel_size_angstrom,
        "mean": mean,
        "sigma": sigma,
        # as they are stored: rounding keeps the order
        "lowest": float(dtype.type(lowest)),
        "highest": float(dtype.type(highest)),
        "content_hash": digest.hexdigest(),
        **({layout.PLAIN: True} if with_plain else {}),
    }
    group.update_attributes(
        {"ome": _multiscales(len(levels), pixel_size_angstrom, mean=mean, sigma=sigma), "athena": about}
    )


def _moments(image: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and standard deviation, summed in float64 over blocks of rows: one float32 sum would lose digits."""
    mean = float(image.mean(dtype=np.float64))
    squares = 0.0
    for top in range(0, image.shape[0], MOMENT_ROWS):
        centred = (image[top : top + MOMENT_ROWS] - np.float32(mean)).ravel()
        squares += float(np.dot(centred, centred))
    return mean, float(np.sqrt(squares / image.size))


def _write_level(group: zarr.Group, name: str, level: NDArray[Any]) -> None:
    shard: tuple[int, ...] = tuple(-(-edge // layout.TILE) * layout.TILE for edge in level.shape)
    array = group.create_array(
        name,
        shape=level.shape,
        dtype=level.dtype,
        chunks=(layout.TILE, layout.TILE),
        shards=ShardsConfigParam(shape=shard, index_location=ShardingCodecIndexLocation.end),
        # on noise like a micrograph's lz4 is smaller than zstd (79 against 81 %) and packs and unpacks twice as fast
        compressors=BloscCodec(cname="lz4", clevel=1, shuffle=BloscShuffle.bitshuffle),
        fill_value=0,
        dimension_names=("y", "x"),
        overwrite=True,
    )
    array[...] = level


def _multiscales(levels: int, pixel_size_angstrom: float, *, mean: float, sigma: float) -> dict[str, Any]:
    """OME-NGFF 0.5 attributes. The origin is the centre of the full-size pixel (0, 0)."""
    datasets = []
    for level in range(levels):
        pixel = pixel_size_angstrom * 2**level
        # a level's first pixel is centred on its block: (2^level − 1)/2 full-size pixels from the origin
        offset = pixel_size_angstrom * (2**level - 1) / 2
        datasets.append(
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [pixel, pixel]},
                    {"type": "translation", "translation": [offset, offset]},
                ],
            }
        )
    low, high = mean - WINDOW_SIGMAS * sigma, mean + WINDOW_SIGMAS * sigma
    window = {"start": low, "end": high, "min": low, "max": high}
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": "micrograph",
                "type": "mean",
                "axes": [{"name": axis, "type": "space", "unit": "angstrom"} for axis in ("y", "x")],
                "datasets": datasets,
            }
        ],
        "omero": {
            "channels": [{"label": "micrograph", "color": "FFFFFF", "active": True, "window": window}],
            "rdefs": {"model": "greyscale"},
        },
    }
