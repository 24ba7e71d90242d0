"""Pictures of an acquisition: thumbnail, power spectrum, and the micrograph as tiles. Shown top row first."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter
from numpy.typing import NDArray

from athena.contract.runs import ImageInfo, MrcMode
from athena.server.caching import cache_control, content_response
from athena.server.caller import CallerDep
from athena.server.downloads import BYTES, body_response
from athena.server.pictures import encode_png, to_grey
from athena.server.routes.acquisitions import Index, OfBranch
from athena.server.shared import see, shared
from athena.services import micrographs
from athena.zarrio import pyramid, reader

router = APIRouter(prefix="/runs/{run_id}/acquisitions/{index}", tags=["images"])

TILES_KEPT = 64
"""Float tiles kept (1 MiB each), so that a change of contrast reads nothing."""

Version = Annotated[str | None, Query(alias="v", max_length=100, description="Names the content: kept for good.")]
TilePlace = Annotated[int, PathParameter(ge=0, le=2**20)]
Grey = Annotated[float | None, Query(allow_inf_nan=False)]
Mode = Annotated[MrcMode, Query(description="2: 32 bits a pixel; 12: 16 bits, where it is kept so.")]
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The picture."},
    304: {"description": "The client has it."},
}


@router.get("/thumbnail.png", response_class=Response, responses=_PNG)
def get_thumbnail(
    caller: CallerDep, request: Request, run_id: UUID, index: Index, *, branch: OfBranch = None, v: Version = None
) -> Response:
    """Give the thumbnail of the micrograph."""
    seen = see(caller, run_id, branch)
    picture = shared(("thumbnail", seen, index), lambda: _png(reader.read_thumbnail(seen.store, index)))
    return _shown(request, picture, version=v)


@router.get("/spectrum.png", response_class=Response, responses=_PNG)
def get_spectrum(
    caller: CallerDep,
    request: Request,
    run_id: UUID,
    index: Index,
    *,
    fit: bool = False,
    branch: OfBranch = None,
    v: Version = None,
) -> Response:
    """Give the power spectrum; with ``fit``, one half of it is the fitted CTF."""
    seen = see(caller, run_id, branch)
    picture = shared(("spectrum", seen, index, fit), lambda: _png(reader.read_spectrum(seen.store, index, fit=fit)))
    return _shown(request, picture, version=v)


@router.get("/image.json")
def get_image_info(caller: CallerDep, run_id: UUID, index: Index, *, branch: OfBranch = None) -> ImageInfo:
    """Give what a tiled viewer needs to know of the micrograph."""
    return pyramid.image_info(see(caller, run_id, branch).store, index)


@router.get("/tiles/{level}/{x}_{y}.png", response_class=Response, responses=_PNG)
def get_tile(
    caller: CallerDep,
    request: Request,
    run_id: UUID,
    index: Index,
    level: TilePlace,
    x: TilePlace,
    y: TilePlace,
    *,
    low: Grey = None,
    high: Grey = None,
    branch: OfBranch = None,
    v: Version = None,
) -> Response:
    """Give a tile of the micrograph, counted from the displayed top left; level 0 is full size.

    ``low`` and ``high`` are the grey values shown black and white; left out, mean ∓ 3 σ of the micrograph.
    """
    store = see(caller, run_id, branch).store
    info = pyramid.image_info(store, index)
    tile = _float_tile(store, index, level, x, y, info.content_hash)
    grey = to_grey(tile, low=info.low if low is None else low, high=info.high if high is None else high)
    return _shown(request, encode_png(grey, compress=False), version=v)


@router.get("/micrograph.mrc", response_class=Response, responses=BYTES)
def get_micrograph(
    caller: CallerDep,
    request: Request,
    run_id: UUID,
    index: Index,
    *,
    mode: Annotated[
        MrcMode, Query(description="2: 32 bits a pixel; 12: 16 bits, where it is kept so.")
    ] = MrcMode.FLOAT32,
    weighted: Annotated[bool | None, Query(description="By exposure, or not; left out: whichever is kept.")] = None,
    branch: OfBranch = None,
) -> Response:
    """Give the corrected micrograph as an MRC file, or a range of its bytes."""
    with caller.reading() as session:
        file = micrographs.micrograph_mrc(
            session,
            caller.principal,
            run_id,
            index,
            settings=caller.settings,
            mode=mode,
            weighted=weighted,
            branch=branch,
        )
    return body_response(
        request, file.stream, size=file.size, tag=file.tag, name=file.name, media_type="application/octet-stream"
    )


def _png(picture: NDArray[np.uint8]) -> bytes:
    """Of a picture with row 0 at the bottom."""
    return encode_png(picture[::-1], compress=True)


@lru_cache(maxsize=TILES_KEPT)
def _float_tile(store: Path, index: int, level: int, x: int, y: int, _content_hash: str) -> NDArray[np.float32]:
    """Tile of exactly this content; several threads share it, so nobody may write to it."""
    tile = pyramid.read_tile(store, index, level, x, y)
    tile.flags.writeable = False
    return tile


def _shown(request: Request, png: bytes, *, version: str | None) -> Response:
    return content_response(request, png, media_type="image/png", cache_control=cache_control(version))
