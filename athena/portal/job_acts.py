"""What components of jobs ask for, done: cancel, try again, remove."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from athena.contract.jobs import JobAction
from athena.errors import AthenaError
from athena.portal.session import PortalSession


def act_on_jobs(session: PortalSession, asked: dict[str, Any], *, refused: Callable[[AthenaError], None]) -> None:
    """Do what was asked, as ``{do: cancel | retry | remove, id}`` or ``{do: remove-ended}``; then the page is read."""
    catalogue = session.catalogue

    def done(_: object) -> None:
        session.count_jobs()
        session.refresh()

    if asked["do"] == "remove-ended":
        session.run(catalogue.remove_ended_jobs, done, failed=refused)
        return
    job, action = UUID(asked["id"]), JobAction(asked["do"])
    session.run(lambda: catalogue.act_on_job(job, action), done, failed=refused)
