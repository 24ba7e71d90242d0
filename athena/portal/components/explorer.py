"""The tree of elements at the left of the content (WS-08)."""

from typing import Any
from uuid import UUID

import param

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import DatasetType, Element, ElementKind
from athena.contract.listings import ListedAcquisition
from athena.portal.components.asking import Asking
from athena.portal.place import Place

_MARKS = {
    AcquisitionState.AWAITING_MOVIE: "not_started",
    AcquisitionState.REGISTERED: "not_started",
    AcquisitionState.PROCESSING: "in_progress",
    AcquisitionState.COMPLETED: "completed",
    AcquisitionState.ERROR: "error",
    AcquisitionState.LEFT_OUT: "suspended",
}


def tree_item(element: Element) -> dict[str, Any]:
    """An element as a row of a tree."""
    return {
        "id": str(element.id),
        "kind": element.kind.value,
        "type": element.type,
        "name": element.name,
        "state": element.state.value,
        "status": element.status.value if element.kind in (ElementKind.STEP, ElementKind.DATASET) else "",
        "children": element.child_count,
        "search": Place(element.id).search,
        "holds": element.kind is ElementKind.DATASET and element.type == DatasetType.EPU_RUN,
    }


def micrograph_id(run_id: UUID, index: int) -> str:
    """Of a micrograph in a tree."""
    return f"{run_id}/{index}"


def micrograph_item(run_id: UUID, line: ListedAcquisition, place: Place) -> dict[str, Any]:
    """An acquisition as a row of a tree; ``place`` : that of its run."""
    return {
        "id": micrograph_id(run_id, line.index),
        "kind": "micrograph",
        "type": "",
        "name": line.name,
        "state": "active",
        "status": _MARKS[line.state],
        "children": 0,
        "search": place.search,
        "picture": f"runs/{run_id}/acquisitions/{line.index}/thumbnail.png"
        if line.state is AcquisitionState.COMPLETED
        else "",
    }


class Explorer(Asking):
    """Folders, workflows, steps and datasets as a tree, and the micrographs of runs; a level comes a page at a time.

    It asks ``level`` (level, offset or holding, epoch, sort, down). The browser remembers its width, its order, whether
    micrographs have thumbnails, and whether it is hidden.
    """

    parts = ("tree",)

    way = param.List(default=[], item_type=str, doc="Ids from the top of the workspace to what is shown.")
    here = param.String(default="", doc="Id of what is shown, or will be as soon as it is read.")
    deep = param.Boolean(default=False, doc="Whether a single micrograph is shown, which wants the room.")
    adds = param.List(
        default=[], item_type=dict, doc="What may be made where one is: {what, label}; it asks ``add`` (what)."
    )
    folded = param.Boolean(default=False, doc="Whether what is shown stays folded as one comes to it, as a run does.")
    address = param.String(default="", doc="Of the API, as the browser reaches it.")
    page = param.Dict(default={}, doc="As TreeFeed gives it.")
    news = param.Dict(
        default={},
        doc="{all} or {gone: ids, changed: [[id, id of its parent]], inside: ids of runs}: what may be old now.",
    )
