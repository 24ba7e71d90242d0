"""The tree of elements at the left of the content (WS-08)."""

from typing import Any

import param

from athena.contract.elements import Element, ElementKind
from athena.portal.components.asking import Asking
from athena.portal.place import Place


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
    }


class Explorer(Asking):
    """Folders, workflows, steps and datasets as a tree; a level of it comes a page at a time.

    It asks ``level`` (level, offset or holding, epoch, sort, down). The browser remembers its width, its order, and
    whether it is hidden.
    """

    parts = ("tree",)

    way = param.List(default=[], item_type=str, doc="Ids from the top of the workspace to what is shown.")
    here = param.String(default="", doc="Id of what is shown, or will be as soon as it is read.")
    deep = param.Boolean(default=False, doc="Whether a single micrograph is shown, which wants the room.")
    page = param.Dict(default={}, doc="As TreeFeed gives it.")
    news = param.Dict(default={}, doc="{all} or {gone: ids, changed: [[id, id of its parent]]}: what may be old now.")
