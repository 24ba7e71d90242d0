"""Holds a widget of ``athena_widgets``: the same browser module as in a notebook, fed over http."""

from collections.abc import Callable
from typing import Any

import panel as pn
import param

from athena.portal.components.script import Script
from athena.portal.holding import held


class WidgetFrame(Script):
    """Loads a widget's module by address, so that browsers keep it, and is its model.

    The widget fills the frame: its ``height`` trait follows the frame's own size.
    """

    module = param.String(default="", doc="Address of the module, relative to the page.")
    traits = param.Dict(default={}, doc="Traits given to the widget; a new value reaches it at once.")
    pushes = param.Dict(default={}, doc="How often each trait was pushed.")
    remembered = param.List(
        default=[],
        item_type=str,
        doc="Traits whose last choice the browser keeps, and applies (and tells of) where they are not given.",
    )
    momentary = param.List(default=[], item_type=str, doc="Traits that tell of a moment: -1 again once they are told.")

    def __init__(self, *, heard: dict[str, Callable[[Any], None]] | None = None, **params: Any) -> None:
        super().__init__(**params)
        self._heard = heard or {}

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        # the browser's word: only traits that someone waits for, anything else is ignored
        hear = self._heard.get(msg.get("trait", ""))
        if hear is not None:
            with held(pn.state.curdoc):
                hear(msg.get("value"))

    def give(self, **traits: Any) -> None:
        """Change some of the widget's traits."""
        changed = {name: value for name, value in traits.items() if self.traits.get(name) != value}
        if changed:
            self.traits = self.traits | changed

    def push(self, **traits: Any) -> None:
        """Set traits that the widget may have changed itself: it takes them also where the same was given before."""
        self.param.update(
            traits=self.traits | traits, pushes=self.pushes | {name: self.pushes.get(name, 0) + 1 for name in traits}
        )
