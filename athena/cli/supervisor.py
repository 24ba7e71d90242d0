"""Start the processes of one machine's instance, keep them running, stop them together."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from athena.errors import Unavailable

log = logging.getLogger(__name__)

STOP_SECONDS = 12.0
"""How long a process may take to end after being asked, before it is killed."""
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the restarts of a process that keeps dying."""
SETTLED_SECONDS = 60.0
"""A process that lived this long starts again with the shortest wait."""


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """``preferred`` if nothing listens there, else a free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, preferred))
        except OSError:
            probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """One supervised process.

    Attributes
    ----------
    ready : asked until it says yes, before the next service starts; None: no waiting.
    once : the process is expected to end by itself (the simulated microscope); it is not restarted when it ends well.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    once: bool = False


class Supervisor:
    """Runs services, each in a process group of its own with its output in ``<logs>/<name>.log``."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.logs.mkdir(parents=True, exist_ok=True)
        self._services: list[Service] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._restart_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def start(self, service: Service) -> None:
        """Start a service and wait until it is ready.

        Raises
        ------
        Unavailable : it ended, or was not ready in time; the message ends with the last lines of its log.
        """
        self._services.append(service)
        self._spawn(service)
        if service.ready is None:
            return
        deadline = time.monotonic() + service.ready_seconds
        while not self._stopping.is_set():
            if service.ready():
                return
            code = self._processes[service.name].poll()
            if code is not None:
                raise Unavailable(
                    f"{service.name} ended with code {code} while starting.", hint=self.tail(service.name)
                )
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{service.name} was not ready after {service.ready_seconds:.0f} s.", hint=self.tail(service.name)
                )
            self._stopping.wait(0.1)

    def _spawn(self, service: Service) -> None:
        with (self.logs / f"{service.name}.log").open("ab") as output:
            process = subprocess.Popen(
                list(service.argv),
                env={**os.environ, **service.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with self._lock:
            self._processes[service.name] = process
            self._started[service.name] = time.monotonic()

    def tail(self, name: str, lines: int = 12) -> str:
        """Last lines of a service's log, for an error message."""
        path = self.logs / f"{name}.log"
        text = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []
        return "\n".join([f"Last lines of {path}:", *text])

    def watch(self, *, tick: Callable[[], None] | None = None, interval: float = 1.0) -> None:
        """Restart what dies until ``stop`` is asked for; ``tick`` is called every interval."""
        while not self._stopping.wait(interval):
            for service in self._services:
                self._keep_alive(service)
            if tick is not None:
                tick()

    def _keep_alive(self, service: Service) -> None:
        process = self._processes[service.name]
        code = process.poll()
        now = time.monotonic()
        if code is None:
            return
        if service.once and code == 0:
            return
        due = self._restart_at.get(service.name)
        if due is None:
            if now - self._started[service.name] > SETTLED_SECONDS:
                self._failures[service.name] = 0
            failures = self._failures.get(service.name, 0)
            wait = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
            self._failures[service.name] = failures + 1
            self._restart_at[service.name] = now + wait
            log.warning("%s ended with code %s; starting it again in %.1f s", service.name, code, wait)
        elif now >= due:
            del self._restart_at[service.name]
            _signal_group(process, signal.SIGKILL)  # children it may have left behind hold its ports and files
            self._spawn(service)

    def alive(self) -> dict[str, bool]:
        """Which services run at this moment."""
        return {name: process.poll() is None for name, process in self._processes.items()}

    def pid(self, name: str) -> int:
        """Process id of a service."""
        return self._processes[name].pid

    def request_stop(self) -> None:
        """Make ``watch`` return; safe in a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """End all services, the last started first; kill what does not end in time."""
        self._stopping.set()
        with self._lock:
            order = [self._processes[s.name] for s in reversed(self._services) if s.name in self._processes]
        for process in order:
            _signal_group(process, signal.SIGTERM, group=False)
        deadline = time.monotonic() + STOP_SECONDS
        for process in order:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in order:
            _signal_group(process, signal.SIGKILL)
            process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int, *, group: bool = True) -> None:
    """Signal a process, or it and all its children; nothing happens when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(process.pid, number)
        elif process.poll() is None:
            process.send_signal(number)
