"""The few lines of Python that make what a page shows (NB-03)."""

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
_LISTED = ("kind", "in", "status")


def recipe(place: Place, element: Element | None) -> str:
    """Python that shows in a notebook what a page shows: every line an expression to look at, or what it needs."""
    if place.page == "guide":
        return ""
    if element is None:
        return _CONNECT + (_search(place) if place.page == "search" else _PAGES[place.page])
    if element.kind is ElementKind.DATASET and element.type == DatasetType.EPU_RUN:
        return _run(place, element)
    side = place.option("panel")
    shown = f"\n{_SIDES[side].format('element')}" if side in _SIDES else ""
    return f'{_CONNECT}element = a.element("{element.id}")  # {_comment(element.name)}\nelement{shown}'


def _run(place: Place, element: Element) -> str:
    run = f'run = a.run("{element.id}")  # {_comment(element.name)}\n'
    if place.index is not None:
        panel = _MICROGRAPH_TABS.get(place.tab, "run.acquisition({0}).metrics").format(place.index)
        used = [name for name in ("ImageViewer", "MotionTraces", "CtfFit") if name in f"ImageViewer {panel}"]
        lines = f"ImageViewer(run, {place.index})\n{panel}"
    else:
        lines = _SIDES[place.tab].format("run") if place.tab in _SIDES else _RUN_TABS.get(place.tab, _RUN_TABS[""])
        used = [name for name in ("RunDataviz", "RunGallery") if name in lines]
    widgets = f"from athena_widgets import {', '.join(sorted(used))}\n" if used else ""
    return _CONNECT.replace("import athena\n", f"import athena\n{widgets}") + run + lines


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
