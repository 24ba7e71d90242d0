"""Widgets in a real kernel: requests of the browser are answered, and news reach it, through the comm."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.feature("NB-02")
DEADLINE_S = 60.0
RUN_ID = "3f0b8c4e-1111-4222-8333-944455556666"

CELL = f"""
from tests.widgets.test_source import PlayedClient
from athena_widgets import ImageViewer
client = PlayedClient()
viewer = ImageViewer(run_id="{RUN_ID}", client=client, index=3)
"""

NEWS = f"""
from datetime import UTC, datetime
from uuid import UUID
from athena.contract.events import Event, EventKind
client.following.wait(10)
client.news.put((Event(seq=8, kind=EventKind.RUN_CHANGED, time=datetime.now(UTC), element_id=UUID("{RUN_ID}")),))
"""


@pytest.fixture
def kernel() -> Iterator[BlockingKernelClient]:
    """A Python kernel of this environment, started at the top of the project."""
    manager, client = start_new_kernel(startup_timeout=DEADLINE_S)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def heard(kernel: BlockingKernelClient, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The next message from the kernel to its front ends that fits."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        message = kernel.get_iopub_msg(timeout=DEADLINE_S)
        assert message["msg_type"] != "error", message["content"]
        if wanted(message):
            return message
    raise AssertionError("the kernel did not say it in time")


def test_a_view_asks_and_is_told_through_the_kernel(kernel: BlockingKernelClient) -> None:
    kernel.execute(CELL)
    state = {"run_id": RUN_ID, "source_kind": "comm"}

    def opens_viewer(message: dict[str, Any]) -> bool:
        given = message["content"].get("data", {}).get("state", {}) if message["msg_type"] == "comm_open" else {}
        return all(given.get(name) == value for name, value in state.items())

    comm = heard(kernel, opens_viewer)["content"]["comm_id"]
    question = {"kind": "get", "id": 5, "path": f"runs/{RUN_ID}/acquisitions/3/thumbnail.png"}
    content = {"comm_id": comm, "data": {"method": "custom", "content": question}}
    kernel.shell_channel.send(kernel.session.msg("comm_msg", content))

    def of_comm(method: str) -> Callable[[dict[str, Any]], bool]:
        return lambda m: (
            m["msg_type"] == "comm_msg"
            and m["content"]["comm_id"] == comm
            and m["content"]["data"].get("method") == method
        )

    answer = heard(kernel, of_comm("custom"))
    expected = {"kind": "answer", "id": 5, "status": 200, "content_type": "image/png"}
    assert answer["content"]["data"]["content"] == expected
    assert bytes(answer["buffers"][0]) == question["path"].encode()

    kernel.execute(NEWS)
    update = heard(kernel, lambda m: of_comm("update")(m) and m["content"]["data"]["state"].get("version", 0) > 1)
    assert update["content"]["data"]["state"]["version"] == 2
