"""The dialog that attaches a session folder to a run."""

from collections.abc import Callable

import panel_material_ui as pmui
from pydantic import JsonValue

from athena.contract.runs import SourceCreate
from athena.portal.components.form_dialog import FIELD, FormDialog


class AttachDialog(FormDialog):
    """Asks for the folder, whether to follow it, and what its metadata may lack.

    Parameters
    ----------
    attach : called with what was asked; calls ``done`` or ``refused`` when it is over.
    """

    def __init__(self, attach: Callable[[SourceCreate], None]) -> None:
        self._attach = attach
        self._path = pmui.TextInput(label="Session folder", placeholder="/data/krios/Supervisor_…", **FIELD)
        self._follow = pmui.Checkbox(label="Follow it while it grows", value=True, **FIELD)
        self._voltage = pmui.TextInput(label="Voltage, kV", placeholder="as the metadata says", **FIELD)
        self._defects = pmui.TextInput(
            label="Defects of the camera", placeholder="none; or a file, /data/krios/defects.txt", **FIELD
        )
        super().__init__(
            "Attach a session folder",
            action="Attach",
            icon="folder_open",
            fields=[self._path, self._follow, self._voltage, self._defects],
        )
        self._path.param.watch(lambda _: self.try_it(), "enter_pressed")

    def clear(self) -> None:
        """Empty the fields."""
        for field in (self._path, self._voltage, self._defects):
            field.value = field.value_input = ""

    def submit(self) -> str:
        """Attach it, if a folder was given."""
        path = _words(self._path)
        if not path:
            return "Give the folder as the runner's machine sees it."
        said = {"voltage_kv": self._voltage, "defects": self._defects}
        given: dict[str, JsonValue] = {name: words for name, field in said.items() if (words := _words(field))}
        self._attach(SourceCreate(path=path, follow=self._follow.value, parameters=given))
        return ""


def _words(field: pmui.TextInput) -> str:
    return (field.value_input or "").strip()
