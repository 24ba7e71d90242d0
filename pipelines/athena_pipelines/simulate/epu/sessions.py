"""XML of a session, its grid squares and its atlas."""

from collections.abc import Sequence
from datetime import UTC, datetime

from athena_pipelines.simulate.epu.grid import (
    AREA_SHIFTS,
    ATLAS,
    HOLE,
    HOLE_DIAMETER,
    HOLE_PITCH,
    SQUARE,
    SQUARE_EDGE,
    Grid,
    Square,
    visited_holes,
)
from athena_pipelines.simulate.epu.images import timestamp
from athena_pipelines.simulate.templates import Xml, fill

ATLAS_ID = 19_900_000
TILE = (833, 592)


def epu_session_xml(
    grid: Grid,
    *,
    name: str,
    grid_name: str,
    atlas_session: str,
    started: datetime,
    defocus_um: Sequence[float],
    exposure_time_s: float,
    movie_format: str,
    phase_plate: bool = False,
) -> str:
    """Text of ``EpuSession.dm``. ``defocus_um``: the list EPU cycles through, positive is underfocus."""
    listed = "".join(f"<a:double>{float(-value * 1e-6)!r}</a:double>" for value in defocus_um)
    array = 'z:Type="System.Double[]" z:Assembly="0"'
    areas = []
    for number, (shift_x, shift_y) in enumerate(AREA_SHIFTS):
        first = f'<Defocus z:Id="40" {array} z:Size="{len(defocus_um)}">{listed}</Defocus>'
        area_id = 20_500_000 + 3 * number
        areas.append(
            fill(
                "session_area",
                area_id=area_id,
                setting_id=area_id + 2,
                defocus=Xml(first if number == 0 else '<Defocus z:Ref="40" i:nil="true"/>'),
                exposure_time=exposure_time_s,
                shift_x_px=shift_x,
                shift_y_px=shift_y,
            )
        )
    matrix = HOLE.matrix
    return fill(
        "epu_session",
        session_id=19_950_000,
        sample_id=19_950_002,
        grid_name=grid_name,
        movie_format=movie_format,
        phase_plate=phase_plate,
        name=name,
        atlas_path=rf"X:\simulated\atlas\{atlas_session}\Sample1\Atlas\Atlas.dm",
        hole_size_m=HOLE_DIAMETER,
        hole_spacing_m=HOLE_PITCH,
        square_count=len(grid.squares),
        squares=Xml("".join(fill("session_square", square_id=square.id) for square in grid.squares)),
        started_local=timestamp(started),
        started_utc=started.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        area_count=len(areas),
        areas=Xml("".join(areas)),
        template_pixel_m=HOLE.pixel_m,
        m11=float(matrix[0, 0]),
        m12=float(matrix[0, 1]),
        m21=float(matrix[1, 0]),
        m22=float(matrix[1, 1]),
        storage_path=r"X:\simulated",
    )


def grid_square_xml(square: Square, *, image: str | None = None) -> str:
    """Text of ``Metadata/GridSquare_<id>.dm``; with hole targets once the square has an ``image``."""
    chosen = {hole.id for hole in visited_holes(square)} if image else set()
    targets = [
        fill(
            "target",
            hole_id=hole.id,
            stage_x=hole.stage[0],
            stage_y=hole.stage[1],
            pixel_x=round(hole.pixel[0], 3),
            pixel_y=round(hole.pixel[1], 3),
            diameter_px=HOLE_DIAMETER / SQUARE.pixel_m,
            selected=hole.id in chosen,
        )
        for hole in (square.holes if image else ())
    ]
    path = f"<GridSquareImagePath>{image}</GridSquareImagePath>" if image else '<GridSquareImagePath i:nil="true"/>'
    return fill(
        "grid_square",
        square_id=square.id,
        image_path=Xml(path),
        stage_x=square.stage[0],
        stage_y=square.stage[1],
        stage_z=0.0,
        selected=image is not None,
        state="TargetLocationsDefined" if image else "Defined",
        target_count=len(targets),
        targets=Xml("".join(targets)),
        unusable=square.category == 0,
    )


def atlas_xml(grid: Grid, *, acquired: datetime, description: str) -> str:
    """Text of ``Atlas.dm``: 5 × 7 tiles with the squares that lie in them."""
    tiles = []
    for number in range(35):
        row, column = divmod(number, 5)
        left, top = column * 793, row * 563
        inside = [
            square
            for square in grid.squares
            if column == min(int(square.atlas_pixel[0]) // 793, 4) and row == min(int(square.atlas_pixel[1]) // 563, 6)
        ]
        nodes = "".join(_node(square) for square in inside)
        stage = ATLAS.to_stage((left + TILE[0] / 2, top + TILE[1] / 2), (0.0, 0.0))
        tiles.append(
            fill(
                "tile",
                tile_id=ATLAS_ID + 10 + number,
                number=number,
                atlas_id=ATLAS_ID,
                width=TILE[0],
                height=TILE[1],
                x=left,
                y=top,
                nodes=Xml(f'<KeyValuePairs xmlns="">{nodes}</KeyValuePairs>' if nodes else ""),
                stage_x=stage[0],
                stage_y=stage[1],
            )
        )
    return fill(
        "atlas",
        atlas_id=ATLAS_ID,
        acquired=timestamp(acquired),
        tiles=Xml("".join(tiles) + '<TileXml i:nil="true"/>' * 29),
        tile_count=len(tiles),
        description=description,
    )


def _node(square: Square) -> str:
    return fill(
        "node",
        square_id=square.id,
        stage_x=square.stage[0],
        stage_y=square.stage[1],
        category=square.category,
        x=round(square.atlas_pixel[0], 4),
        y=round(square.atlas_pixel[1], 4),
        size=round(SQUARE_EDGE / ATLAS.pixel_m, 3),
    )
