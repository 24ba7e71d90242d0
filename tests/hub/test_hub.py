"""Log-in at the hub with Athena's passwords, and the hub's tokens at Athena's API."""

import concurrent.futures
import json
import uuid
from pathlib import Path

import httpx
import pytest
import websocket

from athena.contract.people import Principal, PrincipalKind
from athena.db.engine import Database
from athena.errors import Unauthorized, Unavailable
from athena.server.auth.hub import CACHE_SECONDS, HubAuth
from athena.services import licences, users
from tests.hub.conftest import Hub, free_ports, wait_until

pytestmark = pytest.mark.slow


def me(hub: Hub, token: str, *, scheme: str = "token") -> httpx.Response:
    return httpx.get(f"{hub.api_url}/me", headers={"Authorization": f"{scheme} {token}"}, timeout=30)


@pytest.mark.feature("HB-01")
def test_a_hub_log_in_is_the_person_at_the_api(hub: Hub) -> None:
    for name, password in (("alice", "wonderland"), ("Dora Mixed", "upper and lower")):
        with hub.browser(name, password) as browser:
            token = hub.new_token(browser, name)
        for scheme in ("token", "Bearer"):
            assert me(hub, token, scheme=scheme).json()["username"] == name
        # people may not check each other's passwords
        answer = httpx.post(
            f"{hub.api_url}/auth/password",
            json={"username": "bob", "password": "can we fix it"},
            headers={"Authorization": f"token {token}"},
        )
        assert answer.status_code == 403


@pytest.mark.feature("HB-01")
@pytest.mark.parametrize(
    ("name", "password"), [("alice", "Wonderland"), ("alice", ""), ("mallory", "wonderland"), ("ALICE", "wonderland")]
)
def test_others_are_refused(hub: Hub, name: str, password: str) -> None:
    with hub.browser(name, password) as browser:
        assert browser.get("/hub/api/user").status_code == 403
        assert browser.get("/hub/home").headers["location"].startswith("/hub/login")


@pytest.mark.feature("HB-01", "AD-08")
def test_the_unlicensed_are_refused_with_the_reason(hub: Hub) -> None:
    database, name = Database(hub.settings.resolved_database_url), "seatless"
    carol = principal(database, "carol")
    settings = hub.settings.model_copy(update={"auth": "hub"})
    with hub.browser(name, "stands in line") as browser:
        form = {"username": name, "password": "stands in line", "_xsrf": browser.cookies["_xsrf"]}
        refused = browser.post("/hub/login", data=form)
        assert refused.status_code == 403
        assert "You have no licence" in refused.text
        assert browser.get("/hub/home").headers["location"].startswith("/hub/login")
    with database.session() as session:
        licences.take_seat(session, carol, principal(database, "bob").user_id)
        licences.give_seat(session, carol, principal(database, name).user_id, settings=settings)
    try:
        with hub.browser(name, "stands in line") as browser:
            token = hub.new_token(browser, name)
            assert me(hub, token).json()["username"] == name
            with database.session() as session:
                licences.take_seat(session, carol, principal(database, name).user_id)
            # both at the API and at the hub, which asks before it starts anything
            assert (me(hub, token).status_code, me(hub, token).json()["code"]) == (403, "login_refused")
            asked = browser.post(f"/hub/api/users/{name}/server", headers=hub.page_headers(browser), json={})
            assert asked.status_code == 403, asked.text
    finally:
        with database.session() as session:
            licences.give_seat(session, carol, principal(database, "bob").user_id, settings=settings)
        database.dispose()


def principal(database: Database, username: str) -> Principal:
    with database.session(read_only=True) as session:
        return users.principal_for(session, username)


@pytest.mark.feature("HB-01")
def test_passwords_cannot_be_tried_for_ever(hub: Hub) -> None:
    for _ in range(5):
        with hub.browser("mallory", "a guess") as browser:
            pass
    with httpx.Client(base_url=hub.url, timeout=60) as browser:
        browser.get("/hub/login")
        form = {"username": "mallory", "password": "another", "_xsrf": browser.cookies["_xsrf"]}
        answer = browser.post("/hub/login", data=form)
        assert answer.status_code == 429
        assert "Try again in" in answer.text


