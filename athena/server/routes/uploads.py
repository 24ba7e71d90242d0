"""Uploads to steps and free datasets, by the tus protocol (WS-16)."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from athena.contract.files import File, HandedOver, HandOver, Upload
from athena.errors import NotFound
from athena.server import tus
from athena.server.caller import Caller, CallerDep
from athena.services import uploads
from athena.services.uploads import Ticket

router = APIRouter(prefix="/elements/{element_id}/uploads", tags=["uploads"])


@router.options("", status_code=204)
def get_upload_capabilities(caller: CallerDep, element_id: UUID) -> Response:
    """Say which parts of the tus protocol are spoken here."""
    with caller.reading() as session:
        uploads.list_uploads(session, caller.principal, element_id, settings=caller.settings)
    return Response(status_code=204, headers=tus.capabilities(caller.settings))


@router.get("")
def list_uploads(caller: CallerDep, element_id: UUID) -> tuple[Upload, ...]:
    """List the caller's unfinished uploads to an element."""
    with caller.reading() as session:
        return uploads.list_uploads(session, caller.principal, element_id, settings=caller.settings)


@router.post("", status_code=201, response_class=Response)
async def begin_upload(caller: CallerDep, request: Request, element_id: UUID) -> Response:
    """Begin an upload: Upload-Length, Upload-Metadata with filename; its place is in Location."""
    upload = await run_in_threadpool(_begin, caller, request, element_id)
    offset = 0
    if tus.has_chunk(request) or not upload.size:
        ticket = await run_in_threadpool(_find, caller, element_id, upload.id)
        if upload.size:
            offset = await _receive(caller, request, ticket, at=0)
        else:
            await run_in_threadpool(uploads.complete_upload, caller.server.database, caller.principal, ticket)
    headers = tus.standing(upload, offset=offset) | {"Location": f"uploads/{upload.id}"}
    return Response(status_code=201, headers=headers)


@router.head("/{upload_id}", response_class=Response)
def get_upload_offset(caller: CallerDep, element_id: UUID, upload_id: UUID) -> Response:
    """Say where an upload stands; one whose bytes are all here is finished first."""
    finished = _finished(caller, element_id, upload_id)
    if finished is None:
        ticket = _find(caller, element_id, upload_id)
        offset = ticket.offset
        if offset < ticket.size:
            return Response(status_code=200, headers=tus.standing(ticket, offset=offset))
        finished = uploads.complete_upload(caller.server.database, caller.principal, ticket)
    length = str(finished.size)
    headers = {"Tus-Resumable": tus.VERSION, "Upload-Offset": length, "Upload-Length": length}
    return Response(status_code=200, headers={**headers, "Cache-Control": "no-store"})


@router.patch("/{upload_id}", status_code=204, response_class=Response)
async def append_to_upload(caller: CallerDep, request: Request, element_id: UUID, upload_id: UUID) -> Response:
    """Add a chunk at Upload-Offset; the last one makes the file, which has the upload's id."""
    ticket = await run_in_threadpool(_find, caller, element_id, upload_id)
    tus.check_version(request)
    offset = await _receive(caller, request, ticket)
    return Response(status_code=204, headers=tus.standing(ticket, offset=offset))


@router.get("/{upload_id}/hand-over")
def offer_hand_over(caller: CallerDep, element_id: UUID, upload_id: UUID) -> HandOver:
    """Say where the owner of this instance, on the same machine, may write the bytes of an upload himself."""
    return uploads.offer_hand_over(caller.principal, _find(caller, element_id, upload_id))


@router.put("/{upload_id}/hand-over")
def accept_hand_over(caller: CallerDep, element_id: UUID, upload_id: UUID, done: HandedOver) -> File:
    """Take a file whose bytes were written where ``offer_hand_over`` said."""
    finished = _finished(caller, element_id, upload_id)
    if finished is not None:  # the answer to an earlier request was lost
        return finished
    ticket = _find(caller, element_id, upload_id)
    return uploads.accept_hand_over(caller.server.database, caller.principal, ticket, done)


@router.delete("/{upload_id}", status_code=204)
def cancel_upload(caller: CallerDep, element_id: UUID, upload_id: UUID) -> Response:
    """Cancel an upload; nothing is left of it."""
    with caller.writing() as session:
        ticket = uploads.cancel_upload(session, caller.principal, element_id, upload_id, settings=caller.settings)
    uploads.discard(ticket)
    return Response(status_code=204, headers={"Tus-Resumable": tus.VERSION})


async def _receive(caller: Caller, request: Request, ticket: Ticket, *, at: int | None = None) -> int:
    try:
        offset = await tus.receive_chunk(request, ticket, at=at)
    except ClientDisconnect:
        # nobody is there to be answered
        return ticket.offset
    if offset == ticket.size:
        await run_in_threadpool(uploads.complete_upload, caller.server.database, caller.principal, ticket)
    else:
        await run_in_threadpool(_keep_alive, caller, ticket)
    return offset


def _begin(caller: Caller, request: Request, element_id: UUID) -> Upload:
    with caller.writing() as session:
        # the element's guard comes before anything is said about the request
        uploads.list_uploads(session, caller.principal, element_id, settings=caller.settings)
        tus.check_version(request)
        wanted = tus.wanted_upload(request.headers)
        return uploads.begin_upload(session, caller.principal, element_id, wanted, settings=caller.settings)


def _find(caller: Caller, element_id: UUID, upload_id: UUID) -> Ticket:
    with caller.reading() as session:
        return uploads.find_upload(session, caller.principal, element_id, upload_id, settings=caller.settings)


def _finished(caller: Caller, element_id: UUID, upload_id: UUID) -> File | None:
    with caller.reading() as session:
        return uploads.find_finished(session, caller.principal, element_id, upload_id)


def _keep_alive(caller: Caller, ticket: Ticket) -> None:
    if not ticket.near_its_end(caller.settings):
        return
    try:
        with caller.writing() as session:
            uploads.keep_alive(session, caller.principal, ticket.element_id, ticket.id, settings=caller.settings)
    except NotFound:  # cancelled while the chunk was on its way
        uploads.discard(ticket)
        raise
