"""Paths of the server that people may name: below the acquisition folders alone."""

from pathlib import Path

from athena.errors import Invalid
from athena.settings import Settings


def checked_folder(path: str, settings: Settings, allowed: list[Path]) -> Path:
    """Resolved folder, if it may be read; Invalid."""
    folder = _allowed(path, settings, allowed)
    if not _is(folder, folder=True):
        raise Invalid(f"There is no folder {path} on the server.", hint="Check the path and that it is mounted.")
    return folder


def checked_file(path: str, settings: Settings, allowed: list[Path]) -> Path:
    """Resolved file, if it may be read; Invalid."""
    file = _allowed(path, settings, allowed)
    if not _is(file, folder=False):
        raise Invalid(f"There is no file {path} on the server.", hint="Check the path and that it is mounted.")
    return file


def _allowed(path: str, settings: Settings, allowed: list[Path]) -> Path:
    """Resolved path: links out of the acquisition roots are followed before the check.

    Outside the roots the answer is the same whether something is there or not.
    """
    given = Path(path)
    if not given.is_absolute() or "\0" in path:
        raise Invalid(f"“{path[:200]}” is not a full path.", hint="Give it from the root, with no ~.")
    try:
        found = given.resolve()
    except (OSError, RuntimeError) as error:  # a name longer than any file's, links in a circle
        raise Invalid(f"“{path[:200]}” cannot be a path.") from error
    roots = [root.expanduser().resolve() for root in allowed]
    anywhere = settings.auth == "local" and not settings.acquisition_roots
    if not anywhere and not any(found.is_relative_to(root) for root in roots):
        raise Invalid(
            f"{given} is not below an acquisition folder of this instance.",
            hint="An administrator connects them as acquisition storages, or sets ATHENA_ACQUISITION_ROOTS.",
        )
    return found


def _is(path: Path, *, folder: bool) -> bool:
    try:
        return path.is_dir() if folder else path.is_file()
    except OSError:  # a folder above it may not be entered, or a share does not answer
        return False
