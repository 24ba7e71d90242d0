"""Jobs as a caller may see them (JB-02)."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from athena.contract.jobs import Job, JobKind, JobState
from athena.contract.people import Principal
from athena.db.elements import ElementRow
from athena.db.jobs import JobRow
from athena.db.people import UserRow
from athena.db.visibility import restrict
from athena.errors import Invalid

PRIVATE = "Private entity"
"""What the name of an element reads for those who may not see it."""
MAX_PAGE = 1000


def list_jobs(session: Session, principal: Principal, *, limit: int = 200) -> tuple[Job, ...]:
    """Pending and running jobs of everyone, ended ones of the caller (administrators: of all), newest first.

    A job on an element the caller may not see shows that it runs and how far, but neither the element nor a message
    that might name it.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A list of jobs has 1 to {MAX_PAGE} of them.")
    query = select(JobRow, UserRow.username).join(UserRow, UserRow.id == JobRow.initiator_id)
    if not principal.is_admin:
        open_states = (JobState.PENDING.value, JobState.RUNNING.value)
        query = query.where(or_(JobRow.state.in_(open_states), JobRow.initiator_id == principal.user_id))
    found = session.execute(query.order_by(JobRow.created.desc(), JobRow.id).limit(limit)).all()
    targets = {job.element_id for job, _ in found if job.element_id is not None}
    seen = restrict(select(ElementRow.id, ElementRow.name).where(ElementRow.id.in_(targets)), principal)
    names = dict(session.execute(seen).all())
    return tuple(
        Job(
            id=job.id,
            kind=JobKind(job.kind),
            state=JobState(job.state),
            element_id=job.element_id if job.element_id in names else None,
            element_name=names.get(job.element_id, PRIVATE) if job.element_id is not None else "",
            done=job.done,
            total=job.total,
            message=job.message if job.element_id is None or job.element_id in names else "",
            initiator=username,
            created=job.created,
            started=job.started,
            finished=job.finished,
        )
        for job, username in found
    )
