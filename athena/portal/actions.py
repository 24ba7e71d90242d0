"""What a visitor may do with an element (WS-12, WS-13, WS-14)."""

from enum import StrEnum

from athena.contract.elements import DatasetType, Element, ElementKind, State
from athena.contract.people import Action


class ElementAction(StrEnum):
    """An entry of an element's menu."""

    RENAME = "rename"
    DESCRIBE = "describe"
    STATUS = "status"
    LINK = "link"
    DOWNLOAD = "download"
    ARCHIVE = "archive"
    RESTORE = "restore"
    DELETE = "delete"


def actions_of(element: Element) -> tuple[ElementAction, ...]:
    """What the visitor may do with an element as it stands: as the element itself says."""
    if element.state is State.DELETING:
        return ()
    offered = [ElementAction.LINK, ElementAction.DOWNLOAD]
    if Action.WRITE in element.may:
        offered = [
            ElementAction.RENAME,
            ElementAction.DESCRIBE,
            *([ElementAction.STATUS] if _by_hand(element) else []),
            *offered,
        ]
    if Action.DELETE in element.may:
        if element.kind in (ElementKind.WORKFLOW, ElementKind.DATASET):
            offered.append(ElementAction.RESTORE if element.state is State.ARCHIVED else ElementAction.ARCHIVE)
        offered.append(ElementAction.DELETE)
    return tuple(offered)


def _by_hand(element: Element) -> bool:
    """Whether people set its status (WS-04)."""
    return element.kind is ElementKind.STEP or (
        element.kind is ElementKind.DATASET and element.type == DatasetType.FREE
    )
