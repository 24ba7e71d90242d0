"""The supervisor keeps real processes running and ends them all."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from athena.cli.supervisor import Service, Supervisor, free_port
from athena.errors import Unavailable

FOREVER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return once the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        pause.wait(0.02)


def gone(pid: int) -> bool:
    """Whether no such process is left."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    running = Supervisor(tmp_path / "logs")
    yield running
    running.stop()


def watching(supervisor: Supervisor) -> threading.Thread:
    thread = threading.Thread(target=supervisor.watch, kwargs={"interval": 0.05})
    thread.start()
    return thread


@pytest.mark.feature("NB-06")
def test_a_killed_service_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(Service("one", FOREVER, ready=lambda: "up" in (tmp_path / "logs/one.log").read_text()))
    first = supervisor.pid("one")
    thread = watching(supervisor)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: supervisor.pid("one") != first and supervisor.alive()["one"])
    supervisor.request_stop()
    thread.join()
    second = supervisor.pid("one")
    supervisor.stop()
    assert gone(first)
    assert gone(second)


def test_a_service_that_ends_well_once_stays_ended(supervisor: Supervisor) -> None:
    supervisor.start(Service("task", [sys.executable, "-c", "pass"], once=True))
    wait_until(lambda: not supervisor.alive()["task"])
    pid = supervisor.pid("task")
    thread = watching(supervisor)
    assert not thread.join(0.3)
    supervisor.request_stop()
    thread.join()
    assert supervisor.pid("task") == pid


def test_a_service_that_cannot_start_says_why(supervisor: Supervisor) -> None:
    broken = Service("broken", [sys.executable, "-c", "raise SystemExit('no such port')"], ready=lambda: False)
    with pytest.raises(Unavailable, match="broken ended with code 1") as error:
        supervisor.start(broken)
    assert "no such port" in error.value.hint


def test_children_left_behind_are_ended_too(supervisor: Supervisor, tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
        "print(p.pid, flush=True); import signal; signal.pause()"
    )
    output = tmp_path / "logs" / "family.log"
    supervisor.start(Service("family", [sys.executable, "-c", parent], ready=lambda: bool(output.read_text().strip())))
    child = int(output.read_text())
    supervisor.stop()
    wait_until(lambda: gone(child))


def test_a_taken_port_is_stepped_around() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
