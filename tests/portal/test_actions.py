"""Menus of elements and the page of jobs, without a browser: what is offered, what it does, what is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from athena.contract.elements import Element, ElementKind, ElementPage, State
from athena.contract.events import Event, EventKind
from athena.contract.jobs import Job, JobAction, JobState
from athena.contract.people import Role
from athena.domain.permissions import actions_on
from athena.portal.actions import actions_of
from athena.portal.job_groups import badge_of
from athena.portal.pages.folder import Folder
from athena.portal.pages.jobs import Jobs
from athena.portal.place import Place
from tests.portal.test_data_panel import Desk

WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)


def made(kind: ElementKind, **more: Any) -> Element:
    """An element of alice's."""
    given = {"name": "Thing", "type": "", "my_role": Role.OWNER, "parent_id": uuid4()} | more
    may = actions_on(given["my_role"], kind, given["type"], creator=given.pop("creator", True), admin=False)
    return Element(id=uuid4(), kind=kind, creator="alice", created=WHEN, updated=WHEN, may=tuple(may), **given)


class Tab(Desk):
    """A desk whose page can be read again."""

    refreshed = 0

    def count_jobs(self) -> None:
        """The bell is not looked at here."""

    def refresh(self) -> None:
        """Count."""
        self.refreshed += 1


@pytest.mark.feature("WS-04", "WS-12", "WS-13", "WS-14")
@pytest.mark.parametrize(
    ("element", "offered"),
    [
        (made(ElementKind.FOLDER), "rename describe link download delete"),
        (made(ElementKind.FOLDER, creator=False), "rename describe link download"),
        (made(ElementKind.FOLDER, my_role=Role.COLLABORATOR), "rename describe link download"),
        (made(ElementKind.FOLDER, my_role=Role.VIEWER), "link download"),
        (made(ElementKind.FOLDER, state=State.DELETING), ""),
        (made(ElementKind.WORKFLOW), "rename describe link download archive delete"),
        (made(ElementKind.STEP), "rename describe status link download delete"),
        (made(ElementKind.STEP, type="Imaging"), "rename describe status link download"),
        (
            made(ElementKind.DATASET, type="free", state=State.ARCHIVED),
            "rename describe status link download restore delete",
        ),
        (made(ElementKind.DATASET, type="epu_run"), "rename describe link download archive delete"),
    ],
)
def test_a_menu_offers_what_its_visitor_may_do(element: Element, offered: str) -> None:
    assert " ".join(actions_of(element)) == offered


@pytest.mark.feature("WS-12", "WS-13")
def test_the_menu_changes_deletes_and_says_what_was_refused() -> None:
    tab: Any = Tab()
    inside = made(ElementKind.WORKFLOW, name="Inner")
    folder = made(ElementKind.FOLDER, name="Top")
    view: Any = Folder(Place(folder.id), folder, [], ElementPage(items=(inside,), total=1)).view(tab)
    asked = {"id": str(inside.id), "value": ""}
    view._list._handle_msg(asked | {"do": "rename", "value": "New"})
    view._list._handle_msg(asked | {"do": "archive"})
    assert tab.catalogue.asked == [(inside.id, {"name": "New", "revision": 1}), (inside.id, "archive")]
    assert tab.refreshed == 2
    for name, reason in (("Taken", "Inner: There is a “Taken” here already."), ("a/b", "name")):
        view._list._handle_msg(asked | {"do": "rename", "value": name})
        assert reason in view._title.problem
    view._list._handle_msg(asked | {"do": "delete"})
    assert (view._title.problem, tab.visited) == ("", [])
    view._title._handle_msg({"do": "delete", "id": str(folder.id), "value": ""})
    assert tab.catalogue.asked[-1] == (folder.id, "delete")
    assert tab.visited == [Place(folder.parent_id)]


@pytest.mark.feature("WS-11", "WS-14")
def test_several_are_archived_at_once_and_the_refused_are_named() -> None:
    tab: Any = Tab()
    inside = tuple(made(ElementKind.WORKFLOW, name=f"W{number}") for number in range(3))
    folder = made(ElementKind.FOLDER, name="Top")
    view: Any = Folder(Place(folder.id), folder, [], ElementPage(items=inside, total=3)).view(tab)
    tab.catalogue.locked = inside[0].id
    view._list._handle_msg({"do": "archive", "ids": [str(one.id) for one in inside[:2]]})
    assert tab.catalogue.asked == [(inside[1].id, "archive")]
    assert view._title.problem == "1 of 2 could not be done. W0: Somebody works on it."
    assert tab.refreshed == 1


def job(state: JobState, **more: Any) -> Job:
    """A job of alice's."""
    given = {"element_id": uuid4(), "element_name": "Grid 3", "done": 3, "total": 10} | more
    return Job(id=uuid4(), kind="export", label="Export", state=state, initiator="alice", created=WHEN, **given)


@pytest.mark.feature("JB-01", "JB-02", "JB-03", "JB-04")
def test_jobs_stand_in_groups_and_are_acted_on() -> None:
    tab: Any = Tab()
    running = job(JobState.RUNNING, actions=(JobAction.CANCEL,))
    failed = job(
        JobState.FAILED, message="The disk is full.", item="a.mrc", actions=(JobAction.RETRY, JobAction.REMOVE)
    )
    hidden = job(JobState.PENDING, element_id=None, element_name="Private entity")
    page = Jobs(Place(page="jobs"), (failed, hidden, running))
    view: Any = page.view(tab)
    board = view._jobs._board
    groups = board.groups
    assert [(group["state"], len(group["jobs"])) for group in groups] == [("running", 1), ("pending", 1), ("failed", 1)]
    assert (groups[2]["jobs"][0]["message"], groups[2]["jobs"][0]["item"]) == ("The disk is full.", "a.mrc")
    assert groups[1]["jobs"][0]["search"] == ""
    board._handle_msg({"do": "cancel", "id": str(running.id)})
    board._handle_msg({"do": "retry", "id": str(failed.id)})
    board._handle_msg({"do": "remove-ended"})
    assert tab.catalogue.asked == [(running.id, "cancel"), (failed.id, "retry"), (None, "remove-ended")]
    assert tab.refreshed == 3
    assert view.concerns(Event(seq=1, kind=EventKind.JOB_CHANGED, time=WHEN))
    assert view.update(replace(page, jobs=()))
    assert board.groups == []


@pytest.mark.feature("JB-01")
def test_the_tool_bar_counts_what_runs_waits_and_failed() -> None:
    jobs = [job(state) for state in (JobState.RUNNING, JobState.RUNNING, JobState.FAILED, JobState.FINISHED)]
    assert badge_of(jobs) == {"count": 3, "failed": True, "hint": "2 running, 1 failed"}
    assert badge_of(jobs[3:]) == {"count": 0, "failed": False, "hint": "none running"}
