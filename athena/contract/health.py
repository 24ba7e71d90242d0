"""State of the platform's parts."""

from athena.contract.base import Wire


class ServiceHealth(Wire):
    """One part: its version and whether it answers."""

    name: str
    state: str
    version: str = ""
    detail: str = ""


class Health(Wire):
    """Answer of the open health route: that it lives, and which version it is."""

    status: str
    version: str
