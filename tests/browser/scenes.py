"""What of the portal is looked at: every page, panel, dialog and menu, one line each.

``make shots`` takes a picture of each, ``test_accessibility`` holds each against axe-core; both stand on ``world``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from playwright.sync_api import Page, expect


@dataclass(frozen=True)
class Scene:
    """A page, and what is done there before it is looked at.

    Parameters
    ----------
    query : of the address; ``{names}`` are those of the world.
    ready : selector of what is there once the page is drawn.
    steps : done one after the other: a selector is clicked; ``type selector=words`` fills, ``choose selector=value``
        selects, ``press key`` presses, ``hover selector`` and ``focus selector`` do that.
    opened : selector of what is there after that.
    who : whose eyes it is seen with; empty: the administrator's.
    """

    query: str
    ready: str
    steps: tuple[str, ...] = ()
    opened: str = ""
    who: str = ""


def hook(name: str, **more: str) -> str:
    """Selector of a ``data-athena`` hook that is in sight."""
    return f"[data-athena={name}]" + "".join(f"[data-{key}='{value}']" for key, value in more.items()) + ":visible"


BOB = "[data-athena=account][data-name=bob] [data-athena=actions]"
DIALOG, ACTION = hook("dialog"), hook("action-dialog")
METADATA, SAMPLES, VIZ = "?e={step}&panel=metadata", "?e={step}&panel=samples", "?e={full}&tab=dataviz"
SHARP = f"{VIZ}&rules=ctf_resolution_angstrom~le~3.4"
RUN, FULL, FEW, STEP, FILES = "?e={run}", "?e={full}", "?e={few}", "?e={step}", "?e={files}"
IMAGE = hook("viewer") + " canvas"
SOLID = "[data-athena=volume][data-ready]:visible"


def menu(name: str, action: str) -> tuple[str, str]:
    """Open the menu of a card and choose from it."""
    card = f"[data-athena=element][data-name='{name}']"
    return f":has(> {card}) [data-athena=actions]", hook(f"action-{action}")


PAGES: dict[str, Scene] = {
    "workspace": Scene("", hook("element")),
    "workspace-list": Scene("", hook("element"), (hook("form-list"),), hook("element")),
    "folder": Scene("?e={folder}", hook("element")),
    "folder-empty": Scene("?e={empty}", hook("empty")),
    "workflow": Scene("?e={workflow}", hook("element")),
    "step": Scene(STEP, hook("element")),
    "long-names": Scene("?e={long_folder}", hook("element")),
    "long-run": Scene("?e={long}", hook("acquisition")),
    "archived": Scene("?e={archived}", hook("title")),
    "dashboard": Scene("?p=dashboard", hook("live-run")),
    "search": Scene("?p=search&q=grid", hook("hit")),
    "search-nothing": Scene("?p=search&q=xyzzy", hook("search-count")),
    "search-refused": Scene("?p=search&where=defocus+%3E", hook("search")),
    "samples": Scene("?p=samples", hook("sample-row")),
    "samples-none": Scene(
        "?p=samples&q=xyzzy", hook("samples"), ("type [data-athena=samples-find]=xyzzy",), hook("empty")
    ),
    "sample": Scene("?p=samples&id={sample}", hook("sample-name")),
    "jobs": Scene("?p=jobs", hook("job")),
    "jobs-none": Scene("?p=jobs&element=xyzzy", hook("empty")),
    "storage": Scene("?p=storage", hook("storage")),
    "profile": Scene("?p=profile", hook("profile")),
    "guide": Scene("?p=guide&page=guide/portal", hook("guide-page") + " img"),
    "guide-search": Scene("?p=guide&q=export", hook("guide-hit")),
    "health": Scene("?p=settings", hook("service")),
    "plugins": Scene("?p=settings&tab=plugins", hook("plugin")),
    "licence": Scene("?p=licence", hook("platform-id")),
    "users": Scene("?p=users", hook("account")),
    "nothing": Scene("?e=00000000-0000-0000-0000-000000000000", hook("error")),
    "no-such-page": Scene("?p=xyzzy", hook("error")),
    "not-allowed": Scene("?p=users", hook("error"), who="bob"),
    "not-shared": Scene("?e={workflow}", hook("error"), who="carol"),
    "workspace-nothing": Scene("", hook("empty"), who="carol"),
    "dashboard-nothing": Scene("?p=dashboard", hook("dashboard"), who="carol"),
    "viewer-of-a-run": Scene("?e={run}&tab=processing", hook("processing"), who="bob"),
}
"""Pages that show no single run, and what says that there is nothing."""

PANELS: dict[str, Scene] = {
    "panel-metadata": Scene(METADATA, hook("metadata") + " [data-name]"),
    "panel-notes": Scene(f"{STEP}&panel=notes", hook("note")),
    "panel-samples": Scene(SAMPLES, hook("sample")),
    "panel-sharing": Scene(f"{STEP}&panel=sharing", hook("grant")),
    "panel-empty": Scene("?e={empty}&panel=notes", hook("notes")),
    "panel-half": Scene(f"{STEP}&panel=notes", hook("note"), (hook("panel-width-half"),), hook("note")),
    "panel-collapsed": Scene(STEP, hook("panel-width-none"), (hook("panel-width-none"),), hook("panel-width-half")),
    "panel-third": Scene(STEP, hook("panel-width-third"), (hook("panel-width-third"),), hook("panel-width-half")),
    "metadata-form": Scene(METADATA, hook("metadata-add"), (hook("metadata-add"),), hook("metadata-form")),
    "metadata-export": Scene(METADATA, hook("metadata-export"), (hook("metadata-export"),), hook("export-name")),
    "note-form": Scene(f"{STEP}&panel=notes", hook("note-edit"), (hook("note-edit"),), hook("note-form")),
    "share-form": Scene("?e={workflow}&panel=sharing", hook("share-form")),
    "sample-find": Scene(SAMPLES, hook("sample-find"), ("type [data-athena=sample-find]=Apo",), hook("sample-hit")),
    "sample-register-panel": Scene(SAMPLES, hook("sample-register"), (hook("sample-register"),), DIALOG),
}
"""The data panel beside an element, in its widths, and the forms in it."""

RUNS: dict[str, Scene] = {
    "run": Scene(RUN, hook("acquisition", state="completed")),
    "run-few": Scene(FEW, hook("acquisition")),
    "run-full": Scene(FULL, hook("acquisition")),
    "run-cards": Scene(FULL, hook("acquisition"), (hook("mode-cards"),), hook("acquisition")),
    "run-errors": Scene(FULL, hook("acquisition"), (hook("only-error"),), hook("acquisition", state="error")),
    "run-extended": Scene(FULL, hook("acquisition"), (hook("mode-extended"),), hook("acquisition")),
    "run-empty": Scene("?e={none}", hook("empty")),
    "run-stale": Scene("?e={stale}", hook("stale")),
    "run-problems": Scene("?e={stale}", hook("source-problems"), (hook("source-problems"),), hook("source-problems")),
    "run-branch": Scene("?e={branched}&branch=fine+patches", hook("branch-notice")),
    "run-metadata": Scene(f"{RUN}&tab=metadata", hook("metadata") + " [data-name]"),
    "run-samples": Scene(f"{RUN}&tab=samples", hook("samples")),
    "dataviz": Scene(f"{RUN}&tab=dataviz", hook("dataviz") + "[data-drawn]"),
    "dataviz-few": Scene(f"{FEW}&tab=dataviz", hook("dataviz") + "[data-drawn]"),
    "dataviz-full": Scene(VIZ, hook("dataviz") + "[data-drawn]"),
    "dataviz-tilt": Scene(
        f"{RUN}&tab=dataviz&charts=ice_relative,ice_thickness_nm,tilt_deg,tilt_error_deg",
        hook("dataviz") + "[data-drawn]",
    ),
    "dataviz-empty": Scene("?e={none}&tab=dataviz", hook("empty")),
    "processing": Scene("?e={branched}&tab=processing", hook("compared-metric")),
    "processing-failed": Scene(f"{FULL}&tab=processing", hook("branch")),
    "report": Scene(f"{RUN}&tab=report", hook("report")),
    "report-full": Scene(f"{FULL}&tab=report", hook("report")),
    "report-empty": Scene("?e={none}&tab=report", hook("empty")),
    "micrograph": Scene(f"{RUN}&i=2", IMAGE),
    "micrograph-failed": Scene(f"{FULL}&i={{failed}}", hook("acquisition-error")),
    "micrograph-waiting": Scene(f"{FULL}&i={{waiting}}", hook("acquisition-state")),
    "motion": Scene(f"{RUN}&i=2&tab=motion", hook("traces")),
    "ctf": Scene(f"{RUN}&i=2&tab=ctf", hook("curve")),
    "fft": Scene(f"{RUN}&i=2&view=fft&tab=ctf", hook("ring-name")),
    "run-filter": Scene(
        FULL, hook("acquisition"), (hook("filter"),), hook("filter-rules") + f", {hook('filter-change')}"
    ),
    "charts-menu": Scene(VIZ, hook("charts-menu"), (hook("charts-menu"),), hook("charts-standard")),
    "rule-form": Scene(VIZ, hook("rule-add"), (hook("rule-add"),), hook("rule-add-go")),
    "filters-menu": Scene(SHARP, hook("named-filters"), (hook("named-filters"),), hook("filter-name")),
    "filter-name": Scene(SHARP, hook("named-filters"), (hook("named-filters"), hook("filter-name")), DIALOG),
    "named-filters": Scene(VIZ, hook("named-filters"), (hook("named-filters"),), hook("filter-name")),
    "filter-history": Scene(
        VIZ, hook("named-filters"), (hook("named-filters"), hook("named-filter-history")), hook("dialog-choice")
    ),
    "export-menu": Scene(VIZ, hook("export-menu"), (hook("export-menu"),), hook("export")),
    "export-filtered": Scene(VIZ, hook("export-menu"), (hook("export-menu"), hook("export")), DIALOG),
    "export-live": Scene(VIZ, hook("export-menu"), (hook("export-menu"), hook("live-export")), DIALOG),
    "reprocess": Scene(
        "?e={branched}&tab=processing", hook("reprocess-open"), (hook("reprocess-open"),), hook("reprocess-form")
    ),
    "contrast": Scene(f"{RUN}&i=2", IMAGE, (hook("contrast"),), hook("contrast-panel")),
    "attach": Scene("?e={none}", hook("empty-start"), (hook("empty-start"),), DIALOG),
    "notebook": Scene(RUN, hook("open-recipe"), (hook("open-recipe"),), hook("recipe-dialog")),
    "run-menu": Scene(RUN, hook("actions"), (hook("actions"),), hook("action-export")),
    "keys-run": Scene(RUN, hook("acquisition"), ("press ?",), hook("keys")),
}
"""Runs, their micrographs and what opens on them."""

FILES_SCENES: dict[str, Scene] = {
    "files": Scene(FILES, hook("file")),
    "files-chosen": Scene(FILES, hook("file"), (hook("files-all"),), hook("files-delete")),
    "file-menu": Scene(FILES, hook("file-actions"), (hook("file-actions"),), hook("file-rename")),
    "file-rename": Scene(FILES, hook("file-actions"), (hook("file-actions"), hook("file-rename")), hook("file-dialog")),
    "files-delete": Scene(FILES, hook("file"), (hook("files-all"), hook("files-delete")), hook("file-dialog")),
    "explorer-micrographs": Scene(
        FULL,
        hook("acquisition"),
        ("[data-athena=tree-item][aria-current=page] .twist", hook("explorer-pictures")),
        "[data-athena=tree-item][aria-level='5'] img.thumb:visible",
    ),
    "file-volume": Scene(f"{FILES}&file={{vesicle.mrc}}", hook("section")),
    "file-volume-3d": Scene(f"{FILES}&file={{vesicle.mrc}}&view=3d", SOLID),
    "file-volume-projection": Scene(f"{FILES}&file={{vesicle.mrc}}&view=3d", SOLID, (hook("volume-projection"),)),
    "file-volume-xz": Scene(f"{FILES}&file={{vesicle.mrc}}", hook("section"), (hook("plane-y"),), hook("section")),
    "file-table": Scene(f"{FILES}&file={{positions.csv}}", hook("table")),
    "file-markdown": Scene(f"{FILES}&file={{notes.md}}", hook("prose")),
    "file-text": Scene(f"{FILES}&file={{log.txt}}", hook("text")),
    "file-picture": Scene(f"{FILES}&file={{atlas.png}}", hook("picture")),
    "file-other": Scene(f"{FILES}&file={{raw.dm4}}", hook("not-shown")),
    "files-none": Scene("?e={no_files}", hook("empty")),
}
"""Files of a free dataset and what shows them."""

OPENED: dict[str, Scene] = {
    "add-folder": Scene("", hook("add-folder"), (hook("add-folder"),), DIALOG),
    "add-workflow": Scene("?e={folder}", hook("add-workflow"), (hook("add-workflow"),), DIALOG),
    "add-dataset": Scene(STEP, hook("add-dataset"), (hook("add-dataset"),), DIALOG),
    "element-menu": Scene("", hook("actions"), (hook("actions"),), hook("action-rename")),
    "rename": Scene("", hook("element"), menu("Apoferritin", "rename"), ACTION),
    "describe": Scene("", hook("element"), menu("Apoferritin", "describe"), ACTION),
    "delete": Scene("", hook("element"), menu("Apoferritin", "delete"), ACTION),
    "set-status": Scene("?e={workflow}", hook("element"), menu("Imaging", "status"), ACTION),
    "move": Scene(STEP, hook("element"), menu("Grid 3", "move"), DIALOG),
    "export": Scene(STEP, hook("element"), menu("Grid 3", "export"), DIALOG),
    "cleanup": Scene(STEP, hook("element"), menu("Grid 3", "cleanup"), hook("dialog-typed")),
    "archive": Scene(STEP, hook("element"), menu("Grid 3", "archive"), ACTION),
    "chosen": Scene("", hook("element"), ("hover [data-athena=element]", "[data-athena=pick]"), hook("chosen")),
    "sample-register": Scene("?p=samples", hook("sample-register"), (hook("sample-register"),), DIALOG),
    "sample-edit": Scene("?p=samples&id={sample}", hook("sample-edit"), (hook("sample-edit"),), DIALOG),
    "sample-delete": Scene("?p=samples&id={sample}", hook("sample-delete"), (hook("sample-delete"),), DIALOG),
    "token-form": Scene("?p=profile", hook("token-new"), (hook("token-new"),), DIALOG),
    "storage-add": Scene("?p=storage", hook("storage-add"), (hook("storage-add"),), DIALOG),
    "storage-menu": Scene("?p=storage", hook("storage"), (hook("actions"),), hook("do-check")),
    "reindex": Scene("?p=settings", hook("reindex"), (hook("reindex"),), DIALOG),
    "stop-live-exports": Scene("?p=settings", hook("stop-live-exports"), (hook("stop-live-exports"),), DIALOG),
    "user-add": Scene("?p=users", hook("user-add"), (hook("user-add"),), DIALOG),
    "user-roles": Scene(
        "?p=users",
        hook("account"),
        (BOB, hook("do-roles")),
        DIALOG,
    ),
    "user-remove": Scene(
        "?p=users",
        hook("account"),
        (BOB, hook("do-remove")),
        DIALOG,
    ),
    "licence-refused": Scene(
        "?p=licence",
        hook("licence-key"),
        ("type [data-athena=licence-key]=no key", hook("licence-install")),
        hook("licence-problem"),
    ),
    "bell": Scene("", hook("bell"), (hook("bell"),), hook("bell-panel")),
    "user-menu": Scene("", hook("user"), (hook("user"),), hook("profile-link")),
    "keys": Scene("", hook("element"), ("press ?",), hook("keys")),
    "focus": Scene("", hook("element"), ("focus [data-athena=element]",), hook("element")),
}
"""Dialogs and menus that a click opens."""

SCENES: dict[str, Scene] = PAGES | PANELS | RUNS | FILES_SCENES | OPENED


def address(scene: Scene, named: Mapping[str, object]) -> str:
    """The scene's query with the ids of what it names."""
    query = scene.query
    for name, known in named.items():
        query = query.replace(f"{{{name}}}", str(known))
    return query


def enact(page: Page, scene: Scene) -> None:
    """Do what comes before looking; the page is there already."""
    expect(page.locator(scene.ready).first).to_be_visible()
    for step in scene.steps:
        verb, _, rest = step.partition(" ")
        target, _, value = rest.rpartition("=")
        match verb:
            case "press":
                page.keyboard.press(rest)
            case "type":
                page.locator(target).first.fill(value)
            case "choose":
                page.locator(target).first.select_option(value)
            case "hover":
                page.locator(rest).first.hover()
            case "focus":
                page.locator(rest).first.focus()
                page.keyboard.press("Tab")
                page.keyboard.press("Shift+Tab")
            case _:
                page.locator(step).first.click()
    if scene.opened:
        expect(page.locator(scene.opened).first).to_be_visible()
