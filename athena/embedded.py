"""An instance of one user on one machine: telling others where it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from athena import __version__
from athena.contract.instance import Instance
from athena.errors import Conflict
from athena.sdk.instance import find_instance, read_instance
from athena.settings import Settings


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


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text)
    partial.replace(path)
