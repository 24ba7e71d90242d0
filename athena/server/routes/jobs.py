"""Jobs: start one of any kind, look at them, steer them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from athena.contract.jobs import Job, JobCount, JobCreate, JobKindInfo, KindName
from athena.server.caller import CallerDep
from athena.services import jobs

router = APIRouter(prefix="/jobs", tags=["jobs"])

OfElement = Annotated[UUID | None, Query(description="Only the jobs of this element.")]


@router.get("")
def list_jobs(caller: CallerDep, *, element_id: OfElement = None) -> tuple[Job, ...]:
    """List jobs, newest first."""
    with caller.reading() as session:
        return jobs.list_jobs(session, caller.principal, element_id=element_id)


@router.post("", status_code=201)
def start_job(caller: CallerDep, new: JobCreate) -> Job:
    """Start a job of a kind on an element; a runner takes it up."""
    with caller.writing() as session:
        return jobs.start_job(session, caller.principal, new, settings=caller.settings)


@router.get("/kinds")
def list_job_kinds(caller: CallerDep) -> tuple[JobKindInfo, ...]:
    """List the kinds of jobs there are, with the schema of their parameters."""
    return jobs.list_kinds(caller.principal)


@router.delete("/ended")
def remove_ended_jobs(caller: CallerDep) -> JobCount:
    """Take all one's own ended jobs off the list."""
    with caller.writing() as session:
        return JobCount(count=jobs.remove_ended(session, caller.principal))


@router.post("/kinds/{kind}/cancel")
def cancel_jobs_of_kind(caller: CallerDep, kind: KindName) -> JobCount:
    """Cancel every open job of a kind; administrators only."""
    with caller.writing() as session:
        return JobCount(count=jobs.cancel_all(session, caller.principal, kind))


@router.get("/{job_id}")
def get_job(caller: CallerDep, job_id: UUID) -> Job:
    """Give one job."""
    with caller.reading() as session:
        return jobs.get_job(session, caller.principal, job_id)


@router.post("/{job_id}/cancel")
def cancel_job(caller: CallerDep, job_id: UUID) -> Job:
    """Cancel a job."""
    with caller.writing() as session:
        return jobs.cancel_job(session, caller.principal, job_id)


@router.post("/{job_id}/retry")
def retry_job(caller: CallerDep, job_id: UUID) -> Job:
    """Begin a failed or cancelled job again, from where it got to."""
    with caller.writing() as session:
        return jobs.retry_job(session, caller.principal, job_id)


@router.delete("/{job_id}", status_code=204)
def remove_job(caller: CallerDep, job_id: UUID) -> None:
    """Take an ended job off the list."""
    with caller.writing() as session:
        jobs.remove_job(session, caller.principal, job_id)
