"""Exporting datasets: where to, what of them, once or live (EX-01, EX-02, EX-03)."""

from collections.abc import Sequence
from typing import Any

from athena.contract.elements import DatasetType, Element
from athena.contract.exports import ExportParameters
from athena.contract.jobs import JobKind
from athena.errors import AthenaError, Invalid
from athena.portal.dialogs.words import heading, refusals
from athena.portal.session import PortalSession
from athena.sdk.client import checked

_PARTS = [["all", "All"], ["raw", "Raw only"], ["none", "None"]]
_FREE_PARTS = [["all", "All"], ["none", "None"]]
_LISTS = (
    ("corrected_micrographs.star", "corrected_micrographs.star"),
    ("micrographs_ctf.star", "micrographs_ctf.star"),
    ("cryosparc/exposures.csg", "cryoSPARC group"),
    ("cryosparc/exposures.cs", "its table"),
)


def ask_export(session: PortalSession, datasets: Sequence[Element]) -> None:
    """Ask what of some datasets goes where, and start a job for each."""
    dialog, catalogue = session.shell.dialog, session.catalogue

    def submit(values: dict[str, Any]) -> None:
        folder = str(values["folder"]).strip().strip("/")
        if not folder:
            dialog.refuse("Name the folder that is to be made.")
            return
        kind = JobKind.LIVE_EXPORT if values.get("kind") == "live" else JobKind.EXPORT
        given = {"files": values["files"], "metadata": values["metadata"], "processed": values.get("processed", False)}
        try:
            wanted = [
                checked(ExportParameters, folder=folder if len(datasets) == 1 else f"{folder}/{one.name}", **given)
                for one in datasets
            ]
        except Invalid as error:
            dialog.refuse(str(error))
            return

        def start() -> list[str]:
            reasons = []
            for dataset, parameters in zip(datasets, wanted, strict=True):
                try:
                    catalogue.start_job(kind.value, dataset.id, parameters.model_dump(mode="json", exclude={"filter"}))
                except AthenaError as error:
                    reasons.append(f"{dataset.name}: {error}")
            return reasons

        def started(reasons: list[str]) -> None:
            if reasons:
                dialog.refuse(refusals(reasons, len(datasets), "exported"))
            else:
                dialog.close()
            session.refresh()

        session.run(start, started, failed=lambda error: dialog.refuse(str(error)))

    dialog.ask(form_of(datasets, session.base_url), submit)


def form_of(datasets: Sequence[Element], base_url: str) -> dict[str, Any]:
    """What is asked about an export."""
    runs = all(one.type in (DatasetType.EPU_RUN, DatasetType.TOMO_RUN) for one in datasets)
    parts = _PARTS if runs else _FREE_PARTS
    several = " In it each gets a folder of its name." if len(datasets) > 1 else ""
    fields: list[dict[str, Any]] = [
        {
            "name": "folder",
            "label": "Folder in the export storage",
            "placeholder": "apoferritin/grid3",
            "maxlength": 300,
            "hint": f"The moment of the launch is added to its name.{several}",
        },
        {"name": "files", "label": "Files", "type": "select", "value": "all", "options": parts},
        {"name": "metadata", "label": "Metadata, as JSON", "type": "select", "value": "all", "options": parts},
    ]
    if runs:
        fields += [
            {
                "name": "processed",
                "label": "Results: micrographs as MRC, STAR lists for RELION, groups for cryoSPARC, thumbnails, table",
                "type": "checkbox",
                "value": False,
            },
            {
                "name": "kind",
                "label": "When",
                "type": "select",
                "value": "once",
                "options": [["once", "Once, what is there now"], ["live", "Live, until the run completes"]],
            },
        ]
    form = {
        "label": heading("Export", datasets),
        "action": "Export",
        "text": "Every file is copied to the export storage and compared there."
        + (" Of a run goes what its saved filter takes." if runs else ""),
        "fields": fields,
    }
    if runs and len(datasets) == 1 and datasets[0].type == DatasetType.EPU_RUN:
        run = f"{base_url}runs/{datasets[0].id}"
        links = [{"label": label, "href": f"{run}/{path}"} for path, label in _LISTS]
        form |= {"links": links, "links_said": "Only the lists, onto this computer:"}
    return form
