"""Several files, or whole elements, as one zip that is made while it is sent."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from starlette.responses import StreamingResponse
from stream_zip import ZIP_AUTO, Method, stream_zip

from athena.server.caller import CallerDep
from athena.server.downloads import disposition
from athena.services import zipping

router = APIRouter(prefix="/zip", tags=["files"])

Picked = Annotated[list[UUID], Query(max_length=zipping.MAX_PICKED)]
Index = Annotated[int, Field(ge=0, le=2**31 - 1)]
Indices = Annotated[list[Index], Query(max_length=zipping.MAX_PICKED, description="By index, of the run `run_id`.")]
Folders = Annotated[
    list[str], Query(max_length=zipping.MAX_PICKED, description="Only these folders of the one element named.")
]
_MODE = 0o100644
_ANSWER: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/zip": {}}, "description": "The archive; cut short where a file could not be read."}
}


@router.get("", response_class=Response, responses=_ANSWER)
def get_zip(
    caller: CallerDep,
    *,
    elements: Picked = [],  # noqa: B006 - never changed
    files: Picked = [],  # noqa: B006
    run_id: UUID | None = None,
    acquisitions: Indices = [],  # noqa: B006
    folder: Folders = [],  # noqa: B006
) -> Response:
    """Give elements with all that is visible below them, files, and acquisitions of a run, as a zip.

    A run comes with the files of its session. Those that are not there any more are named in a text beside them.
    """
    with caller.reading() as session:
        selection = zipping.select_for_zip(
            session,
            caller.principal,
            elements=elements,
            files=files,
            run_id=run_id,
            acquisitions=acquisitions,
            folders_in=folder,
        )
    found = zipping.members(caller.server.database, selection, caller.settings)
    headers = {"Content-Disposition": disposition(selection.name), "Cache-Control": "no-store"}
    body = stream_zip(_members(found), chunk_size=1 << 20)
    return StreamingResponse(body, media_type="application/zip", headers=headers)


def _members(found: Iterator[zipping.Member]) -> Iterator[tuple[str, datetime, int, Method, Iterator[bytes]]]:
    for member in found:
        content = member.content
        if isinstance(content, bytes):
            size, pieces = len(content), iter((content,))
        else:
            size, pieces = content.storage.stat(content.key).size, content.storage.stream(content.key)
        # not compressed: movies and micrographs are noise; the zip64 form only where a file needs it
        yield member.path, member.modified, _MODE, ZIP_AUTO(size, level=0), pieces
