"""Elements as cards or as a list (WS-10)."""

from typing import Any

import param

from athena.contract.elements import Element, ElementKind
from athena.portal.actions import actions_of
from athena.portal.components.asking import Asking
from athena.portal.labels import kind_label, type_label
from athena.portal.place import Place

ZIP = "api/zip"
"""Where the API gives zips, seen from the portal's own address."""


def item_of(element: Element) -> dict[str, Any]:
    """What the list shows of an element."""
    return {
        "id": str(element.id),
        "state": element.state.value,
        "actions": [action.value for action in actions_of(element)],
        "kind": element.kind.value,
        "type": type_label(element) or kind_label(element.kind),
        "name": element.name,
        "search": Place(element.id).search,
        "zip": f"{ZIP}?elements={element.id}",
        "status": element.status.value if element.kind is not ElementKind.FOLDER else "",
        "description": element.description,
        "updated": element.updated.isoformat(),
        "creator": element.creator,
        "position": element.position,
        "children": element.child_count,
        "steps": [{"name": step.name, "status": step.status.value} for step in element.steps],
    }


class ElementList(Asking):
    """Elements one can open. Which of the two forms was chosen is remembered by the browser."""

    items = param.List(default=[], item_type=dict, doc="As made by item_of.")
    empty = param.String(default="", doc="One sentence, when there is nothing.")
    ordered = param.Boolean(default=False, doc="Numbered, in the order given: the steps of a workflow.")
    order = param.Dict(default={}, doc="As Order.choices gives it.")
    pages = param.Dict(default={}, doc="As Order.pages gives it.")
    waiting = param.Boolean(default=False, doc="Show skeletons: the items are on their way.")
