"""A run's zarr group, key by key: what ``run.results`` and every array client read."""

from pathlib import Path, PurePosixPath
from uuid import UUID

from fastapi import APIRouter, Request, Response

from athena.errors import NotFound
from athena.server.caching import file_response
from athena.server.caller import CallerDep
from athena.server.routes.acquisitions import OfBranch
from athena.services.results import store_of, visible_results
from athena.zarrio.stores import PARTIAL

router = APIRouter(prefix="/zarr", tags=["data"])

_BYTES: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The bytes under the key."},
    206: {"content": {"application/octet-stream": {}}, "description": "The asked range of them."},
    304: {"description": "The client has them."},
    416: {"description": "No byte of the range exists."},
}


@router.get("/{run_id}/{key:path}", response_class=Response, responses=_BYTES)
@router.head("/{run_id}/{key:path}", response_class=Response, responses=_BYTES, operation_id="head_key")
def get_key(caller: CallerDep, request: Request, run_id: UUID, key: str, *, branch: OfBranch = None) -> Response:
    """Give the bytes under a key of the run's group; ranges, entity tags and HEAD as HTTP has them."""
    with caller.reading() as session:
        store = store_of(visible_results(session, caller.principal, run_id, branch), caller.settings)
    return file_response(request, resolve_key(store, key))


def resolve_key(store: Path, key: str) -> Path:
    """File of a key inside a store.

    Raises
    ------
    NotFound : the key leaves the store, or names something a writer has not finished.
    """
    parts = PurePosixPath(key).parts
    if not parts or not all(map(_is_plain, parts)):
        raise NotFound("There is nothing under this key.")
    path = store.joinpath(*parts)
    if not _is_inside(path, store):  # through a link
        raise NotFound("There is nothing under this key.")
    return path


def _is_inside(path: Path, store: Path) -> bool:
    try:
        return path.resolve().is_relative_to(store.resolve())
    except (OSError, RuntimeError):  # a name longer than any file's, links in a circle
        return False


def _is_plain(part: str) -> bool:
    """Whether a piece of a key can name something finished: neither hidden, nor above, nor in the making."""
    return len(part) < 256 and part.isprintable() and not part.startswith((".", "/")) and not part.endswith(PARTIAL)
