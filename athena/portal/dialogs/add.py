"""Making an element: what may be made where, and what it is asked for (WS-01, WS-02, WS-03, WS-05)."""

from dataclasses import dataclass
from typing import Any

from athena.contract.elements import (
    DatasetCreate,
    DatasetType,
    Element,
    ElementCreate,
    ElementKind,
    FolderCreate,
    StepCreate,
    Template,
    WorkflowCreate,
)
from athena.contract.people import Action
from athena.domain.templates import TEMPLATES as SPECS
from athena.errors import Invalid
from athena.portal.labels import DATASET_TYPES, TEMPLATES
from athena.portal.place import Place
from athena.portal.session import PortalSession
from athena.sdk.client import checked

DEFAULT_TEMPLATE = Template.SPA_QUALITY_MONITOR
RUN_TYPES: dict[str, tuple[DatasetType, ...]] = {
    "Screening": (DatasetType.EPU_RUN,),
    "Imaging": (DatasetType.EPU_RUN,),
}
"""Which runs the portal offers to make, by template step; the API decides whether it may be."""


@dataclass(frozen=True)
class Offer:
    """Something that may be made.

    Parameters
    ----------
    what : kind of the element.
    choices : values and words of what has to be chosen; empty where there is nothing to choose.
    """

    what: ElementKind
    choices: tuple[tuple[str, str], ...] = ()
    choice_label: str = ""

    @property
    def item(self) -> dict[str, str]:
        """As components take it."""
        return {"what": self.what.value, "label": f"Add {self.what.value}"}


def offers(place: Element | None) -> tuple[Offer, ...]:
    """What the visitor may make in an element, or (None) at the top of the workspace; the usual one last."""
    folder = Offer(ElementKind.FOLDER)
    if place is None:
        return (folder,)
    if Action.WRITE not in place.may:
        return ()
    if place.kind is ElementKind.FOLDER:
        names = sorted(TEMPLATES, key=lambda name: name != DEFAULT_TEMPLATE)
        templates = tuple((name, TEMPLATES[name]) for name in names)
        return (folder, Offer(ElementKind.WORKFLOW, templates, "Template (it cannot be changed later)"))
    if place.kind is ElementKind.WORKFLOW:
        return (Offer(ElementKind.STEP),) if SPECS[place.type].own_steps else ()
    if place.kind is ElementKind.STEP:
        types = (*RUN_TYPES.get(place.type or place.name, ()), DatasetType.FREE)
        return (Offer(ElementKind.DATASET, tuple((one.value, DATASET_TYPES[one]) for one in types), "Type"),)
    return ()


def ask_add(session: PortalSession, place: Element | None, what: str) -> None:
    """Ask for the name of a new element, make it, and go there."""
    offer = next((one for one in offers(place) if one.what == what), None)
    if offer is None:
        return
    dialog = session.shell.dialog

    def submit(values: dict[str, Any]) -> None:
        try:
            new = wanted(offer, place, values)
        except Invalid as error:
            dialog.refuse(str(error))
            return
        session.run(lambda: session.catalogue.create(new), made, failed=lambda error: dialog.refuse(str(error)))

    def made(element: Element) -> None:
        dialog.close()
        session.go(Place(element.id))

    fields: list[dict[str, Any]] = [{"name": "name", "label": "Name", "maxlength": 200}]
    if offer.choices:
        fields.append(
            {"name": "choice", "label": offer.choice_label, "type": "select", "options": list(map(list, offer.choices))}
        )
    dialog.ask({"label": f"Add {offer.what.value}", "action": "Create", "fields": fields}, submit)


def wanted(offer: Offer, place: Element | None, values: dict[str, Any]) -> ElementCreate:
    """What the form says. Raises Invalid."""
    given: dict[str, Any] = {"name": str(values["name"]).strip()}
    if not given["name"]:
        raise Invalid("Give it a name.")
    if place is not None:
        given["parent_id"] = place.id
    if offer.what is ElementKind.FOLDER:
        return checked(FolderCreate, **given)
    if offer.what is ElementKind.WORKFLOW:
        return checked(WorkflowCreate, **given, template=values["choice"])
    if offer.what is ElementKind.STEP:
        return checked(StepCreate, **given)
    return checked(DatasetCreate, **given, type=values["choice"])
