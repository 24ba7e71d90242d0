"""The dialog that makes an element: a name, and sometimes a choice."""

from collections.abc import Callable, Mapping
from typing import Any

import panel_material_ui as pmui

from athena.portal.components.form_dialog import FIELD, FormDialog


class AddDialog(FormDialog):
    """Asks for what a new element needs.

    Parameters
    ----------
    what : the noun after "Add".
    make : called with the name and the chosen option; calls ``done`` or ``refused`` when it is over.
    choices : options by label, with the words above them; empty where there is nothing to choose.
    """

    def __init__(
        self,
        what: str,
        *,
        make: Callable[[str, Any, "AddDialog"], None],
        choices: Mapping[str, Any] | None = None,
        choice_label: str = "",
    ) -> None:
        self._make = make
        self._name = pmui.TextInput(label="Name", **FIELD)
        self._choice = pmui.Select(label=choice_label, options=dict(choices or {}), **FIELD)
        fields = [self._name, *([self._choice] if choices else [])]
        super().__init__(f"Add {what}", action="Create", icon="add", fields=fields)
        self._name.param.watch(lambda _: self.try_it(), "enter_pressed")

    def clear(self) -> None:
        """Empty the name; the choice stays as it was."""
        self._name.value = self._name.value_input = ""

    def submit(self) -> str:
        """Make it, if it has a name."""
        name = (self._name.value_input or "").strip()
        if not name:
            return "Give it a name."
        self._make(name, self._choice.value, self)
        return ""
