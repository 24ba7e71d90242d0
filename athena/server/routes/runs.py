"""Runs: their state, source, grid and numbers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic_core import to_json

from athena.contract import binary_columns
from athena.contract.report import QualityReport
from athena.contract.runs import AcquisitionCurves, ParametersUpdate, Retried, Run, RunGrid, RunTable, SourceCreate
from athena.errors import Invalid
from athena.ingest.adapter import locate_session
from athena.server.caching import content_response
from athena.server.caller import CallerDep
from athena.server.routes.acquisitions import OfBranch
from athena.server.shared import see, shared
from athena.services import acquisitions, report, retry, runs
from athena.zarrio import reader

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])

MAX_CURVES = 200
"""Acquisitions whose curves one request may ask for: a page of a gallery, ~1 MB."""
MAX_ROWS = 100_000
"""Rows of one table: ~10 MB."""

Columns = Annotated[str, Query(max_length=2000, description="Metrics by name, with commas.")]
Start = Annotated[int, Query(ge=0, le=2**31 - 1, description="First acquisition.")]
Rows = Annotated[int, Query(ge=1, le=MAX_ROWS, description="How many at most; the answer says how many there are.")]


@router.get("")
def get_run(caller: CallerDep, run_id: UUID) -> Run:
    """Give a run with its counts and source."""
    with caller.reading() as session:
        return runs.get_run(session, caller.principal, run_id, settings=caller.settings)


@router.put("/source")
def attach_source(caller: CallerDep, run_id: UUID, new: SourceCreate) -> Run:
    """Attach a session folder (or the one that holds it alone) to a run; then the runner fills the run from it."""
    with caller.writing() as session:
        return runs.attach_source(
            session, caller.principal, run_id, new, settings=caller.settings, locate=locate_session
        )


@router.patch("/parameters")
def set_parameters(caller: CallerDep, run_id: UUID, wanted: ParametersUpdate) -> Run:
    """Set parameters of a run's processing, such as a voltage that its metadata lacks."""
    with caller.writing() as session:
        return runs.set_parameters(session, caller.principal, run_id, wanted, settings=caller.settings)


@router.post("/retry")
def retry_failed(caller: CallerDep, run_id: UUID) -> Retried:
    """Make the failed acquisitions of a run ready to process again."""
    with caller.writing() as session:
        return Retried(count=retry.retry_failed(session, caller.principal, run_id))


@router.get("/grid")
def get_grid(caller: CallerDep, run_id: UUID) -> RunGrid:
    """Give the atlases, grid squares and foil holes of a run."""
    with caller.reading() as session:
        return runs.get_grid(session, caller.principal, run_id)


@router.get("/report")
def get_report(caller: CallerDep, run_id: UUID, *, branch: OfBranch = None) -> QualityReport:
    """Give the quality report of a run as it is now."""
    with caller.reading() as session:
        return report.get_report(session, caller.principal, run_id, settings=caller.settings, branch=branch)


@router.get("/table", response_model=RunTable)
def get_table(
    caller: CallerDep,
    request: Request,
    run_id: UUID,
    *,
    columns: Columns = "",
    start: Start = 0,
    limit: Rows = MAX_ROWS,
    branch: OfBranch = None,
) -> Response:
    """Give states, names and metrics of a run's acquisitions, column by column."""
    wanted = _split(columns)

    def make() -> bytes:
        with caller.reading() as session:
            table = acquisitions.get_table(
                session,
                caller.principal,
                run_id,
                columns=wanted,
                settings=caller.settings,
                start=start,
                limit=limit,
                branch=branch,
            )
        return to_json(table)

    body = shared(("table", see(caller, run_id, branch), tuple(wanted), start, limit), make)
    return content_response(request, body, media_type="application/json")


@router.get(
    "/columns",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "A head, and columns of float64."},
        304: {"description": "The client has them."},
    },
)
def get_columns(
    caller: CallerDep,
    request: Request,
    run_id: UUID,
    *,
    columns: Columns = "",
    start: Start = 0,
    limit: Rows = MAX_ROWS,
    branch: OfBranch = None,
) -> Response:
    """Give metrics of a run's acquisitions as bytes, for charts of many."""
    with caller.reading() as session:
        head, values = acquisitions.get_columns(
            session,
            caller.principal,
            run_id,
            columns=_split(columns),
            settings=caller.settings,
            start=start,
            limit=limit,
            branch=branch,
        )
    return content_response(request, binary_columns.encode(head, values), media_type="application/octet-stream")


@router.get("/curves", response_model=tuple[AcquisitionCurves, ...])
def get_curves(
    caller: CallerDep,
    request: Request,
    run_id: UUID,
    indices: Annotated[str, Query(max_length=4000, description="Acquisitions by index, with commas.")],
    *,
    branch: OfBranch = None,
) -> Response:
    """Give the CTF curves and the motion of some acquisitions, in the order asked."""
    seen = see(caller, run_id, branch)
    wanted = _split(indices)
    if len(wanted) > MAX_CURVES or not all(item.isascii() and item.isdigit() for item in wanted):
        raise Invalid(f"'indices' takes up to {MAX_CURVES} numbers, with commas between them.")
    asked = tuple(int(item) for item in wanted)
    body = shared(("curves", seen, asked), lambda: to_json(reader.read_curves(seen.store, asked)))
    return content_response(request, body, media_type="application/json")


def _split(text: str) -> list[str]:
    return [item for part in text.split(",") if (item := part.strip())]
