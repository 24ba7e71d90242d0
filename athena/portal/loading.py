"""From an address to what it holds: which page a place is, read in a thread."""

from collections.abc import Callable

from athena.contract.elements import DatasetType, Element, ElementKind, ElementPage
from athena.contract.neighbours import Shown
from athena.errors import NotFound
from athena.portal.catalogue import Catalogue
from athena.portal.order import Order
from athena.portal.pages.dashboard import read_dashboard
from athena.portal.pages.dataset import Dataset
from athena.portal.pages.files import read_files
from athena.portal.pages.folder import Folder
from athena.portal.pages.guide import read_guide
from athena.portal.pages.jobs import read_jobs
from athena.portal.pages.licence import read_licence
from athena.portal.pages.listing import Listing, crumb_items
from athena.portal.pages.micrograph import micrograph_page
from athena.portal.pages.profile import read_profile
from athena.portal.pages.run import read_run
from athena.portal.pages.samples import read_samples
from athena.portal.pages.search import read_search
from athena.portal.pages.settings import read_settings
from athena.portal.pages.step import Step
from athena.portal.pages.storage import read_storages
from athena.portal.pages.users import read_users
from athena.portal.pages.workflow import Workflow
from athena.portal.pages.workspace import read_workspace
from athena.portal.place import Place
from athena.portal.session import Loaded
from athena.portal.shown import NEWEST, Listed

RUN_TYPES = frozenset({DatasetType.EPU_RUN.value})
"""Datasets that are shown as runs."""
_LISTINGS: dict[ElementKind, type[Listing]] = {
    ElementKind.FOLDER: Folder,
    ElementKind.WORKFLOW: Workflow,
    ElementKind.STEP: Step,
    ElementKind.DATASET: Dataset,
}


_PAGES: dict[str, Callable[[Catalogue, Place], Loaded]] = {
    "": read_workspace,
    "dashboard": read_dashboard,
    "guide": read_guide,
    "jobs": read_jobs,
    "licence": read_licence,
    "profile": read_profile,
    "samples": read_samples,
    "search": read_search,
    "settings": read_settings,
    "storage": read_storages,
    "users": read_users,
}
"""Pages that show no element, by their names in the address."""


def load(catalogue: Catalogue, place: Place) -> Loaded:
    """Read a place. Raises NotFound if it is not there, or not the visitor's to see."""
    if place.element is None:
        if place.page not in _PAGES:
            raise NotFound("This address names no page of Athena.", hint="Start again from Home.")
        return _PAGES[place.page](catalogue, place)
    listed = Listed.of(place)
    visit = catalogue.visit(
        place.element,
        Order.of(place),
        index=place.index,
        shown=listed.shown or Shown.ALL,
        newest_first=listed.order == NEWEST,
        branch=place.branch,
    )
    element = visit.element
    if visit.run is not None and _is_run(element):
        if visit.acquisition is not None:
            return micrograph_page(place, visit.run, visit.acquisition, visit.breadcrumb)
        return read_run(catalogue, place, visit.run, visit.breadcrumb)
    children = visit.children or ElementPage(items=(), total=0)
    files = read_files(catalogue, place) if element.kind in (ElementKind.STEP, ElementKind.DATASET) else None
    return _LISTINGS[element.kind](place, element, crumb_items(visit.breadcrumb), children, files)


def _is_run(element: Element) -> bool:
    return element.kind is ElementKind.DATASET and element.type in RUN_TYPES
