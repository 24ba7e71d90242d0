"""What stands where there is nothing yet: one sentence, and what starts it."""

from collections.abc import Callable
from typing import Any

import param

from athena.portal.components.asking import Asking


class EmptyState(Asking):
    """The empty state of a view. Its button asks ``{"do": "start"}``."""

    sentence = param.String(default="")
    command = param.String(default="", doc="A command that starts it, to be copied; empty where there is none.")
    action = param.String(default="", doc="Label of a button that starts it; empty where there is none.")

    def __init__(self, asked: Callable[[dict[str, Any]], None] | None = None, **params: Any) -> None:
        super().__init__(asked or _nothing, **params)


def _nothing(_: dict[str, Any]) -> None:
    """There is no button."""