@pytest.mark.feature("HB-01", "BY-07")
def test_tokens_of_scripts_work_beside_the_hubs(hub: Hub) -> None:
    with hub.browser("alice", "wonderland") as browser:
        headers = {"Authorization": f"token {hub.new_token(browser, 'alice')}"}
    made = httpx.post(f"{hub.api_url}/tokens", json={"name": "script"}, headers=headers, timeout=30).json()
    assert me(hub, made["text"], scheme="Bearer").json()["username"] == "alice"
    script = {"Authorization": f"Bearer {made['text']}"}
    folder = {"kind": "folder", "name": "By a script"}
    assert httpx.post(f"{hub.api_url}/elements", json=folder, headers=script, timeout=30).status_code == 403
    gone = httpx.delete(f"{hub.api_url}/tokens/{made['token']['id']}", headers=headers, timeout=30)
    assert gone.status_code == 204
    assert me(hub, made["text"]).status_code == 401


@pytest.mark.feature("HB-01")
def test_only_tokens_with_leave_reach_athena(hub: Hub) -> None:
    with hub.browser("alice", "wonderland") as browser:
        narrow = hub.new_token(browser, "alice", scopes=["read:users:name!user"])
        wide = hub.new_token(browser, "alice", scopes=["access:services!service=athena-api"])
    assert me(hub, narrow).status_code == 401
    assert me(hub, wide).json()["username"] == "alice"
    assert me(hub, "0" * 32).status_code == 401
    odd = {b"Authorization": "token ünïcode".encode()}
    assert httpx.get(f"{hub.api_url}/me", headers=odd, timeout=30).status_code == 401
    # the token of the instance's home belongs to local mode
    assert not hub.settings.token_file.exists()


@pytest.mark.feature("HB-01")
def test_the_hub_is_asked_again_once_its_word_is_old(hub: Hub) -> None:
    database, moment = Database(hub.settings.resolved_database_url), [100.0]
    auth = HubAuth(
        database,
        api_url=f"http://127.0.0.1:{hub.settings.hub_internal_port}/hub/api",
        access_scopes=frozenset(["access:services!service=athena-api"]),
        clock=lambda: moment[0],
    )
    auth.prepare()
    service = auth.authenticate((hub.settings.home / "hub" / "login_token").read_text())
    assert (service.username, service.kind, service.roles) == ("athena-login", PrincipalKind.SERVICE, frozenset())
    with hub.browser("Dora Mixed", "upper and lower") as browser:
        token = hub.new_token(browser, "Dora Mixed")
        principal = auth.authenticate(token)
        assert (principal.username, principal.kind, principal.is_admin) == ("Dora Mixed", PrincipalKind.HUB, True)
        listed = browser.get("/hub/api/users/Dora%20Mixed/tokens", headers=hub.page_headers(browser)).json()
        for one in listed["api_tokens"]:
            place = f"/hub/api/users/Dora%20Mixed/tokens/{one['id']}"
            assert browser.delete(place, headers=hub.page_headers(browser)).status_code == 204
    assert auth.authenticate(token) == principal
    moment[0] += CACHE_SECONDS
    with pytest.raises(Unauthorized):
        auth.authenticate(token)
    auth.close()
    database.dispose()


def test_a_hub_that_is_away_is_not_a_wrong_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'athena.db'}")
    (port,) = free_ports(1)
    monkeypatch.setenv("JUPYTERHUB_API_URL", f"http://127.0.0.1:{port}/hub/api")
    auth = HubAuth.from_environment(database)
    with pytest.raises(Unavailable):
        auth.authenticate("a" * 32)
    auth.close()
    monkeypatch.delenv("JUPYTERHUB_API_URL")
    with pytest.raises(Unavailable, match="JUPYTERHUB_API_URL"):
        HubAuth.from_environment(database)
    database.dispose()


