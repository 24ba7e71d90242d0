"""What Athena asks of a reader of one vendor's session folders, and how such readers are found."""

from functools import cache
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from athena.contract.acquisitions import DiscoveredSession
from athena.errors import Invalid

GROUP = "athena.acquisition"
"""Entry point group in which packages name their adapters."""
MOST_SUBFOLDERS = 200
"""Folders looked into for a session; who gives the root of a storage did not mean one of thousands."""


@runtime_checkable
class AcquisitionAdapter(Protocol):
    """Reads session folders of one acquisition software.

    Scanning is pure reading and repeatable: the same folder gives the same session, a grown folder a grown one. It
    never raises for the content of a file; what cannot be read is said in ``problems``, and all else is still found.
    """

    name: ClassVar[str]

    def recognises(self, path: Path) -> bool:
        """Whether ``path`` looks like a session folder of this software."""
        ...

    def scan(self, path: Path) -> DiscoveredSession:
        """Everything the folder holds now.

        Raises
        ------
        BadFile : ``path`` is no folder that can be listed.
        """
        ...


@cache
def load_adapter(name: str) -> AcquisitionAdapter:
    """The adapter of a name; the same object each time, so that what it remembers of files is kept.

    Raises
    ------
    Invalid : no installed package offers it.
    """
    for entry in entry_points(group=GROUP, name=name):
        adapter = entry.load()()
        if not isinstance(adapter, AcquisitionAdapter):
            raise Invalid(f"{entry.value} is not an acquisition adapter.", hint="See the guide on adding one.")
        return adapter
    raise Invalid(f"There is no acquisition adapter {name!r}.", hint=f"Choose one of: {', '.join(adapter_names())}.")


def adapter_names() -> tuple[str, ...]:
    """Names of the installed adapters."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def recognise(path: Path) -> str | None:
    """Name of the first adapter that recognises a folder; None when none does."""
    return next((name for name in adapter_names() if load_adapter(name).recognises(path)), None)


def locate_session(path: Path, name: str) -> Path:
    """Session folder a user means: ``path`` itself, or the only session directly below it.

    A folder without any session is given back as it is: its session may still come.

    Raises
    ------
    Invalid : no such adapter, or several sessions lie below ``path``.
    """
    adapter = load_adapter(name)
    if adapter.recognises(path):
        return path
    try:
        below = sorted(islice((child for child in path.iterdir() if child.is_dir()), MOST_SUBFOLDERS))
    except OSError:  # whoever follows the source says what is wrong, and tries again
        return path
    sessions = [child for child in below if adapter.recognises(child)]
    if len(sessions) > 1:
        named = ", ".join(child.name for child in sessions[:5]) + ("…" if len(sessions) > 5 else "")
        raise Invalid(f"{path} holds {len(sessions)} sessions: {named}.", hint="Give the folder of one of them.")
    return sessions[0] if sessions else path
