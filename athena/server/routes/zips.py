"""Several files, or whole elements, as one zip that is made while it is sent."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse
from stream_zip import ZIP_AUTO, Method, stream_zip

from athena.server.caller import CallerDep
from athena.server.downloads import disposition
from athena.services import zipping

router = APIRouter(prefix="/zip", tags=["files"])

Picked = Annotated[list[UUID], Query(max_length=zipping.MAX_PICKED)]
_MODE = 0o100644
_ANSWER: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/zip": {}}, "description": "The archive; cut short where a file could not be read."}
}


@router.get("", response_class=Response, responses=_ANSWER)
def get_zip(caller: CallerDep, elements: Picked = [], files: Picked = []) -> Response:  # noqa: B006 - never changed
    """Give elements with all that is visible below them, and files, as a zip."""
    with caller.reading() as session:
        selection = zipping.select_for_zip(session, caller.principal, elements=elements, files=files)
    found = zipping.members(caller.server.database, selection, caller.settings)
    headers = {"Content-Disposition": disposition(selection.name), "Cache-Control": "no-store"}
    body = stream_zip(_members(found), chunk_size=1 << 20)
    return StreamingResponse(body, media_type="application/zip", headers=headers)


def _members(found: Iterator[zipping.Member]) -> Iterator[tuple[str, datetime, int, Method, Iterator[bytes]]]:
    for member in found:
        stored = member.content.storage.stat(member.content.key)
        # not compressed: movies and micrographs are noise; the zip64 form only where a file needs it
        method = ZIP_AUTO(stored.size, level=0)
        yield member.path, member.modified, _MODE, method, member.content.storage.stream(member.content.key)
