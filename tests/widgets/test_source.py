"""The Python half of widgets: what it answers, what it refuses, and how views stay current."""

import json
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from athena.contract.events import Event, EventKind, EventPage
from athena.errors import NotFound
from athena_widgets import ImageViewer, MotionTraces, RunGallery, messages
from athena_widgets.source import CommSource, allowed_path

RUN_ID = "3f0b8c4e-1111-4222-8333-944455556666"
OTHER = "00000000-1111-4222-8333-944455556666"
DEADLINE_S = 10.0


class PlayedClient:
    """Answers with the path asked for; events are what a test puts into ``news``."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.news: queue.Queue[tuple[Event, ...]] = queue.Queue()
        self.gate = threading.Event()
        self.gate.set()
        self.following = threading.Event()

    def get_bytes(self, path: str) -> bytes:
        self.gate.wait(DEADLINE_S)
        self.asked.append(path)
        if "/acquisitions/404" in path:
            raise NotFound("There is no acquisition 404.", hint="Count again.")
        return path.encode()

    def events(self, after: int = -1) -> EventPage:
        return EventPage(events=(), last_seq=7)

    def follow(self, after: int = -1) -> Iterator[tuple[Event, ...]]:
        assert after == 7
        self.following.set()
        while True:
            yield self.news.get(timeout=DEADLINE_S)


class PlayedWidget:
    """Records what is sent to the browser."""

    def __init__(self) -> None:
        self.sent: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
        self.receiver: Any = None

    def on_msg(self, callback: Any, remove: bool = False) -> None:
        self.receiver = None if remove else callback

    def send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.sent.put((content, (buffers or [b""])[0]))

    def ask(self, request: int, path: str) -> None:
        self.receiver(self, {"kind": messages.GET, "id": request, "path": path}, [])


ALLOWED = (
    f"runs/{RUN_ID}",
    f"runs/{RUN_ID}/table?columns=defocus_um,drift_total_angstrom&start=0&limit=20000",
    f"runs/{RUN_ID}/curves?indices=1,2,3",
    f"runs/{RUN_ID}/table?columns=&start=7&limit=1",
    f"runs/{RUN_ID}/columns?columns=defocus_um,iciness&start=0&limit=100000",
    f"runs/{RUN_ID}/acquisitions?offset=0&limit=48",
    f"runs/{RUN_ID}/acquisitions/3",
    f"runs/{RUN_ID}/acquisitions/3/thumbnail.png",
    f"runs/{RUN_ID}/acquisitions/3/spectrum.png?fit=1",
    f"runs/{RUN_ID}/acquisitions/3/image.json",
    f"runs/{RUN_ID}/acquisitions/3/tiles/2/0_1.png?low=-4.02833&high=4.2e-7&v=abc-1",
)
REFUSED = (
    "",
    "me",
    "elements",
    f"runs/{OTHER}",
    f"runs/{RUN_ID}/../{OTHER}",
    f"runs/{RUN_ID}/acquisitions/3/../../../../me",
    f"runs/{RUN_ID}/source",
    f"runs/{RUN_ID}\n",
    f"/runs/{RUN_ID}",
    f"runs/{RUN_ID}/table?columns=a&start=0&limit=10&token=x",
    f"http://elsewhere/runs/{RUN_ID}",
)


@pytest.mark.parametrize("path", ALLOWED)
def test_every_path_the_views_ask_for_is_let_through(path: str) -> None:
    assert allowed_path(RUN_ID).fullmatch(path)


@pytest.mark.parametrize("path", REFUSED)
def test_anything_else_is_refused_without_asking_the_api(path: str) -> None:
    widget, client = PlayedWidget(), PlayedClient()
    source = CommSource(widget, client, allowed=allowed_path(RUN_ID))
    widget.ask(1, path)
    content, body = widget.sent.get(timeout=DEADLINE_S)
    assert content["status"] == 403
    assert json.loads(body)["code"] == "forbidden"
    assert client.asked == []
    source.close()


def test_answers_carry_the_id_the_type_and_the_bytes() -> None:
    widget, client = PlayedWidget(), PlayedClient()
    source = CommSource(widget, client, allowed=allowed_path(RUN_ID))
    widget.ask(11, ALLOWED[7])
    widget.ask(12, ALLOWED[0])
    answers = {c["id"]: (c, b) for c, b in (widget.sent.get(timeout=DEADLINE_S) for _ in range(2))}
    assert answers[11][0] == {"kind": "answer", "id": 11, "status": 200, "content_type": "image/png"}
    assert answers[11][1] == ALLOWED[7].encode()
    assert answers[12][0]["content_type"] == "application/json"
    source.close()
    assert widget.receiver is None


def test_errors_travel_as_problems() -> None:
    widget = PlayedWidget()
    source = CommSource(widget, PlayedClient(), allowed=allowed_path(RUN_ID))
    widget.ask(1, f"runs/{RUN_ID}/acquisitions/404")
    content, body = widget.sent.get(timeout=DEADLINE_S)
    assert content["status"] == 404
    assert json.loads(body) == {"code": "not_found", "message": "There is no acquisition 404.", "hint": "Count again."}
    source.close()


def test_a_cancelled_request_is_not_answered() -> None:
    widget, client = PlayedWidget(), PlayedClient()
    source = CommSource(widget, client, allowed=allowed_path(RUN_ID))
    client.gate.clear()
    for request in range(6):
        widget.ask(request, f"runs/{RUN_ID}/acquisitions/{request}")
    widget.receiver(widget, {"kind": messages.CANCEL, "id": 0}, [])
    widget.receiver(widget, {"kind": messages.CANCEL, "id": 5}, [])
    widget.receiver(widget, {"kind": "nonsense"}, [])
    client.gate.set()
    answered = {widget.sent.get(timeout=DEADLINE_S)[0]["id"] for _ in range(4)}
    assert answered == {1, 2, 3, 4}
    source.close()
    # the one that waited in line never reached the API
    assert f"runs/{RUN_ID}/acquisitions/5" not in client.asked


class PlayedRun:
    """A run as the SDK gives it."""

    def __init__(self, client: PlayedClient) -> None:
        self.id = UUID(RUN_ID)
        self.client = client


class PlayedAcquisition:
    """An acquisition as the SDK gives it."""

    def __init__(self, run: PlayedRun, index: int) -> None:
        self.run = run
        self.index = index
        self.branch: str | None = None


def test_views_of_a_changed_run_pull_and_others_do_not() -> None:
    client = PlayedClient()
    gallery, other = RunGallery(PlayedRun(client)), RunGallery(run_id=OTHER, client=client)
    assert client.following.wait(DEADLINE_S)
    versions: queue.Queue[int] = queue.Queue()
    before = (gallery.version, other.version)
    gallery.observe(lambda change: versions.put(change["new"]), "version")
    event = Event(seq=8, kind=EventKind.ACQUISITION_COMPLETED, time=datetime.now(UTC), element_id=UUID(RUN_ID), index=3)
    client.news.put((event,))
    assert versions.get(timeout=DEADLINE_S) == before[0] + 1
    assert other.version == before[1]
    for widget in (gallery, other):
        widget.close()
    client.news.put(())


def test_a_widget_takes_a_run_or_an_address() -> None:
    run = PlayedRun(PlayedClient())
    viewer = ImageViewer(run, 3, live=False)
    assert (viewer.run_id, viewer.index, viewer.source_kind) == (RUN_ID, 3, "comm")
    traces = MotionTraces(PlayedAcquisition(run, 5), live=False)
    assert (traces.run_id, traces.index) == (RUN_ID, 5)
    portal = ImageViewer(run_id=RUN_ID, index=3, base_url="api/")
    assert (portal.source_kind, portal.base_url) == ("http", "api/")
    with pytest.raises(ValueError, match="give a run"):
        ImageViewer(run_id=RUN_ID)
    for widget in (viewer, traces, portal):
        widget.close()
