"""Acquisitions of a run."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from athena.contract.acquisitions import Acquisition, AcquisitionPage, AcquisitionState
from athena.contract.neighbours import Neighbours, Shown
from athena.server.caller import CallerDep
from athena.server.downloads import BYTES, content_response
from athena.server.limits import Limit, Offset
from athena.services import acquisitions, neighbours, session_files

router = APIRouter(prefix="/runs/{run_id}/acquisitions", tags=["acquisitions"])

OfBranch = Annotated[
    str | None, Query(alias="branch", max_length=100, description="Branch of results; left out: the default one.")
]
Index = Annotated[int, Path(ge=0, le=2**31 - 1, description="Index of the acquisition in its run.")]


@router.get("")
def list_acquisitions(
    caller: CallerDep,
    run_id: UUID,
    *,
    state: AcquisitionState | None = None,
    offset: Offset = 0,
    limit: Limit = 200,
    branch: OfBranch = None,
) -> AcquisitionPage:
    """List the acquisitions of a run by index, as they stand in a branch."""
    with caller.reading() as session:
        return acquisitions.list_acquisitions(
            session, caller.principal, run_id, state=state, offset=offset, limit=limit, branch=branch
        )


@router.get("/{index}")
def get_acquisition(caller: CallerDep, run_id: UUID, index: Index, *, branch: OfBranch = None) -> Acquisition:
    """Give one acquisition."""
    with caller.reading() as session:
        return acquisitions.get_acquisition(session, caller.principal, run_id, index, branch=branch)


@router.get("/{index}/neighbours")
def get_neighbours(
    caller: CallerDep,
    run_id: UUID,
    index: Index,
    *,
    shown: Shown = Shown.ALL,
    descending: Annotated[bool, Query(description="The newest first.")] = False,
    branch: OfBranch = None,
) -> Neighbours:
    """Give the place of an acquisition among those that the run's filter or their state lets show."""
    with caller.reading() as session:
        return neighbours.get_neighbours(
            session,
            caller.principal,
            run_id,
            index,
            settings=caller.settings,
            shown=shown,
            descending=descending,
            branch=branch,
        )


@router.get("/{index}/movie", response_class=Response, responses=BYTES)
def get_movie(request: Request, caller: CallerDep, run_id: UUID, index: Index) -> Response:
    """Give the movie of an acquisition as the microscope wrote it, or a range of its bytes."""
    with caller.reading() as session:
        content = session_files.movie_content(session, caller.principal, run_id, index)
    return content_response(request, content)
