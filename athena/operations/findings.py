"""What the doctor finds: one line a check, with the reason and what to do."""

from enum import StrEnum

from pydantic import Field

from athena.contract.base import Wire


class Level(StrEnum):
    """How bad it is. A warning limits something or will become an error; an error stops something now."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


SEVERITY = {Level.OK: 0, Level.WARNING: 1, Level.ERROR: 2}


class Finding(Wire):
    """Outcome of a check."""

    check: str
    level: Level
    reason: str
    advice: str = ""
    open_to_others: str = Field("", description="A secret file whose mode can be put right (--fix).")


class Report(Wire):
    """All findings; ``level`` is that of the worst."""

    version: str
    home: str
    level: Level
    findings: tuple[Finding, ...]


def fine(check: str, reason: str) -> Finding:
    """All is well."""
    return Finding(check=check, level=Level.OK, reason=reason)


def warning(check: str, reason: str, advice: str) -> Finding:
    """Something to look at."""
    return Finding(check=check, level=Level.WARNING, reason=reason, advice=advice)


def error(check: str, reason: str, advice: str) -> Finding:
    """Something that does not work."""
    return Finding(check=check, level=Level.ERROR, reason=reason, advice=advice)
