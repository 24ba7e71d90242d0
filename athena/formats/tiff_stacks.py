"""What a TIFF of many images says of them: sections of a volume or moments of a movie, and how large a voxel is.

ImageJ and OME write it into the description of the first image; cameras write nothing that says it. Sources: the
ImageJ ``TiffEncoder``'s text of ``key=value`` lines; OME-XML 2016-06, ``Pixels``.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tifffile
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from athena.errors import BadFile
from athena.formats.movies import first_bytes
from athena.formats.tiff import count_directories

_UNITS = {
    **dict.fromkeys(("å", "a", "angstrom", "angstroms", "ångström", "ångstrom"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre"), 10.0),
    **dict.fromkeys(("pm", "picometer", "picometre"), 0.01),
    **dict.fromkeys(("µm", "μm", "um", "\\u00b5m", "micron", "microns", "micrometer", "micrometre"), 1e4),
}
"""Å in a unit. Inch and centimetre are left out: programs that know no voxel write those, of print."""
_CUBIC = 0.01
"""By how much the edges of a voxel may differ, so that one length stands for all three."""
MAX_DESCRIPTION = 2**24
"""Characters; a longer description is not looked into."""
MOVIE_RATIO = 16
"""Images this many times wider than there are of them are a movie's, where nothing says that they are sections."""
MOVIE_VOXELS = 2**28
"""A movie of more pixels is not looked at as a volume."""


@dataclass(frozen=True)
class TiffStack:
    """What a TIFF says of its images.

    Attributes
    ----------
    images : how many; 1 where they are no grey values.
    height, width : px.
    sections, moments, channels : along z, in time, and of how many kinds; 0 where it says none of it.
    pixel_size_angstrom : edge of a voxel; 0 where it does not say, or voxels are no cubes.
    """

    images: int
    height: int
    width: int
    sections: int = 0
    moments: int = 0
    channels: int = 0
    pixel_size_angstrom: float = 0.0

    @property
    def mixed(self) -> bool:
        """Whether sections, moments or channels take turns: more than one volume."""
        return sum(count > 1 for count in (self.sections, self.moments, self.channels)) > 1

    @property
    def is_movie(self) -> bool:
        """Whether its images follow one another in time: it says so, or they are far wider than deep."""
        if self.sections > 1:
            return False
        return self.moments > 1 or min(self.height, self.width) > MOVIE_RATIO * self.images

    @property
    def is_large_movie(self) -> bool:
        """Whether it is a movie of more pixels than are looked at as a volume."""
        return self.is_movie and self.images * self.height * self.width > MOVIE_VOXELS

    @property
    def is_volume(self) -> bool:
        """Whether it is offered as a volume: a movie is where it is small and does not say that it is one."""
        return self.images > 1 and not self.mixed and self.moments < 2 and not self.is_large_movie


def read_tiff_stack(path: Path) -> TiffStack:
    """What a TIFF says of its images, by its chain of directories and the first of them. Raises BadFile."""
    if first_bytes(path, 4)[:2] not in (b"II", b"MM"):
        raise BadFile(f"{path.name} is no TIFF.")
    count = count_directories(path)
    try:
        with tifffile.TiffFile(path) as file:
            return describe_stack(file.pages.first, count)
    except Exception as error:
        # tifffile fails over damaged tags in many ways
        raise BadFile(f"{path.name} has a damaged directory: {error}.", hint="Copy it again.") from error


def describe_stack(first: Any, images: int) -> TiffStack:
    """What the first page, as tifffile gives it, says of so many images."""
    height, width = int(first.imagelength), int(first.imagewidth)
    if first.samplesperpixel != 1:
        return TiffStack(1, height, width)
    text = str(first.description or "")[:MAX_DESCRIPTION].strip("\0 \r\n")
    if text.startswith("ImageJ="):
        told = _imagej(text, [_per_pixel(first.tags.valueof(tag)) for tag in (282, 283)])
    elif "<OME" in text[:4096]:
        told = _ome(text)
    else:
        return TiffStack(images, height, width)
    (sections, moments, channels), edges = told
    if max(1, sections) * max(1, moments) * max(1, channels) != images:
        sections = moments = channels = 0  # it tells of other images than those that are here
    return TiffStack(images, height, width, sections, moments, channels, _cube(edges))


def _imagej(text: str, pixel: list[float]) -> tuple[tuple[int, int, int], list[float]]:
    pairs = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    sections, moments, channels = (_count(pairs.get(key)) for key in ("slices", "frames", "channels"))
    unit = _UNITS.get(pairs.get("unit", "").strip().lower(), 0.0)
    # where it is not said, ImageJ has 1, whatever the pixel: that is nobody's measure
    depth = _number(pairs["spacing"]) if "spacing" in pairs else pixel[0]
    return (sections, moments, channels), [abs(edge) * unit for edge in (*pixel, depth)]


def _ome(text: str) -> tuple[tuple[int, int, int], list[float]]:
    try:
        root = ElementTree.fromstring(text.encode())
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        return (0, 0, 0), []
    pixels = next((one for one in root.iter() if str(one.tag).rsplit("}", 1)[-1] == "Pixels"), None)
    if pixels is None:
        return (0, 0, 0), []
    counts = _count(pixels.get("SizeZ")), _count(pixels.get("SizeT")), _count(pixels.get("SizeC"))
    edges = []
    for axis in "XYZ":
        size = pixels.get(f"PhysicalSize{axis}")
        unit = _UNITS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").strip().lower(), 0.0)
        if size is not None:
            edges.append(_number(size) * unit)
    return counts, edges


def _cube(edges: list[float]) -> float:
    """Edge of a voxel where all that are said are the same."""
    if not edges or not all(math.isfinite(edge) and 0 < edge < 1e7 for edge in edges):
        return 0.0
    return edges[0] if max(edges) <= min(edges) * (1 + _CUBIC) else 0.0


def _per_pixel(resolution: Any) -> float:
    """Units a pixel, of a rational number of pixels a unit."""
    try:
        above, below = resolution
        return float(below) / float(above)
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _count(text: str | None) -> int:
    try:
        return max(0, int(text or 0))
    except ValueError:
        return 0
