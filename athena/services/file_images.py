"""Pictures of files that hold images and volumes: sections, slabs, tiles at any zoom, a texture (WS-06, WS-07)."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from athena.contract.files import FileImageInfo, TextureHead, VolumeInfo
from athena.errors import Invalid, NotFound
from athena.formats.movies import fitting_memory
from athena.formats.sections import FileVolume
from athena.formats.volumes import (
    AXES,
    Check,
    Copy,
    Texture,
    Volume,
    Whole,
    check_section,
    make_copy,
    make_texture,
    read_plane,
    read_whole,
)
from athena.services.keeping import Kept
from athena.services.volumes import Source
from athena.zarrio import layout
from athena.zarrio.pyramid import WINDOW_SIGMAS, halve

KEPT_BYTES = 384 << 20
"""Sections that stay decoded, so that panning, zooming and a change of contrast read nothing."""
KEPT_COPY_BYTES = 256 << 20
"""Copies of volumes that stay in memory, for cuts that would read all of a volume."""
PLANE_EDGE = 1024
"""Longest edge of a plane that is given as one picture."""
PLANE_SIGMAS = 6.0
"""Half width of the grey values that a plane is given with: contrast is chosen within them."""


class Unwanted(Exception):
    """Nobody waits for the work any more."""


class Wish:
    """Whether someone still waits for a piece of work, which asks now and then."""

    def __init__(self) -> None:
        self._gone = Event()

    def end(self) -> None:
        """Nobody waits any more."""
        self._gone.set()

    def check(self) -> None:
        """Raise Unwanted where nobody waits."""
        if self._gone.is_set():
            raise Unwanted


@dataclass(frozen=True)
class Look:
    """What is looked at.

    Parameters
    ----------
    section : None: the middle one.
    slab : sections that are averaged about it.
    whole : all sections as one, in place of a single one.
    solid : of a volume: along any axis, also where the file itself offers only its own images.
    """

    axis: str = "z"
    section: int | None = None
    slab: int = 1
    whole: Whole | None = None
    solid: bool = False


@dataclass(frozen=True)
class Section:
    """A section at full size and smaller, top row first, with its grey values.

    ``binning`` : px of the volume averaged to one of it in each direction.
    """

    key: str
    look: Look
    number: int
    axes: tuple[str, ...]
    counts: tuple[int, ...]
    pixel_size_angstrom: float
    binning: int
    levels: tuple[NDArray[np.float32], ...]
    mean: float
    sigma: float

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return sum(level.nbytes for level in self.levels)

    @property
    def content_hash(self) -> str:
        """Names what it shows."""
        look = self.look
        return f"{self.key}{look.axis}{look.whole or self.number}" + (f"s{look.slab}" if look.slab > 1 else "")


@dataclass(frozen=True)
class _KeptCopy:
    """A copy, as what it takes of memory."""

    copy: Copy

    @property
    def nbytes(self) -> int:
        return self.copy.values.nbytes


class Pictures:
    """Decoded sections and copies of volumes, the latest ones."""

    def __init__(self) -> None:
        self._sections: Kept[Section] = Kept(KEPT_BYTES)
        self._copies: Kept[_KeptCopy] = Kept(KEPT_COPY_BYTES)

    def section(self, source: Source, look: Look, wish: Wish) -> Section:
        """What is looked at. Raises BadFile, Invalid, TooLarge, NotFound; Unwanted where nobody waits any more."""
        asked = (source.key, look)
        made = self._sections.get(asked, lambda: self._decode(source, look, wish.check), check=wish.check)
        if look.section is None and not look.whole:
            # under its number too, by which its tiles are asked for
            self._sections.keep((source.key, _numbered(look, made.number)), made)
        return made

    def texture(self, source: Source, edge: int, wish: Wish) -> Texture:
        """A volume of bytes, ``edge`` voxels long at most. Raises as :meth:`section` does."""
        with source.open() as volume, fitting_memory(Path(source.name)):
            _check_solid(volume)
            return make_texture(self._copy(source, volume, wish.check), edge)

    def _copy(self, source: Source, volume: Volume, check: Check) -> Copy:
        make = lambda: _KeptCopy(make_copy(volume, check=check))  # noqa: E731
        return self._copies.get(source.key, make, check=check).copy

    def _decode(self, source: Source, look: Look, check: Check) -> Section:
        with source.open() as volume, fitting_memory(Path(source.name)):
            number = check_section(volume, look.axis, look.section, axes=AXES if look.solid else ())
            binning = 1
            if look.whole:
                image = read_whole(volume, look.axis, look.whole, check=check)
            else:
                copy = lambda: self._copy(source, volume, check)  # noqa: E731
                image, binning = read_plane(volume, look.axis, number, slab=look.slab, copy=copy, check=check)
            axes, shape, pixel = volume.axes, volume.shape, volume.pixel_size_angstrom
        levels = [image]
        while max(levels[-1].shape) > layout.PYRAMID_MIN:
            levels.append(halve(levels[-1]))
        mean, sigma = float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64))
        counts = tuple(shape[AXES.index(axis)] for axis in axes)
        return Section(
            source.key, _numbered(look, number), number, axes, counts, pixel, binning, tuple(levels), mean, sigma
        )


def _numbered(look: Look, number: int) -> Look:
    return look if look.whole else Look(look.axis, number, look.slab, look.whole, look.solid)


def _check_solid(volume: Volume) -> None:
    if volume.shape[0] < 2:
        raise Invalid(
            f"{volume.name} is a single image: it has no third dimension.",
            hint="Open it as an image, or put several of one size into a folder.",
        )
    if isinstance(volume, FileVolume):
        volume.check_solid()


def image_info(section: Section) -> FileImageInfo:
    """What a tiled viewer needs to know of a section."""
    full = section.levels[0]
    spread = WINDOW_SIGMAS * section.sigma
    return FileImageInfo(
        width=full.shape[1],
        height=full.shape[0],
        tile=layout.TILE,
        levels=len(section.levels),
        pixel_size_angstrom=section.pixel_size_angstrom * section.binning,
        low=section.mean - spread,
        high=section.mean + spread,
        content_hash=section.content_hash,
        section=section.number,
        whole=section.look.whole or "",
        axes=section.axes,
        counts=section.counts,
        binning=section.binning,
    )


def volume_info(source: Source) -> VolumeInfo:
    """What there is of a volume, by its head alone. Raises BadFile, Invalid, TooLarge, NotFound."""
    with source.open() as volume:
        _check_solid(volume)
        return VolumeInfo(
            name=source.name,
            shape=volume.shape,
            pixel_size_angstrom=volume.pixel_size_angstrom,
            content_hash=source.key,
        )


def texture_bytes(texture: Texture) -> bytes:
    """Texture as one body: length of the head (uint32, little endian), the head as JSON, then the values, x fastest."""
    shape = texture.values.shape
    head = TextureHead(
        shape=(shape[0], shape[1], shape[2]),
        low=texture.low,
        high=texture.high,
        mean=texture.mean,
        sigma=texture.sigma,
        dark=texture.dark,
        missing=texture.missing,
    )
    text = head.model_dump_json().encode()
    return b"".join((len(text).to_bytes(4, "little"), text, texture.values.tobytes()))


def plane_of(section: Section) -> tuple[NDArray[np.float32], float, float]:
    """A section small enough for one picture, and the grey values shown black and white."""
    fitting = [level for level in section.levels if max(level.shape) <= PLANE_EDGE]
    image = fitting[0] if fitting else section.levels[-1]
    mean, sigma = float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64)) or 1.0
    return image, mean - PLANE_SIGMAS * sigma, mean + PLANE_SIGMAS * sigma


def tile_of(section: Section, level: int, x: int, y: int) -> NDArray[np.float32]:
    """Tile counted from the top left; level 0 is full size. Raises NotFound."""
    left, top = x * layout.TILE, y * layout.TILE
    if level < len(section.levels):
        image = section.levels[level]
        if top < image.shape[0] and left < image.shape[1]:
            return image[top : top + layout.TILE, left : left + layout.TILE]
    raise NotFound(f"There is no tile {x}_{y} at level {level}.")
