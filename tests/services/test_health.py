"""Services report themselves; the silent are down, the crashed are replaced; administrators see it all."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import Element
from athena.contract.health import ClusterHealth, InstanceHealth, ServiceHealth, ServiceKind, ServiceState, WorkerHealth
from athena.contract.jobs import JobKind
from athena.contract.people import Principal, PrincipalKind
from athena.db import base
from athena.db.engine import Database
from athena.db.health import ServiceRow
from athena.db.jobs import JobRow
from athena.db.storages import StorageRow
from athena.errors import Forbidden
from athena.services import plugins
from athena.services.health import list_services, report_service
from athena.services.heartbeat import Heartbeat, Standing, introduce
from athena.settings import Settings


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def admin(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice", admin=True)


@pytest.fixture
def look(database: Database, admin: Principal, settings: Settings) -> Callable[[], InstanceHealth]:
    def listed() -> InstanceHealth:
        with database.session(read_only=True) as session:
            return list_services(session, admin, settings=settings)

    return listed


def of(found: InstanceHealth, kind: ServiceKind) -> list[ServiceHealth]:
    return [one for one in found.services if one.kind is kind]


@pytest.mark.feature("AD-02")
def test_a_service_is_there_while_it_lives_and_gone_after_a_clean_stop(
    database: Database, look: Callable[[], InstanceHealth]
) -> None:
    workers = (WorkerHealth(name="0", threads=1),)
    cluster = ClusterHealth(address="tcp://127.0.0.1:1", version="2026.1", wanted=2, in_flight=3, workers=workers)
    said = [Standing("The Dask cluster starts."), Standing("", cluster)]
    (none,) = of(look(), ServiceKind.RUNNER)
    assert none.state is ServiceState.DOWN
    assert "athena runner" in none.message

    def describe() -> Standing:
        return said.pop(0) if len(said) > 1 else said[0]

    with Heartbeat(database, ServiceKind.RUNNER, period_s=0.3, describe=describe):
        wait_for(lambda: of(look(), ServiceKind.RUNNER)[0].state is ServiceState.WAITING)
        assert of(look(), ServiceKind.RUNNER)[0].message == "The Dask cluster starts."
        wait_for(lambda: of(look(), ServiceKind.RUNNER)[0].state is ServiceState.STABLE)
        (runner,) = of(look(), ServiceKind.RUNNER)
        assert (runner.pid, runner.version) == (os.getpid(), look().version)
        (dask,) = of(look(), ServiceKind.DASK)
        assert (dask.state, dask.message, dask.version) == (
            ServiceState.WAITING,
            "1 of 2 workers are there.",
            "2026.1",
        )
    with database.session(read_only=True) as session:
        assert session.scalars(select(ServiceRow)).all() == []


@pytest.mark.feature("AD-02")
def test_a_silent_service_is_down_until_another_takes_its_place(
    database: Database, look: Callable[[], InstanceHealth], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    mine = introduce(ServiceKind.RUNNER, period_s=10)
    started = datetime.fromtimestamp(psutil.Process(child.pid).create_time(), UTC)
    elsewhere = mine.model_copy(update={"id": introduce(ServiceKind.API, period_s=1).id, "host": "another-machine"})
    with database.session() as session:
        for report in (mine.model_copy(update={"pid": child.pid, "started": started}), elsewhere):
            session.add(ServiceRow(**report.model_dump(exclude={"cluster"})))
    assert {one.state for one in of(look(), ServiceKind.RUNNER)} == {ServiceState.STABLE}
    child.kill()
    child.wait()
    now = base.now
    monkeypatch.setattr(base, "now", lambda: now() + timedelta(seconds=31))
    assert {one.state for one in of(look(), ServiceKind.RUNNER)} == {ServiceState.DOWN}
    assert "Silent for 3" in of(look(), ServiceKind.RUNNER)[0].message
    monkeypatch.setattr(base, "now", now)
    with Heartbeat(database, ServiceKind.RUNNER, period_s=10):
        # the killed one of this machine is forgotten; whether the other machine's lives cannot be known here
        wait_for(
            lambda: (
                {one.pid for one in of(look(), ServiceKind.RUNNER) if one.host != "another-machine"} == {os.getpid()}
            )
        )
        assert len(of(look(), ServiceKind.RUNNER)) == 2


@pytest.mark.feature("AD-02")
def test_queues_are_counted_over_the_whole_instance(
    database: Database,
    look: Callable[[], InstanceHealth],
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    add_acquisitions_to: Callable[..., None],
) -> None:
    bob = make_user("bob")
    created = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    for number, state in enumerate(("pending", "pending", "running", "finished")):
        run = make_run(bob, f"Run {number}", acquisitions=2)
        with database.session() as session:
            session.add(
                JobRow(
                    kind=JobKind.PROCESSING.value,
                    state=state,
                    element_id=run.id,
                    initiator_id=bob.user_id,
                    created=created + timedelta(hours=number),
                )
            )
    add_acquisitions_to(run, count=3, state=AcquisitionState.PROCESSING)
    add_acquisitions_to(run, count=1, state=AcquisitionState.COMPLETED)
    queue = look().queue
    assert (queue.jobs_waiting, queue.jobs_running, queue.oldest_waiting) == (2, 1, created)
    assert (queue.movies_waiting, queue.movies_processing) == (8, 3)
    (found,) = of(look(), ServiceKind.DATABASE)
    assert (found.name, found.state) == (
        "SQLite" if database.is_sqlite else "PostgreSQL",
        ServiceState.STABLE,
    )
    assert found.version[0].isdigit()


def test_a_storage_that_cannot_be_written_is_down(
    look: Callable[[], InstanceHealth], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {one.state for one in of(look(), ServiceKind.STORAGE)} == {ServiceState.STABLE}
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode & os.W_OK == 0 and access(path, mode))
    assert {one.state for one in of(look(), ServiceKind.STORAGE)} == {ServiceState.DOWN}


@pytest.mark.feature("AD-02")
def test_connected_storages_stand_as_the_last_look_found_them(
    look: Callable[[], InstanceHealth], database: Database
) -> None:
    with database.session() as session:
        session.add(StorageRow(name="Bucket", url="s3://b", role="archive", state="down", message="No such bucket."))
        session.add(StorageRow(name="New", url="home:new", role="export"))
    found = {one.name: (one.state, one.message) for one in of(look(), ServiceKind.STORAGE)}
    assert found["storage “Bucket” (archive)"] == (ServiceState.DOWN, "No such bucket.")
    assert found["storage “New” (export)"] == (ServiceState.WAITING, "It has not been looked at yet.")


@pytest.mark.feature("AD-02")
def test_only_administrators_look_and_only_portals_report_here(
    database: Database, make_user: Callable[..., Principal], settings: Settings
) -> None:
    bob = make_user("bob")
    service = Principal(user_id=bob.user_id, username="athena-portal", kind=PrincipalKind.SERVICE)
    portal = introduce(ServiceKind.PORTAL, period_s=10)
    runner = introduce(ServiceKind.RUNNER, period_s=10)
    with database.session() as session:
        for principal in (bob, service):
            with pytest.raises(Forbidden):
                list_services(session, principal, settings=settings)
        with pytest.raises(Forbidden):
            report_service(session, bob, portal)
        with pytest.raises(Forbidden):
            report_service(session, service, runner)
        assert session.scalars(select(ServiceRow)).all() == []
        report_service(session, service, portal)
        session.flush()
        (row,) = session.scalars(select(ServiceRow)).all()
        assert row.kind == "portal"
        session.add(ServiceRow(**runner.model_dump(exclude={"cluster"})))
        session.flush()
        with pytest.raises(Forbidden, match="another service"):
            report_service(session, service, portal.model_copy(update={"id": runner.id}))


@pytest.mark.feature("AD-03")
def test_plugins_are_found_with_type_and_version(
    monkeypatch: pytest.MonkeyPatch, make_user: Callable[..., Principal]
) -> None:
    folder = Path(__file__).resolve().parents[1] / "jobs" / "plugin"
    monkeypatch.syspath_prepend(str(folder))
    plugins.installed_plugins.cache_clear()
    try:
        found = plugins.list_plugins(make_user("bob"))
    finally:
        plugins.installed_plugins.cache_clear()
    by_name = {(one.type, one.name): one for one in found}
    assert by_name["acquisition", "epu"].distribution == "athena-cryoem"
    assert by_name["steps", "test"].version == "1.0"
    assert "athena_test_plugin" not in sys.modules or by_name  # listing imports nothing
