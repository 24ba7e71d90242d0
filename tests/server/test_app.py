"""The app as a whole: problems, limits, the event clock, starting and stopping."""

import concurrent.futures
import json
import stat
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from athena.contract.base import Problem
from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.people import Principal, PrincipalKind
from athena.db.engine import Database
from athena.db.events import append_event
from athena.errors import Unavailable
from athena.server.app import create_app
from athena.server.limits import MAX_BODY_BYTES
from athena.server.run import serving
from athena.services import users
from athena.settings import Settings
from tests.server.conftest import Api

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def problem(answer: httpx.Response, status: int, code: str) -> Problem:
    assert answer.status_code == status, answer.text
    found = Problem.model_validate_json(answer.content)
    assert found.code == code
    assert answer.headers["cache-control"] == "no-store"
    return found


@only_sqlite
def test_every_error_is_a_problem(api: Api) -> None:
    owner = api.owner
    assert "/api/nothing" in problem(owner.get("/nothing"), 404, "not_found").message
    problem(owner.get("/elements/"), 404, "not_found")
    problem(owner.delete("/elements"), 405, "invalid")
    problem(owner.get("/elements/not-a-uuid"), 422, "invalid")
    problem(owner.get("/elements", params={"limit": 1001}), 422, "invalid")
    problem(owner.post("/elements", json={"kind": "folder", "name": "a/b"}), 422, "invalid")
    problem(owner.post("/elements", content=b"{", headers={"content-type": "application/json"}), 422, "invalid")
    secret = problem(owner.post("/auth/password", json={"username": "alice", "password": ["hunter2"]}), 422, "invalid")
    assert "hunter2" not in secret.message


def test_a_failure_says_where_to_look_and_nothing_else(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    from athena.server import run

    chosen = Settings(home=settings.home, api_port=0, log_level="WARNING")

    def failing(given: Settings) -> FastAPI:
        app = create_app(given)

        @app.get("/api/failing")
        def fail() -> None:
            raise RuntimeError("the inner workings")

        return app

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "create_app", failing)
        with serving(chosen) as url:
            failed = httpx.get(f"{url}/api/failing")
    found = problem(failed, 500, "error")
    assert "inner workings" not in found.message
    assert failed.headers["x-content-type-options"] == "nosniff"
    mark = found.message.split("problem ")[1].split(")")[0]
    assert mark in caplog.text


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_is_away_is_said_plainly(api: Api, database: Database) -> None:
    owner = api.owner
    assert owner.get("/me").status_code == 200
    name = database.engine.url.database
    maintenance = Database(database.engine.url.set(database="postgres").render_as_string(hide_password=False))
    with maintenance.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %(name)s", {"name": name}
        )
        problem(owner.get("/elements"), 503, "unavailable")
        connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    maintenance.dispose()
    assert owner.get("/elements").status_code == 200


@only_sqlite
def test_large_bodies_are_refused(api: Api) -> None:
    body = b"[" * (MAX_BODY_BYTES + 1)

    def pieces() -> Any:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    problem(api.owner.post("/elements", content=body), 413, "invalid")
    try:
        answer = api.owner.post("/elements", content=pieces(), headers={"content-type": "application/json"})
    except httpx.WriteError:
        return  # the server answered and closed before all of it was sent
    problem(answer, 413, "invalid")


@only_sqlite
@pytest.mark.feature("HB-01")
def test_passwords_are_checked_for_services_alone(api: Api, database: Database) -> None:
    with database.session() as session:
        owner = users.principal_for(session, users.ensure_local_user(session, "carol").username)
        users.create_user(session, owner, "alice", password="wonderland")
        service = users.ensure_user(session, "front door")
        token = users.issue_token(session, service.id, "test", kind=PrincipalKind.SERVICE)
    client = api.with_token(token)
    right = client.post("/auth/password", json={"username": "alice", "password": "wonderland"})
    assert right.json()["username"] == "alice"
    for name, password in (("alice", "Wonderland"), ("bob", "wonderland"), ("alice", ""), ("", "wonderland")):
        answer = client.post("/auth/password", json={"username": name, "password": password})
        problem(answer, 401, "unauthorized")
    problem(client.post("/elements", json={"kind": "folder", "name": "Mine"}), 403, "forbidden")
    problem(api.owner.post("/auth/password", json={"username": "alice", "password": "wonderland"}), 403, "forbidden")


