"""The few lines of Python that make what a page shows (NB-03)."""

import json
import re

from athena.contract.elements import DatasetType, Element, ElementKind
from athena.portal.place import Place

_CONNECT = "import athena\n\na = athena.connect()\n"
_PAGES = {
    "": "a  # the workspace, as a tree",
    "dashboard": 'a.recent("workflow")\na.recent("folder")\na.storages\na.jobs()',
    "jobs": "a.jobs()",
    "licence": "a.licence",
    "profile": "a.me\na.tokens",
    "settings": "a.services\na.plugins",
    "storage": "a.storages",
    "users": "a.users",
}
_SIDES = {"metadata": "{0}.metadata", "notes": "{0}.notes", "sharing": "{0}.permissions"}
_RUN_TABS = {
    "": "RunGallery(run)",
    "micrographs": "RunGallery(run)",
    "dataviz": "RunDataviz(run)\nrun.table()  # one row a micrograph; plot any column",
    "report": "run.quality_report()",
    "processing": "run.branches\nrun.criteria\nrun.parameters",
}
_MICROGRAPH_TABS = {"motion": "MotionTraces(run, {0})", "ctf": "CtfFit(run, {0})"}
_BRANCH_TABS = {
    "": "RunGallery(run, branch={0})",
    "micrographs": "RunGallery(run, branch={0})",
    "dataviz": "RunDataviz(run, branch={0})\nrun.branch({0}).table()  # one row a micrograph; plot any column",
    "report": "run.branch({0}).quality_report()",
    "processing": "run.branches\nrun.branch({0}).compare()\nrun.branch({0}).parameters",
}
"""Of another branch than the default one, by its name as Python writes it."""
_BRANCH_MICROGRAPH_TABS = {
    "motion": "MotionTraces(run, {0}, branch={1})",
    "ctf": "CtfFit(run, {0}, branch={1})",
}
_ASSIGNED = re.compile(r"(import|from)\b|\w+ = ")
_LISTED = ("kind", "in", "status")


def recipe(place: Place, element: Element | None) -> str:
    """Python that shows in a notebook what a page shows: every line an expression to look at, or what it needs."""
    if place.page == "guide":
        return ""
    if element is None and place.page not in (*_PAGES, "search"):
        return ""
    if element is None:
        return _CONNECT + (_search(place) if place.page == "search" else _PAGES[place.page])
    if element.kind is ElementKind.DATASET and element.type == DatasetType.EPU_RUN:
        return _run(place, element)
    side = place.option("panel")
    shown = f"\n{_SIDES[side].format('element')}" if side in _SIDES else ""
    return f'{_CONNECT}element = a.element("{element.id}")  # {_comment(element.name)}\nelement{shown}'


def recipe_notebook(code: str) -> str:
    """A recipe as a notebook (``.ipynb``): what is needed in its first cell, each thing to look at in its own."""
    lines = code.splitlines()
    assigned = [line for line in lines if _ASSIGNED.match(line) or not line]
    looks = [line for line in lines if line and not _ASSIGNED.match(line)]
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for source in ("\n".join(assigned).rstrip(), *looks)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 4}, indent=1)


def _run(place: Place, element: Element) -> str:
    run = f'run = a.run("{element.id}")  # {_comment(element.name)}\n'
    branch = repr(place.branch) if place.branch else ""
    if place.index is not None:
        lines = _micrograph(place.tab, place.index, branch)
        used = [name for name in ("ImageViewer", "MotionTraces", "CtfFit") if name in lines]
    else:
        tabs = _BRANCH_TABS if branch else _RUN_TABS
        lines = _SIDES[place.tab].format("run") if place.tab in _SIDES else tabs.get(place.tab, tabs[""]).format(branch)
        used = [name for name in ("RunDataviz", "RunGallery") if name in lines]
    widgets = f"from athena_widgets import {', '.join(sorted(used))}\n" if used else ""
    return _CONNECT.replace("import athena\n", f"import athena\n{widgets}") + run + lines


def _micrograph(tab: str, index: int, branch: str) -> str:
    if not branch:
        panel = _MICROGRAPH_TABS.get(tab, "run.acquisition({0}).metrics").format(index)
        return f"ImageViewer(run, {index})\n{panel}"
    panel = _BRANCH_MICROGRAPH_TABS.get(tab, "run.branch({1}).acquisition({0}).metrics").format(index, branch)
    return f"ImageViewer(run, {index}, branch={branch})\n{panel}"


def _search(place: Place) -> str:
    options = dict(place.options)
    said = {"text": options.get("q", "")}
    said |= {name: options.get(name, "") for name in ("owner", "since", "until", "where")}
    given = [f"{name}={value!r}" for name, value in said.items() if value]
    given += [f"{_argument(name)}={options[name].split(',')!r}" for name in _LISTED if options.get(name)]
    return f"a.search({', '.join(given)})" if given else "a.recent()"


def _argument(option: str) -> str:
    return "within" if option == "in" else option


def _comment(name: str) -> str:
    """A name that stays in its line whatever it holds."""
    return "".join(letter if letter.isprintable() else " " for letter in name)
