"""Files of elements."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from athena.contract.files import File, FilePage, FileSort, FileUpdate
from athena.server.caller import CallerDep
from athena.server.downloads import BYTES, content_response
from athena.server.limits import Limit, Offset
from athena.services import files

router = APIRouter(prefix="/elements/{element_id}/files", tags=["files"])


@router.get("")
def list_files(
    caller: CallerDep,
    element_id: UUID,
    *,
    offset: Offset = 0,
    limit: Limit = 100,
    sort: FileSort = FileSort.NAME,
    descending: bool = False,
    name: Annotated[str | None, Query(max_length=1000, description="The file of this name alone.")] = None,
    folder: Annotated[
        str | None, Query(max_length=1000, description="Only what lies in this folder itself; empty: at the top.")
    ] = None,
) -> FilePage:
    """List the files that lie in an element itself; of a folder also the folders in it."""
    with caller.reading() as session:
        return files.list_files(
            session,
            caller.principal,
            element_id,
            offset=offset,
            limit=limit,
            sort=sort,
            descending=descending,
            name=name,
            folder=folder,
        )


@router.get("/{file_id}")
def get_file(caller: CallerDep, element_id: UUID, file_id: UUID) -> File:
    """Give what is known of a file."""
    with caller.reading() as session:
        return files.get_file(session, caller.principal, element_id, file_id)


@router.patch("/{file_id}")
def rename_file(caller: CallerDep, element_id: UUID, file_id: UUID, change: FileUpdate) -> File:
    """Rename a file."""
    with caller.writing() as session:
        return files.rename_file(session, caller.principal, element_id, file_id, change)


@router.delete("/{file_id}", status_code=204)
def delete_file(caller: CallerDep, element_id: UUID, file_id: UUID) -> None:
    """Delete a file."""
    with caller.writing() as session:
        files.mark_deleted(session, caller.principal, element_id, file_id)
    files.remove_deleted(caller.server.database, caller.settings, file_id=file_id)


@router.get("/{file_id}/content", response_class=Response, responses=BYTES)
@router.head("/{file_id}/content", response_class=Response, responses=BYTES, operation_id="head_file_content")
def get_file_content(caller: CallerDep, request: Request, element_id: UUID, file_id: UUID) -> Response:
    """Give the bytes of a file, whole or a range, to be saved under its name."""
    with caller.reading() as session:
        content = files.get_content(session, caller.principal, element_id, file_id, settings=caller.settings)
    return content_response(request, content)