@only_sqlite
def test_other_origins_get_no_leave(api: Api) -> None:
    answer = api.owner.get("/elements", headers={"Origin": "http://elsewhere.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert api.anonymous.options("/elements", headers={"Origin": "http://elsewhere.example"}).status_code == 405


@pytest.mark.feature("EQ-01", "SH-06")
def test_events_wake_who_waits(
    api: Api, database: Database, make_user: Callable[..., Principal], make_folder: Callable[..., Element]
) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    folder = make_folder(alice)
    hers, his = api.client(alice), api.client(bob)
    last = hers.get("/events", params={"after": -1}).json()["last_seq"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        woken = pool.submit(lambda: (hers.get("/events", params={"after": last, "wait": 20}), time.monotonic()))
        asleep = pool.submit(lambda: his.get("/events", params={"after": last, "wait": 2.5}))
        # another process's event: the API is not told, it reads the database
        with concurrent.futures.ThreadPoolExecutor() as other:
            other.submit(lambda: concurrent.futures.wait([woken], timeout=0.5)).result()
        with database.session() as session:
            append_event(session, EventKind.ELEMENT_UPDATED, element_id=folder.id)
        appended = time.monotonic()
        answer, came = woken.result(timeout=20)
        nothing = asleep.result(timeout=20).json()
    (event,) = answer.json()["events"]
    assert (event["seq"], event["element_id"]) == (last + 1, str(folder.id))
    assert came - appended < 2
    # not his to know; but he goes on after it
    assert nothing == {"events": [], "last_seq": last + 1}


@only_sqlite
def test_a_client_ahead_of_a_replaced_database_is_told(api: Api) -> None:
    page = api.owner.get("/events", params={"after": 10**6, "wait": 0}).json()
    assert page["last_seq"] < 10**6


def test_stopping_lets_long_polls_go(settings: Settings) -> None:
    chosen = Settings(home=settings.home, api_port=0, log_level="WARNING")
    with concurrent.futures.ThreadPoolExecutor() as pool, httpx.Client(timeout=40) as client:
        with serving(chosen) as url:
            client.headers["Authorization"] = f"Bearer {chosen.token_file.read_text().strip()}"
            ask = {"after": 0, "wait": 30}
            polls = [pool.submit(client.get, f"{url}/api/events", params=ask) for _ in range(3)]
            concurrent.futures.wait(polls, timeout=0.5)
            started = time.monotonic()
        answers = [poll.result(timeout=10) for poll in polls]
    assert time.monotonic() - started < 10
    assert [answer.status_code for answer in answers] == [200] * 3


def test_the_local_token_is_made_once_and_kept_private(settings: Settings) -> None:
    chosen = Settings(home=settings.home, api_port=0, log_level="WARNING")
    tokens = []
    for _ in range(2):
        with serving(chosen) as url:
            tokens.append(chosen.token_file.read_text().strip())
            me = httpx.get(f"{url}/api/me", headers={"Authorization": f"token {tokens[-1]}"}).json()
            assert me["roles"] == ["customer-admin"]
    assert tokens[0] == tokens[1]
    assert stat.S_IMODE(chosen.token_file.stat().st_mode) == 0o600


@only_sqlite
def test_a_taken_port_is_said_plainly(api: Api) -> None:
    port = int(api.url.rsplit(":", 1)[1])
    taken = api.settings.model_copy(update={"api_port": port})
    with pytest.raises(Unavailable, match=str(port)), serving(taken):
        pass


def test_behind_a_prefix_the_routes_are_the_same(settings: Settings) -> None:
    chosen = Settings(home=settings.home, api_port=0, api_prefix="/services/athena-api", log_level="WARNING")
    with serving(chosen) as url:
        for prefix in ("", "/services/athena-api"):
            assert httpx.get(f"{url}{prefix}/api/health").json()["status"] == "ok"
            assert httpx.get(f"{url}{prefix}/api/me").status_code == 401
        problem(httpx.get(f"{url}/services/other/api/health"), 404, "not_found")


def test_the_committed_contract_is_current() -> None:
    from athena.server.openapi import TARGET, openapi_text

    assert TARGET.read_text() == openapi_text(), "run 'make openapi' and commit docs/openapi.json"


def test_the_contract_names_no_place_of_this_machine(settings: Settings) -> None:
    assert str(settings.home) not in json.dumps(create_app(settings).openapi())
