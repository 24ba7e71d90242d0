"""An instance of one user on one machine: telling others where it is, and running one from Python.

``athena up`` supervises all processes; :func:`start_instance` runs the smallest useful set for as long as a ``with``
block lasts, for scripts and tests.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from athena import __version__
from athena.contract.instance import Instance
from athena.errors import Conflict
from athena.sdk.instance import find_instance, read_instance, read_token
from athena.settings import Settings

STOP_SECONDS = 20.0
"""How long the runner may take to stop before it is killed; it loses nothing then either."""

log = logging.getLogger(__name__)


@contextmanager
def announced(settings: Settings, *, api_url: str, portal_url: str = "", notebook_url: str = "") -> Iterator[Instance]:
    """Say in ``<home>/instance.json`` that an instance answers at ``api_url``, while the block lasts.

    Enter once the API answers. The file is what ``athena.connect()`` and ``athena status`` read.

    Raises
    ------
    Conflict : another instance already runs in this home.
    """
    running = find_instance(settings)
    if running is not None and running.pid != os.getpid():
        raise Conflict(
            f"An instance already runs in {settings.home} (process {running.pid}, {running.api_url}).",
            hint="Stop it first, or set ATHENA_HOME to another folder.",
        )
    instance = Instance(
        pid=os.getpid(),
        api_url=api_url,
        portal_url=portal_url,
        notebook_url=notebook_url,
        version=__version__,
        started=datetime.now(UTC),
    )
    _write_whole(settings.instance_file, instance.model_dump_json(indent=2))
    try:
        yield instance
    finally:
        if read_instance(settings) == instance:  # not another's that has started since
            settings.instance_file.unlink(missing_ok=True)


@contextmanager
def start_instance(settings: Settings, *, runner: bool = True) -> Iterator[tuple[Instance, str]]:
    """Run an instance while the block lasts: the API in this process, the runner (if asked) in another.

    Gives what is announced, and the local token. Port 0 takes a free one.
    """
    # the server and all it stands on is needed only here; announcing is not to wait for it
    from athena.server.run import serving

    settings.home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        api_url = stack.enter_context(serving(settings))
        if runner:
            stack.enter_context(_runner(settings))
        instance = stack.enter_context(announced(settings, api_url=api_url))
        yield instance, read_token(settings)


@contextmanager
def _runner(settings: Settings) -> Iterator[None]:
    environment = os.environ | {"ATHENA_HOME": str(settings.home)}
    process = subprocess.Popen([sys.executable, "-m", "athena", "runner"], env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("the runner did not stop within %.0f s and is killed", STOP_SECONDS)
            process.kill()
            process.wait()


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text)
    partial.replace(path)
