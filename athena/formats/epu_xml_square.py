"""``Metadata/GridSquare_<id>.dm``: one grid square and the holes targeted in it."""

from dataclasses import dataclass
from pathlib import Path

from athena.formats.epu_xml import Element, EpuXml, read_epu_xml, to_integer


@dataclass(frozen=True)
class HoleTarget:
    """A hole to be exposed.

    Attributes
    ----------
    pixel : centre in the grid square's image at full size, px, x right, y down.
    diameter_px : in the same image.
    stage : (X, Y) m, corrected where EPU has corrected it.
    """

    id: int
    pixel: tuple[float, float] | None
    diameter_px: float | None
    stage: tuple[float, float] | None


@dataclass(frozen=True)
class GridSquareRecord:
    """What the file says of a square. ``targets`` is empty until the square was opened."""

    path: Path
    id: int | None
    atlas_node_id: int | None
    stage: tuple[float, float, float] | None
    selected: bool | None
    unusable: bool | None
    image_path: str
    targets: tuple[HoleTarget, ...]


def read_grid_square(path: Path) -> GridSquareRecord:
    """Read the metadata of a grid square.

    Raises
    ------
    BadFile : see ``read_epu_xml``.
    """
    xml = read_epu_xml(path, "GridSquareXml")
    position = _place(xml, xml.root, "Position")
    locations = xml.find("TargetLocations")
    targets: list[HoleTarget] = []
    if locations is not None:
        # regular grids fill the first, lacey ones the second
        for name in ("TargetLocationsEfficient", "TargetLocations"):
            targets += [
                _target(xml, number, value)
                for key, value in xml.pairs(xml.find(name, start=locations))
                if (number := to_integer(key)) is not None
            ]
    z = xml.number("Position/Z") or 0.0
    return GridSquareRecord(
        path=path,
        id=xml.integer("Id"),
        atlas_node_id=xml.integer("AtlasNodeId"),
        stage=None if position is None else (*position, z),
        selected=xml.flag("Selected"),
        unusable=xml.flag("Unusable"),
        image_path=xml.text("GridSquareImagePath"),
        targets=tuple({target.id: target for target in targets}.values()),
    )


def _target(xml: EpuXml, number: int, value: Element) -> HoleTarget:
    x, y = xml.number("PixelCenter/x", start=value), xml.number("PixelCenter/y", start=value)
    corrected = xml.flag("IsPositionCorrected", start=value)
    stage = (_place(xml, value, "CorrectedStagePosition") if corrected else None) or _place(xml, value, "StagePosition")
    return HoleTarget(
        id=number,
        pixel=None if x is None or y is None else (x, y),
        diameter_px=xml.number("PixelWidthHeight/width", start=value),
        stage=stage,
    )


def _place(xml: EpuXml, element: Element, name: str) -> tuple[float, float] | None:
    x, y = xml.number(f"{name}/X", start=element), xml.number(f"{name}/Y", start=element)
    return None if x is None or y is None else (x, y)
