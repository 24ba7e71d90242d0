"""Attempts on the API: each is refused, and nothing has changed afterwards."""

import contextlib
import json
import logging
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import delete

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db import base
from athena.db.engine import Database
from athena.db.people import TokenRow
from athena.server.headers import SECURITY_HEADERS
from athena.server.limits import MAX_BODY_BYTES
from athena.services import users
from athena.settings import Settings
from tests.server.conftest import Api

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SQL = (
    "x' OR '1'='1",
    "x'; DROP TABLE element; --",
    'x"); DELETE FROM "user"; --',
    "%",
    "_____",
    "x' UNION SELECT sha256 FROM token --",
    "\\",
)


@pytest.fixture
def everything(api: Api) -> Callable[[], str]:
    """All that the instance's owner sees: compared before and after an attempt."""
    owner = api.owner

    def look() -> str:
        items = owner.get("/elements", params={"limit": 1000}).json()
        below = [owner.get("/elements", params={"parent_id": one["id"]}).json() for one in items["items"]]
        last = owner.get("/events", params={"after": -1}).json()
        return json.dumps([items, below, last, owner.get("/jobs").json()], sort_keys=True)

    return look


def raw(api: Api, request: bytes, *, leave: bool = False) -> bytes:
    """Answer to bytes that no HTTP library would send; ``leave``: the sender hangs up after them."""
    place = urlsplit(api.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as stream:
        stream.sendall(request)
        if leave:
            stream.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # it hung up before it had read all
            while piece := stream.recv(65536):
                answer += piece
    return answer


# ── paths ────────────────────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
@pytest.mark.feature("SH-06")
def test_no_key_leads_out_of_a_run_store(
    api: Api,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    write_arrays: Callable[[Api, Element], None],
    everything: Callable[[], str],
) -> None:
    alice = make_user("alice")
    run, other = make_run(alice, acquisitions=1), make_run(alice, "Other")
    write_arrays(api, run)
    store = api.settings.run_store(str(run.id))
    (store / "link").symlink_to(api.settings.token_file)
    (store / "folder").symlink_to(api.settings.home)
    (store / "circle").symlink_to("circle")
    before, token = everything(), api.settings.token_file.read_text().strip()
    keys = (
        "../../../token",
        "..%2f..%2f..%2ftoken",
        "%2e%2e/%2e%2e/%2e%2e/token",
        "metrics/../../../../token",
        "..%5c..%5c..%5ctoken",
        f"/{api.settings.token_file}",
        f"%2f{api.settings.token_file}",
        "link",
        "folder/token",
        "circle",
        ".",
        "..",
        "%00",
        "zarr.json%00.png",
        "zarr.json%0d%0aSet-Cookie:%20a=b",
        "%c3%a9" * 200,
        "a/" * 5000,
        "zarr.json.partial",
    )
    for key in keys:
        place = f"/api/zarr/{run.id}/{key}".encode()
        answer = raw(api, b"GET " + place + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + _bearer(token))
        status = int(answer.split(b" ", 2)[1])
        assert 400 <= status < 500, f"{key}: {answer[:200]!r}"
        assert token.encode() not in answer
        assert b"set-cookie" not in answer.lower().split(b"\r\n\r\n")[0]
    for tail in ("acquisitions/0/tiles/..%2f/0_0.png", "acquisitions/0/tiles/0/..%2f..%2f0_0.png", "table/../../me"):
        assert api.owner.get(f"/runs/{run.id}/{tail}").status_code in {404, 422}
    (store / "link").unlink()
    (store / "folder").unlink()
    (store / "circle").unlink()
    assert api.owner.get(f"/zarr/{other.id}/zarr.json").status_code == 404
    assert everything() == before


@only_sqlite
def test_no_session_folder_outside_the_roots(
    api: Api, settings: Settings, make_user: Callable[..., Principal], make_run: Callable[..., Element], tmp_path: Path
) -> None:
    from athena.server.run import serving

    roots, secret = tmp_path / "storage", tmp_path / "secret"
    for folder in (roots / "session", secret):
        folder.mkdir(parents=True)
    (roots / "link").symlink_to(secret)
    (roots / "circle").symlink_to("circle")
    alice = make_user("alice")
    run = make_run(alice)
    chosen = api.settings.model_copy(update={"acquisition_roots": (roots,)})
    token = api.client(alice).headers["Authorization"]
    with serving(chosen) as url, httpx.Client(base_url=f"{url}/api", headers={"Authorization": token}) as client:
        inside = client.put(f"/runs/{run.id}/source", json={"path": str(roots / "nothing")})
        answers = []
        for path in (
            str(secret),
            str(roots / ".." / "secret"),
            str(roots / "link"),
            str(roots / "circle"),
            f"{roots}/../secret/../secret",
            "~",
            "~nobody-of-this-name/x",
            "storage",
            "/" + "x" * 300,
            "/" + "x/" * 600,
            f"{roots}\x00/session",
            f"file://{secret}",
        ):
            answer = client.put(f"/runs/{run.id}/source", json={"path": path})
            assert answer.status_code == 422, f"{path}: {answer.text}"
            answers.append(answer.text)
        # outside the roots one cannot even find out what is there
        absent = client.put(f"/runs/{run.id}/source", json={"path": str(tmp_path / "not-there")})
        assert answers[0].replace("secret", "not-there") == absent.text
        assert inside.status_code == 422
        assert client.get(f"/runs/{run.id}").json()["source"] is None
        assert client.get("/jobs").json() == []


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _bearer(token: str) -> bytes:
    return f"Authorization: Bearer {token}\r\n\r\n".encode()


def test_a_token_is_worth_nothing_once_revoked_or_expired(
    api: Api,
    database: Database,
    make_user: Callable[..., Principal],
    everything: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = make_user("alice")
    with database.session() as session:
        short = users.issue_token(session, alice.user_id, "short", lifetime=timedelta(minutes=5))
        revoked = users.issue_token(session, alice.user_id, "revoked")
    attempt = {"kind": "folder", "name": "Replayed"}
    for token in (short, revoked):
        assert api.with_token(token).get("/me").json()["username"] == "alice"
    before = everything()
    with database.session() as session:
        session.execute(delete(TokenRow).where(TokenRow.name == "revoked"))
    now = base.now
    monkeypatch.setattr(base, "now", lambda: now() + timedelta(minutes=5, seconds=1))
    for token in (short, revoked, short[:-1], short + "A", short.swapcase(), "Bearer", short * 400):
        client = api.with_token(token)
        assert client.get("/me").status_code in {401, 431}
        assert client.post("/elements", json=attempt).status_code in {401, 431}
    # what is kept of a token does not open anything either
    monkeypatch.setattr(base, "now", now)
    with database.session(read_only=True) as session:
        kept = [row.sha256 for row in session.query(TokenRow)]
    for digest in kept:
        assert api.with_token(digest).get("/me").status_code == 401
    for headers in ({"Authorization": f"Basic {short}"}, {"Cookie": f"token={short}"}, {"X-Api-Key": short}):
        assert api.anonymous.post("/elements", json=attempt, headers=headers).status_code == 401
    for place in (f"/me?token={short}", f"/me?access_token={short}"):
        assert api.anonymous.get(place).status_code == 401
    assert everything() == before


@only_sqlite
def test_tokens_and_passwords_are_in_no_log_and_no_answer(
    api: Api, make_user: Callable[..., Principal], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alice = make_user("alice")
    client = api.client(alice)
    token = client.headers["Authorization"].removeprefix("Bearer ")
    secret = "hunter2-and-more"
    answers = [
        client.get("/me"),
        client.get("/nothing", params={"token": token}),
        client.get("/elements", params={"limit": token}),
        client.post("/elements", json={"kind": token, "name": "x"}),
        client.post("/auth/password", json={"username": "alice", "password": secret}),
        client.post("/auth/password", json={"username": ["alice"], "password": secret}),
        client.post("/auth/password", json={"username": "alice", "password": secret, "extra": secret}),
        api.with_token(token + "x").get("/me"),
        api.anonymous.get("/me", params={"token": token}),
        client.get("/plugins"),
        api.owner.get("/services"),
    ]
    for answer in answers:
        assert token not in answer.text
        assert secret not in answer.text
        assert token not in str(answer.headers)
    assert secret not in caplog.text
    # the HTTP library of this very test logs addresses, with the token it was made to put there
    said = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore")))
    assert token not in said


# ── bodies, headers, SQL ─────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_oversized_and_twisted_bodies_change_nothing(api: Api, everything: Callable[[], str]) -> None:
    before, token = everything(), api.settings.token_file.read_text().strip()
    body = json.dumps({"kind": "folder", "name": "Big", "description": "x" * MAX_BODY_BYTES}).encode()
    assert api.owner.post("/elements", content=body).status_code == 413

    def pieces() -> Any:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    with contextlib.suppress(httpx.TransportError):  # answered and closed before all of it was sent
        assert api.owner.post("/elements", content=pieces()).status_code == 413
    head = b"POST /api/elements HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    small = b'{"kind": "folder", "name": "Small"}'
    for lengths in (
        b"Content-Length: 99999999999999999999999\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5\r\nContent-Length: 35\r\n",
        b"Content-Length: 2097152\r\n",
        b"Content-Length: 500\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
    ):
        answer = raw(api, head + lengths + _bearer(token) + small, leave=True)
        assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), f"{lengths!r}: {answer[:100]!r}"
    # a body that says two lengths must not leave a second request behind for the connection's next user
    smuggled = b"0\r\n\r\nPOST /api/elements HTTP/1.1\r\nHost: x\r\n" + _bearer(token)
    answer = raw(api, head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n" + _bearer(token) + smuggled)
    assert answer.count(b"HTTP/1.1 ") <= 1
    many = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(200))
    assert not raw(api, head + many + _bearer(token)).startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    deep = b'{"kind": "folder", "name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert api.owner.post("/elements", content=deep).status_code == 422
    assert everything() == before
    assert api.owner.get("/me").status_code == 200


def test_sql_is_only_text(
    api: Api,
    make_user: Callable[..., Principal],
    make_folder: Callable[..., Element],
    make_run: Callable[..., Element],
) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    secret = make_folder(alice, "Secret")
    run = make_run(bob, acquisitions=1)
    his = api.client(bob)
    seen = his.get("/elements").json()
    for text in SQL:
        assert his.get("/paths", params={"path": text}).status_code == 404
        for place, name in (
            (f"/runs/{run.id}/table", "columns"),
            (f"/runs/{run.id}/columns", "columns"),
            (f"/runs/{run.id}/curves", "indices"),
            ("/elements", "parent_id"),
            ("/elements", "sort"),
            ("/events", "after"),
        ):
            answer = his.get(place, params={name: text})
            assert answer.status_code < 500
            assert "Secret" not in answer.text
            assert str(secret.id) not in answer.text
        refused = his.put(f"/runs/{run.id}/source", json={"path": "/tmp", "adapter": text})
        assert refused.status_code == 422
        login = his.post("/auth/password", json={"username": text, "password": text})
        assert login.status_code == 403
        assert api.with_token(text.replace("\\", "x")).get("/me").status_code == 401
    assert his.get("/elements").json() == seen
    made = [his.post("/elements", json={"kind": "folder", "name": text}).json() for text in SQL[:4]]
    assert [one["name"] for one in made] == list(SQL[:4])
    assert his.get("/paths", params={"path": "%"}).json()["id"] == made[3]["id"]
    assert api.client(alice).get("/elements").json()["total"] == 1


@only_sqlite
def test_no_header_can_be_slipped_in(api: Api, everything: Callable[[], str]) -> None:
    before, token = everything(), api.settings.token_file.read_text().strip()
    for evil in ("x%0d%0aSet-Cookie:%20a=b", "x%0aSet-Cookie:a=b", "x%E5%98%8A%E5%98%8DSet-Cookie:a=b"):
        for place in (f"/{evil}", f"/elements/{evil}", f"/paths?path={evil}", f"/elements?sort={evil}"):
            answer = api.owner.get(place)
            assert 400 <= answer.status_code < 500
            assert "set-cookie" not in answer.headers
    for name in (
        "X-Forwarded-User: alice",
        "X-Forwarded-For: 127.0.0.1",
        "X-Original-URL: /api/elements",
        "Forwarded: x",
    ):
        answer = raw(api, f"GET /api/me HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{name}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 401")
        assert b"evil.example" not in answer
    for bad in (b"GET /api/me HTTP/1.1\r\nHost: x\r\nA b: c\r\n", b"GET /api/me HTTP/1.1\r\n", b"GET  /api/me\r\n"):
        assert not raw(api, bad + _bearer(token), leave=True).startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    assert everything() == before


@only_sqlite
def test_every_answer_says_that_it_is_data(api: Api) -> None:
    answers = (
        api.anonymous.get("/health"),
        api.anonymous.get("/me"),
        api.owner.get("/elements"),
        api.owner.get("/nothing"),
        api.owner.post("/elements", content=b"[" * (MAX_BODY_BYTES + 1)),
        api.owner.get("/elements", params={"limit": -1}),
    )
    for answer in answers:
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers[name] == value, f"{answer.url}: {name}"
