"""Results of a run as other programs read them: STAR files of a RELION project, groups for cryoSPARC."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from athena.contract.runs import CryosparcFile
from athena.server.caching import content_response
from athena.server.caller import CallerDep
from athena.server.routes.acquisitions import Index, OfBranch
from athena.services import cryosparc, relion

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])

Matching = Annotated[bool, Query(description="Only what matches the run's saved filter and verdicts.")]
_STAR: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/plain": {}}, "description": "The file; paths in it are relative to its folder."},
    304: {"description": "The client has it."},
}


@router.get("/corrected_micrographs.star", response_class=Response, responses=_STAR)
def get_corrected_micrographs_star(
    caller: CallerDep, request: Request, run_id: UUID, *, matching: Matching = True, branch: OfBranch = None
) -> Response:
    """Give the list of corrected micrographs of a run, with optics groups, as RELION reads it."""
    return _list(caller, request, run_id, "corrected_micrographs.star", matching=matching, branch=branch)


@router.get("/micrographs_ctf.star", response_class=Response, responses=_STAR)
def get_micrographs_ctf_star(
    caller: CallerDep, request: Request, run_id: UUID, *, matching: Matching = True, branch: OfBranch = None
) -> Response:
    """Give the list of micrographs of a run whose CTF is determined, as RELION reads it."""
    return _list(caller, request, run_id, "micrographs_ctf.star", matching=matching, branch=branch)


@router.get("/acquisitions/{index}/motion.star", response_class=Response, responses=_STAR)
def get_motion_star(
    caller: CallerDep, request: Request, run_id: UUID, index: Index, *, branch: OfBranch = None
) -> Response:
    """Give the motion of a movie as RELION reads it."""
    with caller.reading() as session:
        text = relion.get_motion_star(session, caller.principal, run_id, index, settings=caller.settings, branch=branch)
    return content_response(request, text.encode(), media_type="text/plain; charset=utf-8")


@router.get(
    "/cryosparc/{file}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The file."},
        304: {"description": "The client has it."},
    },
)
def get_cryosparc_file(
    caller: CallerDep,
    request: Request,
    run_id: UUID,
    file: CryosparcFile,
    *,
    matching: Matching = True,
    branch: OfBranch = None,
) -> Response:
    """Give a group of exposures of a run, or the table it names, as cryoSPARC imports it."""
    with caller.reading() as session:
        content = cryosparc.get_group(
            session, caller.principal, run_id, file, matching_only=matching, settings=caller.settings, branch=branch
        )
    return content_response(request, content, media_type="application/octet-stream")


def _list(
    caller: CallerDep, request: Request, run_id: UUID, name: str, *, matching: bool, branch: str | None
) -> Response:
    with caller.reading() as session:
        text = relion.get_star(
            session, caller.principal, run_id, name, matching_only=matching, settings=caller.settings, branch=branch
        )
    return content_response(request, text.encode(), media_type="text/plain; charset=utf-8")
