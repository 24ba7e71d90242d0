"""Pictures of files that hold images: micrographs, movies and volumes, section by section. Shown top row first."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParameter

from athena.contract.files import FileImageInfo, VolumeInfo, VolumeList
from athena.formats.volumes import Whole
from athena.server.caching import cache_control, content_response
from athena.server.caller import Caller, CallerDep
from athena.server.pictures import encode_png, to_grey
from athena.server.waiting import while_wanted
from athena.services import file_images, volumes
from athena.services.file_images import Look, Pictures, Section, Wish
from athena.services.volumes import Source

router = APIRouter(prefix="/elements/{element_id}", tags=["files"])

_pictures = Pictures()
MAX_EDGE = 256
"""Of a texture: 16 MB."""

Axis = Annotated[
    Literal["z", "y", "x"], Query(description="Across which the sections lie; z: the images as they are in the file.")
]
Number = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="From 0; left out: the middle one.")]
Together = Annotated[
    Whole | None, Query(description="All sections along the axis as one image, in place of a single one.")
]
Slab = Annotated[int, Query(ge=1, le=199, description="Sections that are averaged about it.")]
Version = Annotated[str | None, Query(alias="v", max_length=100, description="Names the content: kept for good.")]
Stack = Annotated[bool, Query(description="The images of the file's folder with its ending, on one another by name.")]
TilePlace = Annotated[int, PathParameter(ge=0, le=2**20)]
Grey = Annotated[float | None, Query(allow_inf_nan=False)]
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The picture."},
    304: {"description": "The client has it."},
}
_TEXTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "A head, and bytes, x fastest."},
    304: {"description": "The client has it."},
}


def _looked(axis: Axis = "z", section: Number = None, whole: Together = None) -> Look:
    return Look(axis, section, whole=whole)


Looked = Annotated[Look, Depends(_looked)]


@router.get("/volumes")
def list_volumes(
    caller: CallerDep,
    element_id: UUID,
    *,
    folder: Annotated[str, Query(max_length=1000, description="Of its files; empty: at the top.")] = "",
) -> VolumeList:
    """List what of a folder of files can be looked at as a volume: files, zarr folders, images on one another."""
    with caller.reading() as session:
        found = volumes.list_volumes(session, caller.principal, element_id, folder, settings=caller.settings)
    return VolumeList(items=tuple(found))


@router.get("/files/{file_id}/image.json")
async def get_file_image_info(
    caller: CallerDep, request: Request, element_id: UUID, file_id: UUID, look: Looked
) -> FileImageInfo:
    """Give what a tiled viewer needs to know of a section of a file."""

    def work(wish: Wish) -> FileImageInfo:
        return file_images.image_info(_section(caller, element_id, file_id, look, wish))

    return await while_wanted(request, work)


@router.get("/files/{file_id}/tiles/{level}/{x}_{y}.png", response_class=Response, responses=_PNG)
async def get_file_tile(
    caller: CallerDep,
    request: Request,
    element_id: UUID,
    file_id: UUID,
    level: TilePlace,
    x: TilePlace,
    y: TilePlace,
    look: Looked,
    *,
    low: Grey = None,
    high: Grey = None,
    v: Version = None,
) -> Response:
    """Give a tile of a section, counted from the displayed top left; level 0 is full size.

    ``low`` and ``high`` are the grey values shown black and white; left out, mean ∓ 3 σ of the section.
    """

    def work(wish: Wish) -> Response:
        shown = _section(caller, element_id, file_id, look, wish)
        info = file_images.image_info(shown)
        tile = file_images.tile_of(shown, level, x, y)
        grey = to_grey(tile, low=info.low if low is None else low, high=info.high if high is None else high)
        png = encode_png(grey, compress=False)
        return content_response(request, png, media_type="image/png", cache_control=cache_control(v))

    return await while_wanted(request, work)


@router.get("/files/{file_id}/volume.json")
def get_volume_info(caller: CallerDep, element_id: UUID, file_id: UUID, *, stack: Stack = False) -> VolumeInfo:
    """Give what a volumetric viewer needs to know of a file."""
    return file_images.volume_info(_source(caller, element_id, file_id, stack=stack))


@router.get("/files/{file_id}/plane.png", response_class=Response, responses=_PNG)
async def get_volume_plane(
    caller: CallerDep,
    request: Request,
    element_id: UUID,
    file_id: UUID,
    *,
    stack: Stack = False,
    axis: Axis = "z",
    section: Number = None,
    slab: Slab = 1,
    v: Version = None,
) -> Response:
    """Give a plane of a volume, or the mean of several, as one picture: black and white are its mean ∓ 6 σ."""

    def work(wish: Wish) -> Response:
        look = Look(axis, section, slab=slab, solid=True)
        shown = _pictures.section(_source(caller, element_id, file_id, stack=stack), look, wish)
        image, low, high = file_images.plane_of(shown)
        png = encode_png(to_grey(image, low=low, high=high), compress=False)
        return content_response(request, png, media_type="image/png", cache_control=cache_control(v))

    return await while_wanted(request, work)


@router.get("/files/{file_id}/texture.bin", response_class=Response, responses=_TEXTURE)
async def get_volume_texture(
    caller: CallerDep,
    request: Request,
    element_id: UUID,
    file_id: UUID,
    *,
    stack: Stack = False,
    edge: Annotated[int, Query(ge=16, le=MAX_EDGE, description="Voxels along its longest edge at most.")] = 160,
    v: Version = None,
) -> Response:
    """Give a volume small enough for a graphics card, a byte a voxel, in one body.

    First the length of the head (uint32, little endian), then the head (JSON of ``TextureHead``), then the values.
    """

    def work(wish: Wish) -> Response:
        texture = _pictures.texture(_source(caller, element_id, file_id, stack=stack), edge, wish)
        body = file_images.texture_bytes(texture)
        kind = "application/octet-stream"
        return content_response(request, body, media_type=kind, cache_control=cache_control(v))

    return await while_wanted(request, work)


def _section(caller: Caller, element_id: UUID, file_id: UUID, look: Look, wish: Wish) -> Section:
    return _pictures.section(_source(caller, element_id, file_id), look, wish)


def _source(caller: Caller, element_id: UUID, file_id: UUID, *, stack: bool = False) -> Source:
    with caller.reading() as session:
        return volumes.find_source(
            session,
            caller.principal,
            element_id,
            file_id,
            database=caller.server.database,
            settings=caller.settings,
            stack=stack,
        )
