"""The dialog that exports a run, once or live (EX-01, EX-02, EX-03)."""

from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui

from athena.contract.exports import ExportPart
from athena.contract.jobs import JobKind
from athena.portal.components.form_dialog import FIELD, FormDialog

_PARTS = {"all": ExportPart.ALL, "raw only": ExportPart.RAW, "none": ExportPart.NONE}


class ExportDialog(FormDialog):
    """Asks for a folder and what of a run goes there.

    Parameters
    ----------
    export : called with the kind of job and its parameters (all but the filter); calls ``done`` or ``refused``.
    """

    def __init__(self, export: Callable[[JobKind, dict[str, Any]], None]) -> None:
        self._export = export
        self._kind = JobKind.EXPORT
        self._about = pmui.Typography("", **FIELD)
        self._folder = pmui.TextInput(label="Folder in the export storage", placeholder="apoferritin/grid3", **FIELD)
        self._files = pmui.Select(label="Files", options=list(_PARTS), value="all", **FIELD)
        self._metadata = pmui.Select(label="Metadata, as JSON", options=list(_PARTS), value="all", **FIELD)
        self._processed = pmui.Checkbox(label="Also corrected micrographs and results", value=False, **FIELD)
        super().__init__(
            "Export",
            action="Export",
            icon="file_download",
            fields=[self._about, self._folder, self._files, self._metadata, self._processed],
        )

    def ask(self, kind: JobKind, *, matching: str) -> None:
        """Open it for an export of a kind; ``matching`` says in words what the filter takes."""
        live = kind is JobKind.LIVE_EXPORT
        self._kind = kind
        self.dialog.title = "Start a live export" if live else "Export"
        self._action.label = "Start" if live else "Export"
        until = " Goes on with what arrives, until the run completes." if live else ""
        self._about.object = f"{matching}{until} The moment of the launch is added to the folder's name."
        self.open()

    def clear(self) -> None:
        """Empty the folder; the choices stay as they were last."""
        self._folder.value = self._folder.value_input = ""

    def submit(self) -> str:
        """Export, if a folder was named."""
        folder = (self._folder.value_input or "").strip()
        if not folder:
            return "Name the folder that is to be made."
        self._export(
            self._kind,
            {
                "folder": folder,
                "files": _PARTS[self._files.value].value,
                "metadata": _PARTS[self._metadata.value].value,
                "processed": self._processed.value,
            },
        )
        return ""
