"""What installed packages add to Athena (AD-03)."""

from functools import cache
from importlib.metadata import distributions

from athena.contract.health import Plugin
from athena.contract.people import Principal

PREFIX = "athena."
"""Every group of entry points that Athena looks for begins so."""


def list_plugins(_principal: Principal) -> tuple[Plugin, ...]:
    """Every installed plugin, by type and name; nothing is imported for it. Open to whoever is logged in."""
    return installed_plugins()


@cache
def installed_plugins() -> tuple[Plugin, ...]:
    """Every plugin of this Python; asked once, since packages do not come and go while a process runs."""
    found = {
        (entry.group, entry.name, distribution.name): Plugin(
            type=entry.group.removeprefix(PREFIX),
            name=entry.name,
            distribution=distribution.name,
            version=distribution.version,
            target=entry.value,
        )
        for distribution in distributions()
        for entry in distribution.entry_points
        if entry.group.startswith(PREFIX)
    }
    return tuple(found[key] for key in sorted(found))
