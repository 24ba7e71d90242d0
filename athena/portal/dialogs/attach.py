"""Attaching a session folder to a run, which fills the run (AC-01)."""

from typing import Any

from athena.contract.elements import Element
from athena.contract.runs import Run, SourceCreate
from athena.errors import Invalid
from athena.portal.session import PortalSession
from athena.sdk.client import checked

_PARAMETERS = ("voltage_kv", "defects")
_FIELDS: list[dict[str, Any]] = [
    {"name": "path", "label": "Session folder", "placeholder": "/data/krios/Supervisor_…"},
    {"name": "follow", "label": "Follow it while it grows", "type": "checkbox", "value": True},
    {"name": "voltage_kv", "label": "Voltage, kV", "placeholder": "as the metadata says"},
    {"name": "defects", "label": "Defects of the camera", "placeholder": "none; or a file, /data/krios/defects.txt"},
]


def ask_attach(session: PortalSession, run: Element) -> None:
    """Ask for the folder, whether to follow it, and what its metadata may lack; attach it."""
    dialog, catalogue = session.shell.dialog, session.catalogue

    def submit(values: dict[str, Any]) -> None:
        path = str(values["path"]).strip()
        if not path:
            dialog.refuse("Give the folder as the runner's machine sees it.")
            return
        parameters = {name: words for name in _PARAMETERS if (words := str(values[name]).strip())}
        try:
            source = checked(SourceCreate, path=path, follow=bool(values["follow"]), parameters=parameters)
        except Invalid as error:
            dialog.refuse(str(error))
            return
        session.run(lambda: catalogue.attach(run.id, source), attached, failed=lambda error: dialog.refuse(str(error)))

    def attached(_: Run) -> None:
        dialog.close()
        session.refresh()

    form = {
        "label": "Attach a session folder",
        "action": "Attach",
        "text": "Its movies are registered and processed; nothing in the folder is changed.",
        "fields": _FIELDS,
    }
    dialog.ask(form, submit)
