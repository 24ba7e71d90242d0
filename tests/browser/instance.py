"""A real API and portal in processes of their own, in a temporary home."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from athena.contract.elements import (
    DatasetCreate,
    DatasetType,
    Element,
    ElementKind,
    ElementPage,
    FolderCreate,
    Template,
    WorkflowCreate,
)
from athena.contract.events import EventKind
from athena.contract.people import PlatformRole
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.jobs import JobRow
from athena.domain.tree import child_path
from athena.sdk.client import Client
from athena.services import users
from athena.settings import Settings

START_SECONDS = 180.0


def wait_for(ready: Callable[[], bool], *, what: str, seconds: float = START_SECONDS) -> None:
    """Wait until a condition holds; says what did not come."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@dataclass
class Instance:
    """A running instance. ``start`` and ``stop`` work on single processes: ``api``, ``portal``, ``runner``.

    ``variables`` : more of the environment of its processes, ``ATHENA_…``.
    """

    home: Path
    variables: dict[str, str] = field(default_factory=dict)
    settings: Settings = field(init=False)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        api_port, portal_port = free_ports(2)
        self.settings = Settings(
            home=self.home, api_port=api_port, portal_port=portal_port, stable_seconds=0.5, poll_seconds=0.3, workers=1
        )

    @property
    def api(self) -> str:
        """Address of the API."""
        return f"http://127.0.0.1:{self.settings.api_port}"

    @property
    def portal(self) -> str:
        """Address of the portal."""
        return f"http://127.0.0.1:{self.settings.portal_port}"

    @property
    def token(self) -> str:
        """The instance's local token."""
        return self.settings.token_file.read_text().strip()

    @property
    def login(self) -> str:
        """The link that ``athena up`` prints."""
        return f"{self.portal}/login?token={self.token}"

    @property
    def pids(self) -> list[int]:
        """Process ids of what is started."""
        return [process.pid for process in self._processes.values()]

    @cached_property
    def client(self) -> Client:
        """A client of the API."""
        return Client(self.api, self.token)

    def start(self, name: str) -> None:
        """Start one process and wait until it answers."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ATHENA_")}
        environment |= {
            "ATHENA_HOME": str(self.home),
            "ATHENA_API_PORT": str(self.settings.api_port),
            "ATHENA_PORTAL_PORT": str(self.settings.portal_port),
            "ATHENA_STABLE_SECONDS": str(self.settings.stable_seconds),
            "ATHENA_POLL_SECONDS": str(self.settings.poll_seconds),
            "ATHENA_WORKERS": str(self.settings.workers),
            "ATHENA_DEVELOPMENT": "1",
            **self.variables,
        }
        self.home.mkdir(parents=True, exist_ok=True)
        log = (self.home / f"{name}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "athena", name], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        log.close()
        self._processes[name] = process
        address = {"api": f"{self.api}/api/health", "portal": f"{self.portal}/login"}.get(name)
        if address:
            wait_for(lambda: self._answers(name, address), what=f"{name} at {address}\n{self.log(name)}")

    def _answers(self, name: str, address: str) -> bool:
        if self._processes[name].poll() is not None:
            raise AssertionError(f"{name} ended:\n{self.log(name)}")
        try:
            return httpx.get(address, timeout=5.0).status_code < 500
        except httpx.TransportError:
            return False

    def stop(self, name: str, *, kill: bool = False) -> None:
        """End one process."""
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """End all processes."""
        if "client" in self.__dict__:
            self.client.close()
        for name in list(self._processes)[::-1]:
            self.stop(name)

    def job_parameters(self, job_id: UUID) -> dict[str, Any]:
        """What a job is to do, as it is kept: the API does not say it."""
        database = Database(self.settings.resolved_database_url)
        with database.session(read_only=True) as session:
            kept = dict(session.get_one(JobRow, job_id).parameters)
        database.dispose()
        return kept

    def add_folders(self, parent: Element, names: Sequence[str]) -> None:
        """Make many folders in an element at once: a request for each is seconds of a test, and so is a service's call.

        They are indexed for searches as others are, and their creation is told as one event.
        """
        database = Database(self.settings.resolved_database_url)
        with database.session() as session:
            top = session.get_one(ElementRow, parent.id)
            for position, name in enumerate(names):
                made = uuid4()
                session.add(
                    ElementRow(
                        id=made,
                        kind=ElementKind.FOLDER.value,
                        name=name,
                        position=position,
                        parent_id=top.id,
                        path=child_path(top.path, made),
                        permission_set_id=top.permission_set_id,
                        inherits=True,
                        creator_id=top.creator_id,
                    )
                )
            session.flush()
            append_event(session, EventKind.ELEMENT_CREATED, element_id=made)
        database.dispose()

    def log(self, name: str) -> str:
        """End of what a process has said."""
        path = self.home / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""


@contextmanager
def running(home: Path, *names: str, variables: dict[str, str] | None = None) -> Iterator[Instance]:
    """An instance with some of its processes started."""
    instance = Instance(home, variables or {})
    try:
        for name in names:
            instance.start(name)
        yield instance
    finally:
        instance.close()


def make_run(client: Client, *, folder: str, workflow: str = "SPA-QM 12", run: str = "Grid 3") -> Element:
    """Folder, workflow and EPU run, through the API."""
    top = client.post("/elements", FolderCreate(name=folder), Element)
    wanted = WorkflowCreate(name=workflow, parent_id=top.id, template=Template.SPA_QUALITY_MONITOR)
    made = client.post("/elements", wanted, Element)
    steps = client.get("/elements", ElementPage, params={"parent_id": str(made.id)}).items
    (imaging,) = [step for step in steps if step.name == "Imaging"]
    dataset = DatasetCreate(name=run, parent_id=imaging.id, type=DatasetType.EPU_RUN)
    return client.post("/elements", dataset, Element)


def login_of(instance: Instance, username: str, *roles: PlatformRole) -> str:
    """Log-in link of a person without rights beyond these roles; the account is made if it is new."""
    database = Database(instance.settings.resolved_database_url)
    with database.session() as session:
        person = users.ensure_local_user(session, username, admin=False)
        token = users.issue_token(session, person.id, "browser")
    database.dispose()
    for role in roles:
        instance.client.put(f"/users/{person.id}/roles/{role.value}", None, None)
    return f"{instance.portal}/login?token={token}"
