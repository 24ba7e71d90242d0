"""The life of a job as a state machine: the services and the worker's own moves against a plain model."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from athena.contract.elements import Element
from athena.contract.jobs import JobAction, JobCreate
from athena.contract.people import Principal
from athena.db.base import now
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.domain.job_life import JobMove, pause_seconds
from athena.errors import Conflict, NotFound
from athena.jobs.context import JobCancelled, JobContext
from athena.jobs.leases import JobLease, LeaseLost, take_job
from athena.services import jobs
from athena.services.job_kinds import load_kind
from athena.settings import Settings


def machine(database: Database, alice: Principal, bob: Principal, run: Element, chosen: Settings, out: Path) -> type:
    """State machine over one element's jobs of a slot that takes one at a time."""

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.states: dict[UUID, str] = {}
            self.cancelling: set[UUID] = set()
            self.progress: dict[UUID, int] = {}
            self.leases: dict[UUID, list[JobLease]] = {}
            with database.session() as session:
                session.query(JobRow).delete()

        # ── what people do ──

        @rule()
        def start(self) -> None:
            wanted = JobCreate(kind="count", element_id=run.id, parameters={"file": str(out), "to": 9})
            if self.open():
                with pytest.raises(Conflict), database.session() as session:
                    jobs.start_job(session, alice, wanted, settings=chosen)
                return
            with database.session() as session:
                job = jobs.start_job(session, alice, wanted, settings=chosen)
            self.states[job.id], self.progress[job.id], self.leases[job.id] = "pending", 0, []

        @precondition(lambda self: self.states)
        @rule(data=st.data(), what=st.sampled_from(["cancel", "retry", "remove"]))
        def steer(self, data: Any, what: str) -> None:
            job_id = data.draw(st.sampled_from(list(self.states)))
            state = self.states[job_id]
            allowed = {
                "cancel": state in ("pending", "running"),
                "retry": state in ("failed", "cancelled") and not self.open(),
                "remove": state in ("finished", "failed", "cancelled"),
            }[what]
            act: Callable[..., Any] = {"cancel": jobs.cancel_job, "retry": jobs.retry_job, "remove": jobs.remove_job}[
                what
            ]
            if not allowed:
                with pytest.raises(Conflict), database.session() as session:
                    act(session, alice, job_id)
                return
            with database.session() as session:
                act(session, alice, job_id)
            if what == "remove":
                del self.states[job_id], self.leases[job_id]
            elif what == "retry":
                self.states[job_id] = "pending"
            elif state == "pending":
                self.states[job_id] = "cancelled"
            else:
                self.cancelling.add(job_id)

        # ── what runners do ──

        @rule(owner=st.sampled_from(["there:1:0:a", "elsewhere:1:0:b"]), died=st.booleans())
        def take(self, owner: str, died: bool) -> None:
            with database.session() as session:
                if died:
                    session.query(JobRow).update({"lease_until": now() - timedelta(seconds=1), "not_before": None})
                lease = take_job(session, owner=owner, seconds=60, kinds=("count",))
            if lease is None:
                return
            assert self.states[lease.job_id] in ("pending", "running")
            assert all(lease.fence > older.fence for older in self.leases[lease.job_id])
            self.states[lease.job_id] = "running"
            self.leases[lease.job_id].append(lease)

        @precondition(lambda self: any(self.leases.values()))
        @rule(data=st.data(), move=st.sampled_from(["progress", "finish", "fail", "postpone"]))
        def work(self, data: Any, move: str) -> None:
            job_id = data.draw(st.sampled_from([one for one, held in self.leases.items() if held]))
            lease = data.draw(st.sampled_from(self.leases[job_id]))
            valid = lease is self.leases[job_id][-1] and self.states[job_id] == "running"
            with database.session(read_only=True) as session:
                row = session.get_one(JobRow, job_id)
            context = JobContext(chosen, database, lease, spec=load_kind("count"), row=row)
            if not valid:
                with pytest.raises((LeaseLost, JobCancelled)):
                    self.move(context, move)
                return
            try:
                self.move(context, move)
            except JobCancelled:
                assert job_id in self.cancelling
                context.end(JobMove.CALL_OFF, message="Cancelled.", values={})
                self.states[job_id] = "cancelled"
            else:
                self.states[job_id] = {"finish": "finished", "fail": "failed", "postpone": "pending"}.get(
                    move, "running"
                )
                self.progress[job_id] += move == "progress"
            if self.states[job_id] != "running":
                self.cancelling.discard(job_id)

        def move(self, context: JobContext, move: str) -> None:
            if move == "progress":
                context.checkpoint["done"] = context.checkpoint.get("done", 0) + 1
                context.progress(context.checkpoint["done"], 9, save=True)
            elif move == "finish":
                context.end(JobMove.FINISH, values={})
            elif move == "fail":
                context.end(JobMove.FAIL, message="it broke", item="number 3", values={})
            else:
                context.end(JobMove.POSTPONE, values={"not_before": now() + timedelta(hours=1)})

        # ── what always holds ──

        @invariant()
        def rows_are_as_the_model_says(self) -> None:
            with database.session(read_only=True) as session:
                mine = {job.id: job for job in jobs.list_jobs(session, alice)}
                theirs = {job.id: job for job in jobs.list_jobs(session, bob)}
                rows = {row.id: row for row in session.query(JobRow)}
            assert {job_id: job.state.value for job_id, job in mine.items()} == self.states
            assert len(self.open()) <= 1
            assert set(theirs) == set(self.open())
            for job_id, job in mine.items():
                assert (job.finished is not None) == (job.state.value in ("finished", "failed", "cancelled"))
                assert job.cancelling == (job_id in self.cancelling)
                assert rows[job_id].checkpoint.get("done", 0) == job.done == self.progress[job_id]
                assert (job.item != "") == (job.state.value == "failed")
                assert (JobAction.REMOVE in job.actions) == (job.finished is not None)

        def open(self) -> list[UUID]:
            return [job_id for job_id, state in self.states.items() if state in ("pending", "running")]

    return Life


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.feature("JB-01", "JB-03", "JB-04")
def test_every_way_through_a_jobs_life_is_one_of_the_model(
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    quick: Settings,
    tmp_path: Path,
) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    life = machine(database, alice, bob, make_run(alice), quick, tmp_path / "numbers")
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def test_pauses_grow_and_end_growing() -> None:
    pauses = [pause_seconds(attempts) for attempts in range(1, 60)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[1], pauses[-1]) == (5.0, 10.0, 600.0)


def test_nobody_steers_what_is_not_there(database: Database, make_user: Callable[..., Principal]) -> None:
    alice = make_user("alice")
    for act in (jobs.get_job, jobs.cancel_job, jobs.retry_job, jobs.remove_job):
        with pytest.raises(NotFound), database.session() as session:
            act(session, alice, UUID(int=0))
