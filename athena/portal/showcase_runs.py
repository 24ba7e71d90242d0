"""Examples for the page of all components: what judges, filters and processes a run again."""

from collections.abc import Callable, Iterator
from typing import Any

from athena.portal.components.branch_board import BranchBoard
from athena.portal.components.dashboard_board import DashboardBoard
from athena.portal.components.empty_state import EmptyState
from athena.portal.components.filter_bar import FilterBar
from athena.portal.components.keys_help import KeysHelp
from athena.portal.components.micrograph_header import MicrographHeader
from athena.portal.components.processing_editor import ProcessingEditor
from athena.portal.keys import EVERYWHERE, key_groups

_WHEN = "2024-05-17T09:00:00+00:00"
_ID = "00000000-0000-0000-0000-000000000001"
_PROBLEM = "“fine patches” is being processed. Cancel that job first."
_METRICS = [
    {"name": "defocus_um", "label": "Defocus", "unit": "µm"},
    {"name": "drift_total_angstrom", "label": "Total drift", "unit": "Å"},
]
_RULES = [
    {"metric": "defocus_um", "operator": "between", "value": 0.8, "upper": 2.4},
    {"metric": "drift_total_angstrom", "operator": "<=", "value": 20, "upper": None},
]


def _parameter(name: str, kind: str, **more: Any) -> dict[str, Any]:
    label = name.replace("_", " ").capitalize()
    return {"name": name, "label": label, "about": label, "kind": kind, "choices": [], "value": None} | more


_PARAMETERS = [
    _parameter("pixel_size_angstrom", "number", usual="as the microscope says"),
    _parameter("patches_x", "whole", usual="5", value=7),
    _parameter("gain_orientation", "choice", usual="as_found", choices=["as_found", "flip_x", "flip_y"]),
    _parameter("keep_unweighted", "choice", usual="false", choices=["true", "false"]),
]


def _branch(name: str, **more: Any) -> dict[str, Any]:
    made = {"name": name, "default": False, "parameters": "patches_x = 9", "completed": 8, "waiting": 4, "error": 1}
    return made | {"search": "?", "chosen": False, "maker": "alice", "created": _WHEN} | more


def _job(state: str, **more: Any) -> dict[str, Any]:
    made = {"id": _ID, "branch": "fine patches", "state": state, "cancelling": False, "done": 3, "total": 12}
    return made | {"message": "", "actions": ["cancel"]} | more


def run_examples(nothing: Callable[[dict[str, Any]], None]) -> Iterator[tuple[str, Any]]:
    """Names of states, and components in them; ``nothing`` hears what they ask."""
    first = _branch("original", default=True, chosen=True, parameters="", completed=1204, waiting=0, error=7)
    metric = {"metric": "defocus_um", "label": "Defocus", "unit": "µm", "this": "1.42", "other": "1.40"}
    metric |= {"difference": "+0.020", "deviation": "0.004", "words": "lower in 2, higher in 6"}
    board: dict[str, Any] = {"branches": [first, _branch("fine patches")], "parameters": _PARAMETERS, "total": 1211}
    board |= {"comparison": {"this": "fine patches", "other": "original", "both": 8, "metrics": [metric]}}
    jobs = [_job("running"), _job("pending", done=0, total=0), _job("failed", message="The store is full.")]
    yield (
        "an owner's",
        BranchBoard(nothing, jobs=jobs, may_write=True, may_delete=True, matching="412 of 1204", **board),
    )
    yield "a viewer's", BranchBoard(nothing, **board)
    yield "refused", BranchBoard(nothing, problem=_PROBLEM, may_write=True, **board | {"comparison": {}})
    yield "no other branch", BranchBoard(nothing, branches=[first], total=1211)

    counts = {"kept": 412, "total": 1204, "accepted": 3, "rejected": 2, "may_write": True}
    export = {"id": _ID, "label": "Live export", "state": "running", "done": 318, "total": 1204, "unit": "files"}
    export |= {"message": "", "location": "apoferritin/grid3"}
    failed = export | {"label": "Export", "state": "failed", "message": "The export storage is full."}
    finished = export | {"label": "Export", "state": "finished", "done": 1204}
    yield "changed", FilterBar(nothing, changed=True, ruled=True, **counts)
    yield (
        "saved, exports under way",
        FilterBar(nothing, live=True, ruled=True, jobs=[export, failed, finished], **counts),
    )
    yield "refused", FilterBar(nothing, ruled=True, problem="There is no metric “iciness”.", **counts)
    yield "a viewer's", FilterBar(nothing, kept=1204, total=1204)

    yield "closed", KeysHelp(groups=key_groups(), here=[EVERYWHERE])

    criteria = {"rules": _RULES, "own": True, "complying": 1100, "judged": 1204}
    editor: dict[str, Any] = {"criteria": criteria, "metrics": _METRICS, "parameters": _PARAMETERS, "waiting": False}
    yield "some failed", ProcessingEditor(nothing, failed=7, may_write=True, **editor)
    yield "a viewer's", ProcessingEditor(nothing, **editor)
    yield "refused", ProcessingEditor(nothing, problem="Movies have another patches_x.", may_write=True, **editor)
    yield "waiting", ProcessingEditor(nothing)

    live = {"name": "Grid 3", "search": "?", "way": [{"name": "Apoferritin"}], "total": 1204, "completed": 1197}
    live |= {"rate": "598", "last_name": "FoilHole_7714003_Data_7708110", "last_search": "?", "last_time": _WHEN}
    live |= {"picture": "", "concerns": []}
    wrong = [{"level": "error", "text": "No new image for 12 min."}, {"level": "warning", "text": "20 wait."}]
    begun = {"name": "Grid 4", "rate": "", "last_search": "", "total": 0, "completed": 0}
    runs = [live, live | {"name": "Grid 5", "concerns": wrong}, live | begun]
    yield "acquired now", DashboardBoard(live=runs, version="1.0")
    for state in ("processing", "registered", "awaiting_movie"):
        header = MicrographHeader(state=state, title="FoilHole_7714003_Data_7708110", back="?", where="3 of 12")
        yield state.replace("_", " "), header
    yield "with a button", EmptyState(nothing, sentence="Nothing is acquired into this run yet.", action="Attach…")
