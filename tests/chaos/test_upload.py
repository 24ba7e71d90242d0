"""An upload whose server is killed in the middle of a chunk, and started again."""

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from athena.contract.health import Health
from athena.errors import Unavailable
from athena.sdk import handing_over, uploading
from athena.sdk.client import Client
from athena.sdk.connection import Athena

SIZE = 64 << 20
START_SECONDS = 90.0


class Server:
    """``athena api`` in a process of its own, on one port whatever happens to it."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.home = home
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts = 0

    def start(self) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ATHENA_")}
        environment |= {"ATHENA_HOME": str(self.home), "ATHENA_API_PORT": str(self.port), "ATHENA_LOG_LEVEL": "WARNING"}
        self.process = subprocess.Popen([sys.executable, "-m", "athena", "api"], env=environment)
        self.starts += 1

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def wait(self) -> str:
        """Wait until it answers; gives the token of its home."""
        deadline = time.monotonic() + START_SECONDS
        with Client(self.url) as client:
            while time.monotonic() < deadline:
                with suppress(Unavailable):
                    client.get("/api/health", Health)
                    return (self.home / "token").read_text().strip()
                time.sleep(0.1)
        raise TimeoutError("the API did not start")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "home")
    server.start()
    yield server
    server.kill()


@pytest.mark.chaos
@pytest.mark.feature("WS-16")
def test_an_upload_goes_on_after_its_server_was_killed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(1 << 20) * (SIZE >> 20)
    (tmp_path / "movie.mrc").write_bytes(content)
    monkeypatch.setattr(uploading, "CHUNK", 8 << 20)
    monkeypatch.setattr(handing_over, "LEAST", 1 << 62)  # as from another machine
    plain = uploading._pieces
    sent: list[int] = []

    def pieces(chunk: bytes) -> Iterator[bytes]:
        for number, piece in enumerate(plain(chunk)):
            sent.append(len(piece))
            if server.starts == 1 and sum(sent) > SIZE // 2 and number == 10:
                server.kill()
                server.start()
            yield piece

    monkeypatch.setattr(uploading, "_pieces", pieces)
    with Athena(Client(server.url, server.wait())) as athena:
        step = athena.create_folder("Folder").create_workflow("Workflow", template="free").create_step("Step")
        dataset = step.create_dataset("Data")
        (file,) = dataset.upload(tmp_path / "movie.mrc", progress=False)
        assert server.starts == 2
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        # what had arrived before the kill was not sent again
        assert sum(sent) <= SIZE + 2 * (8 << 20)
        assert file.read(SIZE - 10) == content[-10:]
        assert dataset.uploads == []
    stored = [path for path in (server.home / "data" / "files").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in stored] == [SIZE]


@pytest.mark.chaos
@pytest.mark.feature("WS-16")
def test_a_file_is_handed_over_though_its_server_was_killed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(1 << 20) * (SIZE >> 20)
    (tmp_path / "movie.mrc").write_bytes(content)
    copy = handing_over._copy_block

    def killing(source: int, target: int, at: int) -> int:
        if at and server.starts == 1:
            server.kill()
            server.start()
        return copy(source, target, at)

    monkeypatch.setattr(handing_over, "_copy_block", killing)
    with Athena(Client(server.url, server.wait())) as athena:
        step = athena.create_folder("Folder").create_workflow("Workflow", template="free").create_step("Step")
        (file,) = step.create_dataset("Data").upload(tmp_path / "movie.mrc", progress=False)
        assert server.starts == 2
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert file.read(SIZE - 10) == content[-10:]
