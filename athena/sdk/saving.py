"""Files of Athena onto this machine: resumed where the connection breaks, in place only when they are whole."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

from athena.contract.files import File
from athena.errors import Conflict, Unavailable
from athena.formats.writing import written_whole
from athena.sdk.client import Client
from athena.sdk.progress import Advance, byte_bar
from athena.storages.keys import check_name, safe_name

PATIENCE_S = 120.0
"""How long an instance that does not answer is waited for."""
_FIRST_PAUSE_S = 0.25
_PIECE = 1 << 20


def save_file(client: Client, file: File, target: Path, advance: Advance) -> Path:
    """Save a file at ``target``, verified by its SHA-256 where that is known.

    What an earlier, interrupted call has saved is taken up. Raises Conflict where the content is not what it should be.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{file.id.hex[:8]}.part")
    advance(partial.stat().st_size if partial.exists() else 0)
    waited = Waiting()
    while (have := partial.stat().st_size if partial.exists() else 0) < file.size or not partial.exists():
        try:
            _save_on(client, file, partial, have, advance)
        except Unavailable as problem:
            waited.go_on(problem, progressed=partial.exists() and partial.stat().st_size > have)
    found = sha256_of(partial)
    if file.sha256 and found != file.sha256:
        partial.unlink()
        raise Conflict(f"{file.name!r} arrived with the SHA-256 {found}, not {file.sha256}.", hint="Try again.")
    partial.replace(target)
    return target


def save_zip(client: Client, params: Mapping[str, object], name: str, to: Path, *, progress: bool) -> Path:
    """Save what the API zips as ``<name>.zip`` in a folder; a zip cannot be taken up, so it is written anew."""
    target = to.expanduser() / f"{safe_name(name)}.zip"
    return save_stream(client, "/api/zip", target, params=params, progress=progress)


def save_stream(
    client: Client, place: str, target: Path, *, params: Mapping[str, object] | None = None, progress: bool
) -> Path:
    """Save what a place of the API answers with; the file appears whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        written_whole(target) as partial,
        byte_bar(None, target.name, shown=progress) as advance,
        client.stream(place, params=params) as answer,
        partial.open("wb") as out,
    ):
        for piece in answer.iter_raw(_PIECE):
            out.write(piece)
            advance(len(piece))
    return target


def place_in(folder: Path, name: str) -> Path:
    """Path for a file's name in a folder. The name is checked here too: a server is not trusted with this disk."""
    return folder.expanduser().joinpath(*check_name(name).split("/"))


def sha256_of(path: Path, *, stop: int | None = None) -> str:
    """SHA-256 of a file on this machine."""
    return hash_of(path, stop=stop).hexdigest()


def hash_of(path: Path, *, stop: int | None = None) -> "hashlib._Hash":
    """SHA-256 of the first bytes of a file, to go on with."""
    digest = hashlib.sha256()
    left = stop
    with path.open("rb") as file:
        while piece := file.read(_PIECE if left is None else min(_PIECE, left)):
            digest.update(piece)
            left = None if left is None else left - len(piece)
    return digest


class Waiting:
    """Waits between attempts, longer each time, until patience ends; progress renews it."""

    def __init__(self) -> None:
        self._pause = _FIRST_PAUSE_S
        self._until = time.monotonic() + PATIENCE_S

    def go_on(self, problem: Exception, *, progressed: bool = False) -> None:
        """Wait, or raise the problem where it has lasted too long."""
        if progressed:
            self._pause, self._until = _FIRST_PAUSE_S, time.monotonic() + PATIENCE_S
        if time.monotonic() > self._until:
            raise problem
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, 5.0)


def _save_on(client: Client, file: File, partial: Path, have: int, advance: Advance) -> None:
    headers = {"Range": f"bytes={have}-"} if have else {}
    place = f"/api/elements/{file.element_id}/files/{file.id}/content"
    with client.stream(place, headers=headers) as answer, partial.open("ab") as out:
        for piece in answer.iter_raw(_PIECE):
            out.write(piece)
            advance(len(piece))
