"""Stopping the hub, gently and by force."""

import os
from pathlib import Path

import pytest

from tests.hub.conftest import Hub, wait_until

pytestmark = pytest.mark.slow


@pytest.mark.feature("HB-01")
def test_what_the_hub_started_ends_with_it_even_when_it_is_killed(hub: Hub) -> None:
    children = [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if parent_of(path) == hub.process.pid
    ]
    assert len(children) >= 3  # proxy, API, portal
    hub.process.kill()
    hub.process.wait()
    wait_until(lambda: not any(is_alive(child) for child in children), "proxy, API and portal gone", seconds=60)


def parent_of(stat: Path) -> int | None:
    """Parent of a process, None when it has ended meanwhile."""
    try:
        return int(stat.read_text().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
