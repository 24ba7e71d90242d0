"""Pictures of files that hold images: micrographs, movies and volumes, section by section. Shown top row first."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter

from athena.contract.files import FileImageInfo
from athena.formats.sections import Whole
from athena.server.caching import cache_control, content_response
from athena.server.caller import Caller, CallerDep
from athena.server.pictures import encode_png, to_grey
from athena.services import file_images, files
from athena.services.file_images import Section, Sections

router = APIRouter(prefix="/elements/{element_id}/files/{file_id}", tags=["files"])

_sections = Sections()
Axis = Annotated[
    Literal["z", "y", "x"], Query(description="Across which the sections lie; z: the images as they are in the file.")
]
Number = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="From 0; left out: the middle one.")]
Together = Annotated[
    Whole | None, Query(description="All sections along the axis as one image, in place of a single one.")
]
Version = Annotated[str | None, Query(alias="v", max_length=100, description="Names the content: kept for good.")]
TilePlace = Annotated[int, PathParameter(ge=0, le=2**20)]
Grey = Annotated[float | None, Query(allow_inf_nan=False)]
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The picture."},
    304: {"description": "The client has it."},
}


@router.get("/image.json")
def get_file_image_info(
    caller: CallerDep,
    element_id: UUID,
    file_id: UUID,
    *,
    axis: Axis = "z",
    section: Number = None,
    whole: Together = None,
) -> FileImageInfo:
    """Give what a tiled viewer needs to know of a section of a file."""
    return file_images.image_info(file_id, axis, _section(caller, element_id, file_id, (axis, section, whole)))


@router.get("/tiles/{level}/{x}_{y}.png", response_class=Response, responses=_PNG)
def get_file_tile(
    caller: CallerDep,
    request: Request,
    element_id: UUID,
    file_id: UUID,
    level: TilePlace,
    x: TilePlace,
    y: TilePlace,
    *,
    axis: Axis = "z",
    section: Number = None,
    whole: Together = None,
    low: Grey = None,
    high: Grey = None,
    v: Version = None,
) -> Response:
    """Give a tile of a section, counted from the displayed top left; level 0 is full size.

    ``low`` and ``high`` are the grey values shown black and white; left out, mean ∓ 3 σ of the section.
    """
    shown = _section(caller, element_id, file_id, (axis, section, whole))
    info = file_images.image_info(file_id, axis, shown)
    tile = file_images.tile_of(shown, level, x, y)
    grey = to_grey(tile, low=info.low if low is None else low, high=info.high if high is None else high)
    png = encode_png(grey, compress=False)
    return content_response(request, png, media_type="image/png", cache_control=cache_control(v))


def _section(caller: Caller, element_id: UUID, file_id: UUID, wanted: tuple[str, int | None, Whole | None]) -> Section:
    with caller.reading() as session:
        content = files.get_content(session, caller.principal, element_id, file_id, settings=caller.settings)
    return _sections.get(file_id, content, *wanted)
