"""A run's zarr group, key by key: what ``run.results`` and every array client read."""

from pathlib import Path, PurePosixPath
from uuid import UUID

from fastapi import APIRouter, Request, Response

from athena.errors import NotFound
from athena.server.caching import file_response
from athena.server.caller import CallerDep
from athena.services import guard

router = APIRouter(prefix="/zarr", tags=["data"])

_BYTES: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The bytes under the key."},
    206: {"content": {"application/octet-stream": {}}, "description": "The asked range of them."},
    304: {"description": "The client has them."},
    416: {"description": "No byte of the range exists."},
}


@router.api_route("/{run_id}/{key:path}", methods=["GET", "HEAD"], response_class=Response, responses=_BYTES)
def get_key(caller: CallerDep, request: Request, run_id: UUID, key: str) -> Response:
    """Give the bytes under a key of the run's group; ranges, entity tags and HEAD as HTTP has them."""
    with caller.reading() as session:
        guard.get_visible_run(session, caller.principal, run_id)
    return file_response(request, resolve_key(caller.settings.run_store(str(run_id)), key))


def resolve_key(store: Path, key: str) -> Path:
    """File of a key inside a store.

    Raises
    ------
    NotFound : the key leaves the store, or names something a writer has not finished.
    """
    parts = PurePosixPath(key).parts
    hidden = any(part.startswith(".") or part.endswith((".partial", ".tmp")) for part in parts)
    if not parts or hidden or key.startswith("/") or "\\" in key or "\x00" in key:
        raise NotFound("There is nothing under this key.")
    path = store.joinpath(*parts)
    if not path.resolve().is_relative_to(store.resolve()):
        raise NotFound("There is nothing under this key.")
    return path
