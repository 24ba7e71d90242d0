"""``Atlas.dm`` and ``Sample.dm`` of a screening session: the squares found on a grid and where they lie."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from athena.formats.epu_xml import Element, EpuXml, read_epu_xml, to_datetime, to_integer


@dataclass(frozen=True)
class AtlasNode:
    """A grid square found on the atlas.

    Attributes
    ----------
    centre, size : px of the stitched canvas, x right, y down.
    stage : (X, Y, Z) m; the aligned place when the atlas was aligned to the grid.
    category : class given by the square finder.
    """

    square_id: int
    centre: tuple[float, float] | None
    size: tuple[float, float] | None
    stage: tuple[float, float, float] | None
    category: int | None


@dataclass(frozen=True)
class Atlas:
    """An atlas. A sample that was never imaged has neither tiles nor nodes, which is no error.

    Attributes
    ----------
    image_name : name of the stitched image without suffix.
    canvas : (width, height) px of the stitched image; None without tiles.
    """

    path: Path
    id: str
    image_name: str
    acquired: datetime | None
    canvas: tuple[int, int] | None
    tile_count: int
    nodes: tuple[AtlasNode, ...]


@dataclass(frozen=True)
class SampleRecord:
    """What ``Sample.dm`` says. ``slot`` counts from 1 (the file counts from 0); 0 is a grid without autoloader."""

    name: str
    slot: int | None
    status: str


def read_atlas(path: Path) -> Atlas:
    """Read ``Atlas.dm``.

    Raises
    ------
    BadFile : see ``read_epu_xml``.
    """
    xml = read_epu_xml(path, "AtlasSessionXml")
    tiles = xml.items(xml.find("Atlas/TilesEfficient"))
    aligned = xml.find("Atlas/AtlasAlignmentTransformation") is not None
    nodes: dict[int, AtlasNode] = {}
    corners = []
    for tile in tiles:
        x, y, width, height = (
            xml.integer(f"AtlasPixelPosition/{name}", start=tile) for name in ("x", "y", "width", "height")
        )
        if x is not None and y is not None and width is not None and height is not None:
            corners.append((x + width, y + height))
        for key, value in xml.pairs(xml.find("Nodes", start=tile)):
            number = to_integer(key)
            if number is not None:
                # a square seen by several tiles is listed by one; were it listed twice, the first stands
                nodes.setdefault(number, _node(xml, number, value, aligned=aligned))
    name = xml.text("Atlas/AtlasImageReference/BaseFileName")
    return Atlas(
        path=path,
        id=name.removeprefix("Atlas_") or xml.text("Id"),
        image_name=name,
        acquired=to_datetime(xml.text("Atlas/AcquisitionDateTime")),
        canvas=(max(x for x, _ in corners), max(y for _, y in corners)) if corners else None,
        tile_count=len(tiles),
        nodes=tuple(nodes.values()),
    )


def read_sample(path: Path) -> SampleRecord:
    """Read ``Sample.dm``.

    Raises
    ------
    BadFile : see ``read_epu_xml``.
    """
    xml = read_epu_xml(path, "SampleXml")
    slot = xml.integer("SlotId")
    return SampleRecord(
        name=xml.text("Name"), slot=None if slot is None else slot + 1, status=xml.text("AtlasAcquisitionStatus")
    )


def _node(xml: EpuXml, number: int, value: Element, *, aligned: bool) -> AtlasNode:
    place = xml.find("PositionOnTheAtlas", start=value)
    names = ("AlignedStagePosition", "StagePosition") if aligned else ("StagePosition", "AlignedStagePosition")
    stages = (_triple(xml, xml.find(name, start=value)) for name in names)
    return AtlasNode(
        square_id=number,
        centre=_two(xml, place, "Center/x", "Center/y"),
        size=_two(xml, place, "Size/width", "Size/height"),
        stage=next((stage for stage in stages if stage is not None), None),
        category=xml.integer("Category", start=value),
    )


def _triple(xml: EpuXml, position: Element | None) -> tuple[float, float, float] | None:
    pair = _two(xml, position, "X", "Y")
    return None if pair is None or position is None else (*pair, xml.number("Z", start=position) or 0.0)


def _two(xml: EpuXml, element: Element | None, first: str, second: str) -> tuple[float, float] | None:
    if element is None:
        return None
    x, y = xml.number(first, start=element), xml.number(second, start=element)
    return None if x is None or y is None else (x, y)