@pytest.mark.feature("HB-01")
def test_services_own_nothing_and_see_nothing(hub: Hub) -> None:
    token = (hub.settings.home / "hub" / "login_token").read_text()
    headers = {"Authorization": f"token {token}"}
    assert httpx.get(f"{hub.api_url}/elements", headers=headers).json() == {"items": [], "total": 0, "offset": 0}
    assert httpx.get(f"{hub.api_url}/me", headers=headers).status_code == 404
    refused = httpx.post(f"{hub.api_url}/elements", headers=headers, json={"kind": "folder", "name": "Mine"})
    assert refused.status_code == 403


def test_the_proxy_lets_more_than_ten_wait(hub: Hub) -> None:
    with hub.browser("alice", "wonderland") as browser:
        headers = {"Authorization": f"token {hub.new_token(browser, 'alice')}"}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        ask = {"after": 0, "wait": 8}
        polls = [
            pool.submit(httpx.get, f"{hub.api_url}/events", params=ask, headers=headers, timeout=60) for _ in range(14)
        ]
        concurrent.futures.wait(polls, timeout=1.5)
        assert httpx.get(f"{hub.api_url}/health", timeout=30).status_code == 200
        assert not any(poll.done() for poll in polls), "the question had to wait for those who wait"
        assert {poll.result().status_code for poll in polls} == {200}


def test_secrets_are_private_and_stay(hub: Hub) -> None:
    from hub_config.launch import hub_command

    folder = hub.settings.home / "hub"
    secrets = [*sorted(path.name for path in folder.glob("*_token")), "cookie_secret"]
    assert secrets == ["login_token", "proxy_token", "cookie_secret"]
    for name in secrets:
        assert (folder / name).stat().st_mode & 0o077 == 0
    login = (folder / "login_token").read_text()
    argv, environment = hub_command(hub.settings)
    assert environment["HUB_LOGIN_TOKEN"] == login
    assert login not in " ".join(argv)
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert login.encode() not in process.read_bytes()
        except OSError:  # ended meanwhile
            continue


@pytest.mark.feature("HB-01", "HB-02")
def test_a_notebook_of_the_hub_connects_as_its_person(hub: Hub) -> None:
    with hub.browser("alice", "wonderland") as browser:
        headers = hub.page_headers(browser)
        asked = browser.post("/hub/api/users/alice/server", headers=headers, json={})
        assert asked.status_code in {201, 202}, asked.text
        token = hub.new_token(browser, "alice")
        auth = {"Authorization": f"token {token}"}

        def ready() -> bool:
            model = httpx.get(f"{hub.url}/hub/api/users/alice", headers=auth, timeout=30).json()
            return bool(model["servers"].get("", {}).get("ready"))

        wait_until(ready, "alice's notebook server")
        kernel = httpx.post(f"{hub.url}/user/alice/api/kernels", headers=auth, timeout=60).json()["id"]
        said = run_in_kernel(
            f"{hub.url}/user/alice/api/kernels/{kernel}/channels",
            token,
            "import athena, os; a = athena.connect(); print(a.me.username, os.path.basename(os.path.expanduser('~')))",
        )
        assert said.split() == ["alice", "alice"]
        browser.delete("/hub/api/users/alice/server", headers=hub.page_headers(browser))


def run_in_kernel(url: str, token: str, code: str) -> str:
    """What code printed in a kernel, through the hub's proxy (Jupyter's messaging protocol, version 5)."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": uuid.uuid4().hex}
    message = {
        "header": {**header, "username": "", "version": "5.3"},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": False, "allow_stdin": False},
        "channel": "shell",
    }
    channel = websocket.create_connection(
        url.replace("http", "ws", 1), header={"Authorization": f"token {token}"}, timeout=90
    )
    printed = ""
    try:
        channel.send(json.dumps(message))
        while True:
            answer = json.loads(channel.recv())
            if answer["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            if answer["msg_type"] == "stream":
                printed += answer["content"]["text"]
            elif answer["msg_type"] == "error":
                raise AssertionError("\n".join(answer["content"]["traceback"]))
            elif answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                return printed
    finally:
        channel.close()
