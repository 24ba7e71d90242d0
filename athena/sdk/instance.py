"""Finding the instance that runs on this machine, through its home folder."""

import contextlib
import os
import signal
import time

from pydantic import ValidationError

from athena.contract.health import Health
from athena.contract.instance import Instance
from athena.errors import AthenaError, Unavailable
from athena.sdk.client import Client
from athena.settings import Settings

HEALTH_TIMEOUT_S = 5.0
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.05


def find_instance(settings: Settings) -> Instance | None:
    """The instance of ``settings.home`` if one runs and answers, else None.

    A file left by an instance that was killed is told by its process, which is gone, or by the address, which does not
    answer; it is left where it is (the next instance replaces it).
    """
    instance = read_instance(settings)
    if instance is None or not is_alive(instance.pid):
        return None
    return instance if answers(instance.api_url) else None


def read_instance(settings: Settings) -> Instance | None:
    """What ``instance.json`` says, None when it is missing or not readable."""
    try:
        return Instance.model_validate_json(settings.instance_file.read_bytes())
    except (OSError, ValidationError):
        return None


def read_token(settings: Settings) -> str:
    """Local token of the instance in ``settings.home``; empty when there is none or it belongs to another user."""
    try:
        return settings.token_file.read_text().strip()
    except OSError:
        return ""


def stop_instance(settings: Settings, *, timeout: float = STOP_SECONDS) -> bool:
    """Ask the instance of ``settings.home`` to stop and wait until it has; False when none runs.

    Raises
    ------
    Unavailable : it still runs after ``timeout`` seconds.
    """
    instance = find_instance(settings)
    if instance is None:
        return False
    os.kill(instance.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while is_alive(instance.pid):
        _reap(instance.pid)
        if time.monotonic() > deadline:
            raise Unavailable(f"The instance (process {instance.pid}) still runs after {timeout:.0f} s.")
        time.sleep(LOOK_SECONDS)
    return True


def _reap(pid: int) -> None:
    """Let an ended process go if this one started it; until then it still counts as running."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def is_alive(pid: int) -> bool:
    """Whether a process with this number runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as somebody else
        return True
    return True


def answers(url: str) -> bool:
    """Whether an API answers its health route at ``url``."""
    with Client(url, timeout=HEALTH_TIMEOUT_S) as client:
        try:
            return client.get("/api/health", Health).status == "ok"
        except AthenaError:
            return False
