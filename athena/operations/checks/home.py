"""The home and the data folder: room, rights, clocks, and who may read the secrets."""

import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from athena.operations.findings import Finding, Level, error, fine, warning
from athena.settings import Settings

FULL_BYTES = 1 << 30
LOW_BYTES = 10 << 30
SLACK_SECONDS = 5.0
"""Clocks that differ by more than this disagree on leases."""
SETTINGS = "athena.toml"
PASSWORD = re.compile(r"password|secret|://[^/\s]*:[^@\s]+@", re.IGNORECASE)
SECRETS = ("token", "portal.key", SETTINGS, "hub/proxy_token", "hub/cookie_secret", "hub/login_token")


def places(settings: Settings) -> dict[str, Path]:
    """Folders that Athena writes to, those that are there."""
    wanted = {"home": settings.home, "data": settings.resolved_data_dir}
    return {name: path for name, path in wanted.items() if path.exists()}


def check_disk(settings: Settings) -> Iterator[Finding]:
    """There is room for results."""
    for name, path in places(settings).items():
        usage = shutil.disk_usage(path)
        said = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB are free in {path}."
        if usage.free < FULL_BYTES:
            yield error(f"disk of {name}", said, "Free some space: processing stops when the disk is full.")
        elif usage.free < LOW_BYTES:
            yield warning(f"disk of {name}", said, "Free some space soon.")
        else:
            yield fine(f"disk of {name}", said)


def check_writing(settings: Settings) -> Iterator[Finding]:
    """Athena may write where it has to."""
    if not settings.home.exists():
        yield warning("home", f"{settings.home} is not there yet.", "'athena up' makes it.")
    for name, path in places(settings).items():
        try:
            with tempfile.TemporaryFile(dir=path) as probe:
                probe.write(b"x")
        except OSError as problem:
            advice = f"Let the user that Athena runs as write there: chown -R $USER {path}."
            yield error(f"writing to {name}", f"{path}: {problem.strerror or problem}.", advice)
        else:
            yield fine(f"writing to {name}", f"{path} can be written to.")


def check_file_clock(settings: Settings) -> Iterator[Finding]:
    """The clock of the disk (a file server's) agrees with this machine's."""
    for name, path in places(settings).items():
        try:
            with tempfile.NamedTemporaryFile(dir=path) as probe:
                probe.write(b"x")
                probe.flush()
                apart = Path(probe.name).stat().st_mtime - time.time()
        except OSError:  # said by check_writing
            continue
        if abs(apart) > SLACK_SECONDS:
            advice = "Let both follow the same time server (chrony, systemd-timesyncd)."
            yield warning(f"clock of {name}", f"Files in {path} are dated {apart:+.0f} s from this machine.", advice)
        else:
            yield fine(f"clock of {name}", f"The clock of {path} agrees with this machine's.")


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Tokens and keys can be read by their owner alone."""
    opened = [path for name in SECRETS if _is_open_secret(path := settings.home / name)]
    for path in opened:
        yield Finding(
            check="secrets",
            level=Level.ERROR,
            reason=f"{path} can be read by others (mode {stat.S_IMODE(path.stat().st_mode):04o}).",
            advice="Run 'athena doctor --fix', or chmod 600 it; then think of who may have read it.",
            open_to_others=str(path),
        )
    if settings.home.exists() and settings.home.stat().st_mode & stat.S_IWOTH:
        yield error("secrets", f"{settings.home} can be changed by everybody.", f"chmod o-w {settings.home}")
    if not opened:
        yield fine("secrets", "Tokens and keys can be read by their owner alone.")


def _is_open_secret(path: Path) -> bool:
    if not path.exists() or not path.stat().st_mode & 0o077:
        return False
    # settings are no secret unless a password is among them
    return path.name != SETTINGS or bool(PASSWORD.search(path.read_text(errors="replace")))


def make_private(finding: Finding) -> Finding:
    """Take the rights of others on a secret file away."""
    path = Path(finding.open_to_others)
    before = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0o600)
    return fine(finding.check, f"{path} had the mode {before:04o} and now has 0600.")
