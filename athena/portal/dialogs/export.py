"""Exporting datasets: where to, what of them, once or live (EX-01, EX-02, EX-03)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from athena.contract.elements import DatasetType, Element
from athena.contract.exports import ExportParameters
from athena.contract.filters import FilterRule, RunFilter
from athena.contract.jobs import JobKind
from athena.contract.runs import Run
from athena.errors import AthenaError, Invalid
from athena.portal.branches import other_branch
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

Form = dict[str, Any]
Submit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class ShownBranch:
    """Branch of results that the address names, be it the default one or not."""

    name: str
    default: bool

    @property
    def other(self) -> str | None:
        """Its name where it is not the default one."""
        return None if self.default else self.name

    @property
    def words(self) -> str:
        """What goes by it, in words."""
        which = "the default one" if self.default else "not the default one; what that was not given is left out"
        return f"It goes by the branch of results “{self.name}”, {which}."


def ask_export(session: PortalSession, datasets: Sequence[Element]) -> None:
    """Ask what of some datasets goes where, and start a job for each; of a run goes what its saved filter takes.

    Of one run whose page shows another branch of results than the default one, it goes by that branch.
    """

    def asked(shown: ShownBranch | None) -> tuple[Form, Submit]:
        branch = shown.other if shown is not None else None
        form = form_of(datasets, session.base_url, shown=shown)
        return form, lambda values: _start(session, datasets, values, branch=branch)

    _ask_by_branch(session, datasets, asked)


def ask_filtered_export(
    session: PortalSession, run: Element, kind: JobKind, *, rules: Sequence[FilterRule], matching: str
) -> None:
    """The same of one run, for an export of a kind, with a filter that need not be saved.

    Parameters
    ----------
    matching : in words, what the filter takes.
    """
    live = kind is JobKind.LIVE_EXPORT
    chosen = RunFilter(rules=tuple(rules))

    def asked(shown: ShownBranch | None) -> tuple[Form, Submit]:
        branch = shown.other if shown is not None and not live else None
        whole = form_of([run], session.base_url, shown=shown)
        words = [matching]
        if live and shown is not None and not shown.default:
            words = [f"It goes by the default branch of results, not by “{shown.name}”, which is looked at."]
        elif shown is not None:
            words.append(shown.words)
        if live:
            words.append("It goes on with what arrives, until the run completes.")
        form = {
            "fields": [field for field in whole["fields"] if field["name"] != "kind"],
            "label": f"Start a live export of “{run.name}”" if live else heading("Export", [run]),
            "action": "Start" if live else "Export",
            "text": " ".join(words),
        }
        return form, lambda values: _start(session, [run], values | {"kind": _WHEN[kind]}, chosen, branch=branch)

    _ask_by_branch(session, [run], asked)


def _ask_by_branch(
    session: PortalSession, datasets: Sequence[Element], asked: Callable[[ShownBranch | None], tuple[Form, Submit]]
) -> None:
    """Ask what ``asked`` gives for the branch that the page of the one dataset names; None: no such page or name.

    Whether a name is that of the default branch is the run's to say, so the dialog waits for that.
    """
    place, dialog, catalogue = session.place, session.shell.dialog, session.catalogue
    name = place.branch if [one.id for one in datasets] == [place.element] else None
    if name is None:
        dialog.ask(*asked(None))
        return
    run_id = datasets[0].id
    waiting = {"label": heading("Export", datasets), "action": "Export", "waiting": "Looking the branch up …"}
    number = dialog.ask(waiting, lambda _: None)

    def found(run: Run) -> None:
        if dialog.form.get("number") == number:
            dialog.ask(*asked(ShownBranch(name, default=other_branch(run, name) is None)))

    session.run(lambda: catalogue.run(run_id), found, failed=lambda error: dialog.refuse(str(error)))


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


def form_of(datasets: Sequence[Element], base_url: str, *, shown: ShownBranch | None = None) -> Form:
    """What is asked about an export; ``shown`` is the branch of a run's results, None: the default one."""
    branch = shown.other if shown is not None else None
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
        + (f" {shown.words}" if shown is not None else ""),
        "fields": fields,
    }
    if runs and len(datasets) == 1 and datasets[0].type == DatasetType.EPU_RUN:
        run = f"{base_url}runs/{datasets[0].id}"
        query = f"?{urlencode({BRANCH: branch})}" if branch is not None else ""
        links = [{"label": label, "href": f"{run}/{path}{query}"} for path, label in _LISTS]
        form |= {"links": links, "links_said": "Only the lists, onto this computer:"}
    return form
