"""``athena.connect()``: find the instance, or start one."""

import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from athena.contract.instance import Instance
from athena.contract.people import User
from athena.errors import Unauthorized, Unavailable
from athena.sdk.client import LOOPBACK, Client
from athena.sdk.connection import Athena
from athena.sdk.instance import find_instance, read_instance, read_token
from athena.settings import Settings

START_SECONDS = 120.0
"""How long a new instance may take until it answers: a slow disk imports for a while the first time."""
LOOK_SECONDS = 0.1
HUB_SERVICE = "services/athena-api"
"""Where the hub's proxy serves the API."""

log = logging.getLogger(__name__)


def connect(url: str | None = None, token: str | None = None, *, start: bool = True) -> Athena:
    """Connect to Athena.

    Without arguments it looks, in this order, at ``ATHENA_URL`` and ``ATHENA_TOKEN`` (or ``athena.toml``), at the hub
    this notebook was started by, and at this user's own instance on this machine; when there is none, it starts one in
    the background, which goes on after this process: ``athena status`` shows it, ``Athena.shutdown()`` stops it.

    Parameters
    ----------
    url : address of the API.
    token : token to connect with; None: the hub's, or the local instance's if ``url`` is that.
    start : whether an instance may be started.

    Raises
    ------
    Unavailable : nothing answers there, or none is found and none may be (or could be) started.
    Unauthorized : the token is missing or not valid.
    """
    settings = Settings()
    found_url, found_token = _find(settings, url=url, token=token, start=start)
    client = Client(found_url, found_token)
    client.get("/api/me", User)  # a wrong address or token is better told here than at the first use
    return Athena(client)


def _find(settings: Settings, *, url: str | None, token: str | None, start: bool) -> tuple[str, str]:
    """Address and token in force."""
    address = url or settings.url or hub_address(os.environ)
    if address:
        chosen = token or settings.token or os.environ.get("JUPYTERHUB_API_TOKEN", "")
        if not chosen and _is_own(settings, address):
            chosen = read_token(settings)
        if not chosen:
            raise Unauthorized(f"No token for {address}.", hint="Give one to connect(), or set ATHENA_TOKEN.")
        return address, chosen
    instance = find_instance(settings)
    if instance is None:
        if not start:
            raise Unavailable(f"No Athena runs in {settings.home}.", hint="Start one with 'athena up'.")
        instance = _start(settings)
    return instance.api_url, token or settings.token or read_token(settings)


def hub_address(environment: Mapping[str, str]) -> str:
    """Address of the API behind the hub that started this notebook; empty outside a hub."""
    if not environment.get("JUPYTERHUB_API_TOKEN"):
        return ""
    public = environment.get("JUPYTERHUB_PUBLIC_HUB_URL", "").rstrip("/").removesuffix("/hub")
    if not public and (host := environment.get("JUPYTERHUB_HOST", "")):
        public = host.rstrip("/") + environment.get("JUPYTERHUB_BASE_URL", "/").rstrip("/")
    return f"{public}/{HUB_SERVICE}" if public else ""


def _is_own(settings: Settings, url: str) -> bool:
    """Whether an address is this user's own instance: the local token goes to no other."""
    instance = read_instance(settings)
    if instance is not None and instance.api_url == url.rstrip("/").removesuffix("/api"):
        return True
    return urlsplit(url).hostname in LOOPBACK and settings.token_file.exists()


def _start(settings: Settings) -> Instance:
    """Start an instance in the background and wait until it answers."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with _starting(settings):
        if (instance := find_instance(settings)) is not None:  # another process started it while this one waited
            return instance
        log_file = settings.home / "logs" / "instance.log"
        log_file.parent.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "athena", "up", "--no-portal", "--no-notebook"]
        environment = os.environ | {"ATHENA_HOME": str(settings.home)}
        pid = _spawn(command, environment, log_file)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if (instance := find_instance(settings)) is not None:
                log.info("started an instance at %s (process %d)", instance.api_url, instance.pid)
                return instance
            if os.waitpid(pid, os.WNOHANG)[0]:
                break
            time.sleep(LOOK_SECONDS)
        else:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        raise Unavailable("No instance could be started.", hint=f"{log_file} says why.")


def _spawn(command: list[str], environment: dict[str, str], log_file: Path) -> int:
    """Start a process that outlives this one, in a session of its own (a Ctrl-C here is not meant for it).

    Not by ``subprocess``, whose objects complain when they are let go of while their process runs.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log_file), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, environment, file_actions=actions, setsid=True)


@contextmanager
def _starting(settings: Settings) -> Iterator[None]:
    """Let one process at a time start an instance in this home."""
    with (settings.home / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
