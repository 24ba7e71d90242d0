"""Which jobs are shown, and where their page leads."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from athena.contract.elements import Element, ElementKind
from athena.contract.jobs import Job, JobState
from athena.contract.people import Role
from athena.portal.job_choice import JobChoice
from athena.portal.job_groups import MOST, lately_items
from athena.portal.keys import GROUPS, scope_of
from athena.portal.place import Place

NOW = datetime(2024, 5, 17, 9, tzinfo=UTC)


def job(state: JobState, *, kind: str = "export", owner: str = "alice", name: str = "Grid 3", **more: Any) -> Job:
    """A job as the API gives it."""
    about = {"label": kind.title(), "element_id": None, "element_name": name, "done": 0, "total": 0}
    return Job(id=uuid4(), kind=kind, state=state, initiator=owner, created=NOW, **about, **more)


@pytest.mark.feature("JB-01", "JB-02")
def test_jobs_are_chosen_by_all_that_the_address_says() -> None:
    jobs = [
        job(JobState.FAILED),
        job(JobState.FAILED, owner="bob", name="Grid 30, thin"),
        job(JobState.RUNNING, kind="archive"),
        job(JobState.FAILED, kind="archive", name="Atlas"),
    ]
    for choice, expected in {
        JobChoice(): jobs,
        JobChoice(state="failed"): [jobs[0], jobs[1], jobs[3]],
        JobChoice(kind="archive"): jobs[2:],
        JobChoice(owner="bob"): [jobs[1]],
        JobChoice(element="THIN grid"): [jobs[1]],
        JobChoice(state="failed", kind="archive", element="grid"): [],
        JobChoice(state="no such"): [],
    }.items():
        place = choice.on(Place(page="jobs"))
        assert JobChoice.of(Place.parse(place.search)) == choice
        assert choice.among(jobs) == expected
    offered = JobChoice(owner="carol").offered(jobs)["choices"]
    assert [value for value, _ in offered["owner"]] == ["alice", "bob", "carol"]
    assert ("archive", "Archive") in offered["kind"]
    assert JobChoice().on(Place(page="jobs")).search == "?p=jobs"


@pytest.mark.feature("JB-01")
def test_the_bell_shows_what_is_under_way_and_what_ended_lately() -> None:
    old, new = NOW - timedelta(days=2), NOW - timedelta(hours=1)
    ended = [job(JobState.FINISHED, finished=new) for _ in range(MOST + 3)]
    jobs = [job(JobState.RUNNING), job(JobState.FAILED, finished=new), job(JobState.FINISHED, finished=old), *ended]
    groups = {group["state"]: len(group["jobs"]) for group in lately_items(jobs, now=NOW)}
    assert groups == {"running": 1, "failed": 1, "finished": MOST}


@pytest.mark.feature("WS-20")
def test_the_help_of_keys_knows_what_works_where() -> None:
    about: dict[str, Any] = {"creator": "alice", "created": NOW, "updated": NOW, "my_role": Role.OWNER}
    run = Element(id=uuid4(), kind=ElementKind.DATASET, type="epu_run", name="Grid 3", parent_id=None, **about)
    folder = run.model_copy(update={"kind": ElementKind.FOLDER, "type": ""})
    assert scope_of(Place(run.id), run) == ["gallery"]
    assert scope_of(Place(run.id, tab="dataviz"), run) == []
    assert scope_of(Place(run.id, index=4), run) == ["micrograph", "viewer"]
    assert scope_of(Place(folder.id), folder) == scope_of(Place(), None) == ["list"]
    assert scope_of(Place(page="jobs"), None) == []
    dataset = run.model_copy(update={"type": "free"})
    assert scope_of(Place(dataset.id).having(view="3d"), dataset) == ["volume"]
    assert scope_of(Place(dataset.id), dataset) == ["list"]
    assert {"gallery", "micrograph", "viewer", "list"} <= {group.name for group in GROUPS}
