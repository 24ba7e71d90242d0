"""The HTTP client: the API's errors raised again, whatever else goes wrong told in words."""

import pickle
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from athena.contract.elements import Element, ElementPage
from athena.contract.health import Health
from athena.contract.people import User
from athena.errors import (
    AthenaError,
    BadFile,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
    by_code,
)
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from tests.sdk.conftest import Running

Answer = tuple[int, bytes]


@pytest.fixture
def served() -> Iterator[Callable[[Answer], Client]]:
    """``served((status, body))`` gives a client of a server that answers everything with that."""
    running: list[tuple[ThreadingHTTPServer, threading.Thread, Client]] = []

    def serve(answer: Answer) -> Client:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                self.end_headers()
                self.wfile.write(answer[1])

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        client = Client(f"http://127.0.0.1:{server.server_port}", "token", timeout=5)
        running.append((server, thread, client))
        return client

    yield serve
    for server, thread, client in running:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        (404, b'{"code": "not_found", "message": "There is no such thing.", "hint": "Look elsewhere."}'),
        (422, b'{"code": "bad_file", "message": "x.tiff is cut off."}'),
        (418, b'{"code": "from_the_future", "message": "Something new."}'),
    ],
)
def test_problems_are_raised_as_what_they_were(served: Callable[[Answer], Client], answer: Answer) -> None:
    with pytest.raises(AthenaError) as raised:
        served(answer).get("/api/me", User)
    assert type(raised.value).__name__ == {404: "NotFound", 422: "BadFile", 418: "AthenaError"}[answer[0]]
    assert raised.value.message in answer[1].decode()


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (403, Forbidden), (404, NotFound), (422, Invalid), (502, Unavailable)]
)
def test_a_proxys_error_page_is_told_by_its_status(
    served: Callable[[Answer], Client], status: int, kind: type[AthenaError]
) -> None:
    with pytest.raises(kind, match=f"GET /api/me was answered with HTTP {status}"):
        served((status, b"<html>Bad Gateway</html>")).get("/api/me", User)


def test_an_answer_of_another_version_is_told(served: Callable[[Answer], Client]) -> None:
    with pytest.raises(AthenaError, match="differ in version"):
        served((200, b'{"status": "ok", "version": "9", "mood": "good"}')).get("/api/health", Health)


def test_nobody_there() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with Client(url, "token") as client, pytest.raises(Unavailable, match=r"does not answer.*athena status"):
            client.get("/api/me", User)


def test_somebody_who_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with Client(url, "token", timeout=0.2) as client, pytest.raises(Unavailable, match="took too long"):
            client.get("/api/me", User)


def test_paths_with_and_without_the_prefix(athena: Athena) -> None:
    client = athena.client
    answers = [client.get(path, Health) for path in ("/api/health", "api/health", "/health", "health")]
    assert len(set(answers)) == 1
    assert Client(f"{athena.url}/api/").url == athena.url
    assert client.get_bytes("/health").startswith(b"{")


def test_absence_in_an_exchange_is_an_answer(athena: Athena) -> None:
    missing = f"/api/zarr/{uuid.uuid4()}/zarr.json"
    assert athena.client.exchange("HEAD", missing)[0] == 404
    with Client(athena.url, "wrong") as stranger, pytest.raises(Unauthorized):
        stranger.exchange("GET", missing)


def test_a_pickled_client_is_the_same_and_opens_its_own_connections(athena: Athena) -> None:
    copy = pickle.loads(pickle.dumps(athena.client))
    assert copy == athena.client
    assert hash(copy) == hash(athena.client)
    assert copy.get("/me", User) == athena.me
    assert copy != Client(athena.url, "other")


def test_many_threads_share_one(athena: Athena) -> None:
    folder = athena.create_folder("Shared")
    path = f"/api/elements/{folder.id}"
    with ThreadPoolExecutor(16) as pool:
        names = {element.name for element in pool.map(lambda _: athena.client.get(path, Element), range(64))}
    assert names == {"Shared"}


def test_none_is_left_out_of_queries(athena: Athena) -> None:
    page = athena.client.get("/elements", ElementPage, params={"parent_id": None, "limit": 1})
    assert page.total >= 0


def test_follow_gives_pages_from_now_on(running: Running, athena: Athena) -> None:
    pages = athena.client.follow(wait=0)
    assert next(pages) == ()
    made = athena.create_folder("News")
    assert [event.element_id for event in next(pages)] == [made.id]


def test_a_class_of_a_package_s_own_is_not_told_apart_on_the_wire() -> None:
    class Special(Invalid):
        """Keeps the code of its parent."""

    assert by_code(Special.code) is Invalid
    assert by_code("bad_file") is BadFile
    assert by_code("something newer") is AthenaError
