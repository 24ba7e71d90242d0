"""A component that asks its page for something: a script's ``model.send_msg`` reaches a callback."""

from collections.abc import Callable
from typing import Any

import panel as pn

from athena.portal.components.script import Script
from athena.portal.holding import held


class Asking(Script):
    """Base of components with several things to do, each told as ``{"do": name, …}``."""

    __abstract = True

    def __init__(self, asked: Callable[[dict[str, Any]], None], **params: Any) -> None:
        super().__init__(**params)
        self._asked = asked

    def hears(self, asked: Callable[[dict[str, Any]], None]) -> None:
        """Let what it asks reach another callback."""
        self._asked = asked

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        with held(pn.state.curdoc):
            self._asked(msg)
