"""From an address to what it holds: which page a place is, read in a thread."""

from athena.contract.elements import DatasetType, Element, ElementKind
from athena.portal.catalogue import Catalogue
from athena.portal.pages.dataset import Dataset
from athena.portal.pages.folder import Folder
from athena.portal.pages.listing import Listing, crumb_items
from athena.portal.pages.micrograph import read_micrograph
from athena.portal.pages.run import read_run
from athena.portal.pages.step import Step
from athena.portal.pages.workflow import Workflow
from athena.portal.pages.workspace import read_workspace
from athena.portal.place import Place
from athena.portal.session import Loaded

RUN_TYPES = frozenset({DatasetType.EPU_RUN.value})
"""Datasets that are shown as runs."""
_LISTINGS: dict[ElementKind, type[Listing]] = {
    ElementKind.FOLDER: Folder,
    ElementKind.WORKFLOW: Workflow,
    ElementKind.STEP: Step,
    ElementKind.DATASET: Dataset,
}


def load(catalogue: Catalogue, place: Place) -> Loaded:
    """Read a place. Raises NotFound if it is not there, or not the visitor's to see."""
    if place.element is None:
        return read_workspace(catalogue, place)
    element = catalogue.element(place.element)
    if _is_run(element):
        return read_micrograph(catalogue, place) if place.index is not None else read_run(catalogue, place)
    children = catalogue.children(element.id).items if element.kind is not ElementKind.DATASET else ()
    return _LISTINGS[element.kind](place, element, crumb_items(catalogue.breadcrumb(element.id)), children)


def _is_run(element: Element) -> bool:
    return element.kind is ElementKind.DATASET and element.type in RUN_TYPES
