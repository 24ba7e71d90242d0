"""How fast a file goes in, against copying it on the same disk in the same run; only with ``make bench``."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from athena.contract.health import Health
from athena.errors import Unavailable
from athena.sdk.client import Client
from athena.sdk.connection import Athena

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif("not config.getoption('benchmark_only')", reason="2 GB: only with make bench"),
]

SIZE = 2_000_000_000
FLAT_BYTES = 64 << 20
"""How much more memory the server may take while it receives."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Athena, psutil.Process]]:
    """An embedded instance's API in a process of its own, and a client of it."""
    home = tmp_path / "home"
    port = 8979
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ATHENA_")}
    environment |= {"ATHENA_HOME": str(home), "ATHENA_API_PORT": str(port), "ATHENA_LOG_LEVEL": "WARNING"}
    process = subprocess.Popen([sys.executable, "-m", "athena", "api"], env=environment)
    url = f"http://127.0.0.1:{port}"
    with Client(url) as anonymous:
        while process.poll() is None:
            with suppress(Unavailable):
                anonymous.get("/api/health", Health)
                break
            time.sleep(0.1)
    with Athena(Client(url, (home / "token").read_text().strip())) as athena:
        yield athena, psutil.Process(process.pid)
    process.terminate()
    process.wait(20)


def copy_seconds(source: Path, target: Path) -> float:
    """Seconds to copy a file and have it on the disk, which is what an upload does too."""
    started = time.perf_counter()
    subprocess.run(["cp", source, target], check=True)
    subprocess.run(["sync", target], check=True)
    took = time.perf_counter() - started
    target.unlink()
    return took


def test_two_gigabytes(benchmark: Callable[..., Any], server: tuple[Athena, psutil.Process], tmp_path: Path) -> None:
    athena, process = server
    source = tmp_path / "movie.mrc"
    with source.open("wb") as file:
        for _ in range(SIZE // 50_000_000):
            file.write(os.urandom(1_000_000) * 50)
    step = athena.create_folder("Folder").create_workflow("Workflow", template="free").create_step("Step")
    dataset = step.create_dataset("Data")
    before = process.memory_info().rss
    grown, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            grown[0] = max(grown[0], process.memory_info().rss - before)

    watching = threading.Thread(target=watch)
    watching.start()
    first = copy_seconds(source, tmp_path / "copy")
    benchmark.pedantic(lambda: dataset.upload(source, progress=False), rounds=1)  # type: ignore[attr-defined]
    second = copy_seconds(source, tmp_path / "copy")
    ended.set()
    watching.join()
    took = benchmark.stats.stats.min  # type: ignore[attr-defined]
    figures = {"copy_s": (first, second), "upload_s": took, "ratio": (first + second) / 2 / took, "grown": grown[0]}
    benchmark.extra_info.update(figures)  # type: ignore[attr-defined]
    print(figures)
    assert grown[0] < FLAT_BYTES
    assert took <= first + second, figures
