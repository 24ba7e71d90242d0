"""The dialog that attaches a session folder to a run."""

from collections.abc import Callable

import panel_material_ui as pmui

from athena.contract.runs import SourceCreate
from athena.portal.components.form_dialog import FIELD, FormDialog


class AttachDialog(FormDialog):
    """Asks for the folder, and whether to follow it.

    Parameters
    ----------
    attach : called with what was asked; calls ``done`` or ``refused`` when it is over.
    """

    def __init__(self, attach: Callable[[SourceCreate], None]) -> None:
        self._attach = attach
        self._path = pmui.TextInput(label="Session folder", placeholder="/data/krios/Supervisor_…", **FIELD)
        self._follow = pmui.Checkbox(label="Follow it while it grows", value=True, **FIELD)
        super().__init__(
            "Attach a session folder", action="Attach", icon="folder_open", fields=[self._path, self._follow]
        )
        self._path.param.watch(lambda _: self.try_it(), "enter_pressed")

    def clear(self) -> None:
        """Empty the folder."""
        self._path.value = self._path.value_input = ""

    def submit(self) -> str:
        """Attach it, if a folder was given."""
        path = (self._path.value_input or "").strip()
        if not path:
            return "Give the folder as the runner's machine sees it."
        self._attach(SourceCreate(path=path, follow=self._follow.value))
        return ""
