"""The dialog that makes an element: a name, sometimes a choice, and a plain word when it is refused."""

from collections.abc import Callable, Mapping
from typing import Any

import panel_material_ui as pmui

from athena.errors import AthenaError


class AddDialog:
    """A button and the dialog it opens.

    Parameters
    ----------
    what : the noun after "Add".
    make : called with the name and the chosen option; must call ``done`` or ``refused`` when it is over.
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
        self.button = pmui.Button(
            label=f"Add {what}", icon="add", variant="contained", size="small", align="end", margin=(0, 0, 0, 16)
        )
        self._name = pmui.TextInput(label="Name", sizing_mode="stretch_width", margin=(8, 0))
        self._choice = pmui.Select(
            label=choice_label, options=dict(choices or {}), sizing_mode="stretch_width", margin=(8, 0)
        )
        self._problem = pmui.Alert(severity="warning", visible=False, sizing_mode="stretch_width", margin=(8, 0))
        self._create = pmui.Button(label="Create", variant="contained", size="small", margin=(0, 0, 0, 8))
        cancel = pmui.Button(label="Cancel", variant="text", size="small", margin=0)
        fields = [self._name, *([self._choice] if choices else []), self._problem]
        self.dialog = pmui.Dialog(
            pmui.Column(
                *fields,
                pmui.Row(cancel, self._create, margin=(8, 0, 0, 0), styles={"justify-content": "flex-end"}),
                width=380,
                margin=0,
            ),
            title=f"Add {what}",
            open=False,
            close_on_click=True,
        )
        self.button.on_click(lambda _: self._open())
        cancel.on_click(lambda _: self.done())
        self._create.on_click(lambda _: self._submit())
        self._name.param.watch(lambda _: self._submit(), "enter_pressed")

    def _open(self) -> None:
        self._name.value = self._name.value_input = ""
        self._problem.visible = False
        self.dialog.open = True

    def _submit(self) -> None:
        name = (self._name.value_input or "").strip()
        if not name:
            self._say("Give it a name.")
            return
        self._create.disabled = True
        self._make(name, self._choice.value, self)

    def done(self) -> None:
        """Close: it was made, or given up."""
        self._create.disabled = False
        self.dialog.open = False

    def refused(self, error: AthenaError) -> None:
        """Say why it was not made, and let the name be mended."""
        self._create.disabled = False
        self._say(str(error))

    def _say(self, text: str) -> None:
        self._problem.param.update(object=text, visible=True)
