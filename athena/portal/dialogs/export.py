"""Exporting datasets: where to, what of them, once or live (EX-01, EX-02, EX-03)."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from athena.contract.elements import DatasetType, Element
from athena.contract.exports import ExportParameters
from athena.contract.filters import FilterRule, RunFilter
from athena.contract.jobs import JobKind
from athena.errors import AthenaError, Invalid
from athena.portal.dialogs.words import heading, refusals
from athena.portal.place import BRANCH
from athena.portal.session import PortalSession
from athena.sdk.client import checked

_PARTS = [["all", "All"], ["raw", "Raw only"], ["none", "None"]]
_WHEN = {JobKind.EXPORT: "once", JobKind.LIVE_EXPORT: "live"}
_FREE_PARTS = [["all", "All"], ["none", "None"]]
_LISTS = (
    ("corrected_micrographs.star", "corrected_micrographs.star"),
    ("micrographs_ctf.star", "micrographs_ctf.star"),
    ("cryosparc/exposures.csg", "cryoSPARC group"),
    ("cryosparc/exposures.cs", "its table"),
)


def ask_export(session: PortalSession, datasets: Sequence[Element]) -> None:
    """Ask what of some datasets goes where, and start a job for each; of a run goes what its saved filter takes.

    Of one run whose page shows another branch of results than the default one, it goes by that branch.
    """
    branch = _branch_shown(session, datasets)
    form = form_of(datasets, session.base_url, branch=branch)
    session.shell.dialog.ask(form, lambda values: _start(session, datasets, values, branch=branch))


def ask_filtered_export(
    session: PortalSession, run: Element, kind: JobKind, *, rules: Sequence[FilterRule], matching: str
) -> None:
    """The same of one run, for an export of a kind, with a filter that need not be saved.

    Parameters
    ----------
    matching : in words, what the filter takes.
    """
    live = kind is JobKind.LIVE_EXPORT
    shown = _branch_shown(session, [run])
    branch = None if live else shown
    whole = form_of([run], session.base_url, branch=branch)
    words = [matching]
    if live and shown is not None:
        words = [f"It goes by the default branch of results, not by “{shown}”, which is looked at."]
    elif branch is not None:
        words.append(_by_branch(branch))
    if live:
        words.append("It goes on with what arrives, until the run completes.")
    form = {
        "fields": [field for field in whole["fields"] if field["name"] != "kind"],
        "label": f"Start a live export of “{run.name}”" if live else heading("Export", [run]),
        "action": "Start" if live else "Export",
        "text": " ".join(words),
    }
    chosen = RunFilter(rules=tuple(rules))
    session.shell.dialog.ask(
        form, lambda values: _start(session, [run], values | {"kind": _WHEN[kind]}, chosen, branch=branch)
    )


def _branch_shown(session: PortalSession, datasets: Sequence[Element]) -> str | None:
    """Branch of results that the page of the one dataset shows; None: the default one, or no such page."""
    place = session.place
    return place.branch if [one.id for one in datasets] == [place.element] else None


def _by_branch(branch: str) -> str:
    return f"It goes by the branch of results “{branch}”, not the default one; what that was not given is left out."


def _start(
    session: PortalSession,
    datasets: Sequence[Element],
    values: dict[str, Any],
    chosen: RunFilter | None = None,
    *,
    branch: str | None = None,
) -> None:
    """Start a job for each dataset, or say in the dialog what is missing and what was refused."""
    dialog, catalogue = session.shell.dialog, session.catalogue
    folder = str(values["folder"]).strip().strip("/")
    if not folder:
        dialog.refuse("Name the folder that is to be made.")
        return
    kind = JobKind.LIVE_EXPORT if values.get("kind") == _WHEN[JobKind.LIVE_EXPORT] else JobKind.EXPORT
    given = {"files": values["files"], "metadata": values["metadata"], "processed": values.get("processed", False)}
    if branch is not None:
        given["branch"] = branch
    try:
        wanted = [
            checked(ExportParameters, folder=folder if len(datasets) == 1 else f"{folder}/{one.name}", **given)
            for one in datasets
        ]
    except Invalid as error:
        dialog.refuse(str(error))
        return
    # without one the run's saved filter holds
    filtered = {} if chosen is None else {"filter": chosen.model_dump(mode="json")}

    def start() -> list[str]:
        reasons = []
        for dataset, parameters in zip(datasets, wanted, strict=True):
            asked = parameters.model_dump(mode="json", exclude={"filter"}, exclude_none=True) | filtered
            try:
                catalogue.start_job(kind.value, dataset.id, asked)
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


def form_of(datasets: Sequence[Element], base_url: str, *, branch: str | None = None) -> dict[str, Any]:
    """What is asked about an export; ``branch`` is that of a run's results, None: the default one."""
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
            }
        ]
    if runs and branch is None:
        fields += [
            {
                "name": "kind",
                "label": "When",
                "type": "select",
                "value": _WHEN[JobKind.EXPORT],
                "options": [
                    [_WHEN[JobKind.EXPORT], "Once, what is there now"],
                    [_WHEN[JobKind.LIVE_EXPORT], "Live, until the run completes"],
                ],
            },
        ]
    form = {
        "label": heading("Export", datasets),
        "action": "Export",
        "text": "Every file is copied to the export storage and compared there."
        + (" Of a run goes what its saved filter takes." if runs else "")
        + (f" {_by_branch(branch)}" if branch is not None else ""),
        "fields": fields,
    }
    if runs and len(datasets) == 1 and datasets[0].type == DatasetType.EPU_RUN:
        run = f"{base_url}runs/{datasets[0].id}"
        query = f"?{urlencode({BRANCH: branch})}" if branch is not None else ""
        links = [{"label": label, "href": f"{run}/{path}{query}"} for path, label in _LISTS]
        form |= {"links": links, "links_said": "Only the lists, onto this computer:"}
    return form
