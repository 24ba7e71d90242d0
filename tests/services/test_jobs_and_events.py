"""Jobs and events as each caller may see them."""

from collections.abc import Callable

import pytest

from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.jobs import JobState
from athena.contract.people import Principal, Role
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.errors import Invalid
from athena.services import events, jobs

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


@pytest.mark.feature("SH-06")
def test_names_of_private_elements_are_masked(
    database: Database, make_user: MakeUser, make_run: Make, grant: Callable[..., None]
) -> None:
    alice, bob, admin = make_user(), make_user(), make_user(admin=True)
    run = make_run(alice, "Secret run")
    with database.session() as session:
        for state in JobState:
            session.add(
                JobRow(
                    kind="processing",
                    state=state.value,
                    element_id=run.id if state is JobState.RUNNING else None,
                    initiator_id=alice.user_id,
                    message="12 of 20 movies of Secret run",
                    done=12,
                    total=20,
                )
            )
    with database.session(read_only=True) as session:
        states = {user.username: {job.state for job in jobs.list_jobs(session, user)} for user in (alice, bob, admin)}
        assert states == {
            "alice": set(JobState),
            "bob": {JobState.PENDING, JobState.RUNNING},
            admin.username: set(JobState),
        }
        running = {
            user.username: next(job for job in jobs.list_jobs(session, user) if job.state is JobState.RUNNING)
            for user in (alice, bob, admin)
        }
        assert running["alice"].element_name == running[admin.username].element_name == "Secret run"
        assert running["bob"].element_name == "Private entity"
        assert (running["bob"].element_id, running["bob"].message) == (None, "")
        assert (running["bob"].done, running["bob"].total, running["bob"].initiator) == (12, 20, "alice")
        assert len(jobs.list_jobs(session, alice, limit=2)) == 2
        with pytest.raises(Invalid):
            jobs.list_jobs(session, alice, limit=0)
    grant(run, bob, Role.VIEWER)
    with database.session(read_only=True) as session:
        assert "Secret run" in {job.element_name for job in jobs.list_jobs(session, bob)}


@pytest.mark.feature("SH-06")
def test_events_are_pulled_in_pages_and_pass_over_the_unseen(
    database: Database, make_user: MakeUser, make_folder: Make
) -> None:
    alice, bob, admin = make_user(), make_user(), make_user(admin=True)
    mine, other = make_folder(alice), make_folder(bob)
    with database.session() as session:
        for number in range(10):
            folder = mine if number % 2 else other
            append_event(session, EventKind.ELEMENT_UPDATED, element_id=folder.id, version=number)
        append_event(session, EventKind.ELEMENT_UPDATED)
    with database.session(read_only=True) as session:
        assert events.list_events(session, alice, -1) == events.list_events(session, alice, 13)
        seen = []
        after = 2
        while after < 13:
            page = events.list_events(session, alice, after, limit=2)
            seen += page.events
            assert page.last_seq > after
            after = page.last_seq
        assert [event.version for event in seen] == [1, 3, 5, 7, 9]
        assert {event.element_id for event in seen} == {mine.id}
        assert len(events.list_events(session, admin, 0).events) == 13
        # a client of a database that was replaced learns where the log stands
        assert events.list_events(session, alice, 99).last_seq == 13
        for bad in ({"after": -2}, {"after": 0, "limit": 0}):
            with pytest.raises(Invalid):
                events.list_events(session, alice, **bad)
