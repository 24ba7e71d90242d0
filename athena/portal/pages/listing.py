"""What the workspace, folder, workflow and step pages share: a heading, an action, and the elements inside."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import panel as pn

from athena.contract.elements import Crumb, Element, ElementKind, ElementPage
from athena.contract.events import Event, EventKind
from athena.errors import AthenaError
from athena.portal.acting import act, act_on_many, by_id
from athena.portal.actions import ElementAction
from athena.portal.components.element_list import ElementList, item_of
from athena.portal.components.title_bar import TitleBar
from athena.portal.dialogs.add import Offer, ask_add, offers
from athena.portal.labels import kind_label, type_label
from athena.portal.order import Order
from athena.portal.pages.files import FileSide, Shown
from athena.portal.panels.data_panel import DataPanel
from athena.portal.place import Place
from athena.portal.session import PortalSession, View
from athena.portal.theme import Scheme


def crumb_items(crumbs: Sequence[Crumb]) -> list[dict[str, str]]:
    """Breadcrumb levels as the component takes them."""
    return [{"kind": kind_label(crumb.kind), "name": crumb.name, "search": Place(crumb.id).search} for crumb in crumbs]


@dataclass(frozen=True)
class Listing(ABC):
    """An element (None: the roots) and its children."""

    place: Place
    element: Element | None
    crumbs: list[dict[str, str]]
    children: ElementPage
    files: Shown | None = None
    ordered: ClassVar[bool] = False
    listed: ClassVar[bool] = True
    """Whether what is inside has an order of its own, and whether elements can be inside at all."""

    @property
    def title(self) -> str:
        """Name of the page."""
        return self.element.name if self.element else "Workspace"

    @property
    @abstractmethod
    def empty(self) -> str:
        """One sentence for when nothing is inside; names the button that starts, where the visitor has one."""

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What the visitor may make here."""
        return offers(self.element)

    def view(self, session: PortalSession) -> View:
        """Show it, with what the visitor may do here."""
        return ListingView(self, session)


def _named(event: Event) -> set[UUID]:
    return {named for named in (event.element_id, event.parent_id) if named is not None}


class ListingView:
    """Shows a listing, or another one in its place, and keeps it up to date."""

    def __init__(self, loaded: Listing, session: PortalSession) -> None:
        self._loaded = loaded
        self._files = FileSide(session)
        self._panel = DataPanel(session)
        self._session = session
        self._title = TitleBar(self._ask, sizing_mode="stretch_width")
        self._list = ElementList(self._ask, sizing_mode="stretch_width")
        # as high as what is left below the heading: Panel would make it as high as the page
        inside = {"gap": "16px", "flex": "1 0 auto", "height": "auto"}
        self._inside = pn.Column(sizing_mode="stretch_width", margin=0, styles=inside)
        centre = pn.Column(
            pn.Row(self._title, sizing_mode="stretch_width", margin=0),
            self._inside,
            sizing_mode="stretch_both",
            margin=0,
            scroll="y-auto",
            styles={"padding": "24px", "gap": "16px", "min-height": "0", "min-width": "0"},
        )
        self.root: pn.viewable.Viewable = pn.Row(
            centre, self._panel.root, sizing_mode="stretch_both", margin=0, styles={"min-height": "0"}
        )
        self._fill()

    def _fill(self) -> None:
        loaded, element = self._loaded, self._loaded.element
        template = type_label(element) if element else ""
        kind = kind_label(element.kind) if element else ""
        stated = element is not None and element.kind in (ElementKind.STEP, ElementKind.DATASET)
        self._title.param.update(
            kind=f"{kind} · {template}" if template else kind,
            title=loaded.title,
            status=element.status.value if element and stated else "",
            about=element.description if element else "",
            item=item_of(element) if element else {},
            adds=[offer.item for offer in loaded.offers],
        )
        self._panel.root.visible = element is not None
        if element is not None:
            self._panel.show(element, loaded.place)
        inside = [*([self._list] if loaded.listed else []), *(self._files.parts if loaded.files is not None else ())]
        if list(self._inside) != inside:
            self._inside[:] = inside
        if element is not None and loaded.files is not None:
            self._files.show(element, loaded.place, loaded.files)
        place, order, children = loaded.place, Order.of(loaded.place), loaded.children
        self._list.param.update(
            empty=loaded.empty,
            ordered=loaded.ordered,
            items=[item_of(child) for child in children.items],
            order=order.choices(place, at_root=element is None),
            pages=order.pages(place, shown=len(children.items), total=children.total),
        )

    def _ask(self, asked: dict[str, Any]) -> None:
        here, inside = self._loaded.element, self._loaded.children.items
        self._title.problem = ""
        if asked["do"] == "add":
            ask_add(self._session, here, str(asked["what"]))
            return
        if "ids" in asked:
            self._ask_many([child for child in inside if str(child.id) in asked["ids"]], asked)
            return
        element = by_id((*inside, *([here] if here else [])), asked["id"])
        if element is None:
            return

        def done(action: ElementAction) -> None:
            if action is ElementAction.DELETE and here is not None and element.id == here.id:
                self._session.go(Place(here.parent_id))
            else:
                self._session.refresh()

        def failed(error: AthenaError) -> None:
            self._title.problem = f"{element.name}: {error}"

        act(self._session, element, asked, done=done, failed=failed)

    def _ask_many(self, chosen: Sequence[Element], asked: dict[str, Any]) -> None:
        def done(refused: Sequence[str]) -> None:
            if refused:
                self._title.problem = f"{len(refused)} of {len(chosen)} could not be done. " + " ".join(refused[:5])
            self._session.refresh()

        act_on_many(self._session, chosen, ElementAction(asked["do"]), done=done)

    def concerns(self, event: Event) -> bool:
        """What is shown, what is listed or comes to it, what lies in what is listed, and names on the way here."""
        here = self._loaded.place.element
        if event.kind in (EventKind.PERMISSIONS_CHANGED, EventKind.ACCESS_CHANGED):
            return True
        if event.kind in (EventKind.METADATA_CHANGED, EventKind.NOTE_CHANGED, EventKind.FILE_CHANGED):
            return event.element_id == here
        listed = {child.id for child in self._loaded.children.items}
        if event.kind in (EventKind.ELEMENT_CREATED, EventKind.ELEMENT_UPDATED):
            # cards count what is in them, and show the status of steps
            return event.element_id in self._way or event.parent_id == here or not listed.isdisjoint(_named(event))
        return event.kind is EventKind.ELEMENT_DELETED and not {here, *listed}.isdisjoint(_named(event))

    @property
    def _way(self) -> set[UUID | None]:
        return {Place.parse(crumb["search"]).element for crumb in self._loaded.crumbs} | {self._loaded.place.element}

    def update(self, data: Any) -> bool:
        """Show a newer reading, or that of another element: nothing has to be made anew in the browser."""
        if not isinstance(data, Listing):
            return False
        if data.place.element != self._loaded.place.element:
            self._title.problem = ""
        self._loaded = data
        self._fill()
        return True

    def said(self, place: Place) -> None:
        """Nothing here leads on by what the address says."""

    def stays_under(self, place: Place) -> bool:
        """It is quick to make again."""
        return False

    def shows(self, place: Place) -> bool:
        """It is never kept, so nobody asks for it again."""
        return False

    def scheme(self, scheme: Scheme) -> None:
        """Style sheets follow by themselves; a viewer is told."""
        self._files.scheme(scheme)

    def tick(self) -> None:
        """Nothing here grows old by itself."""
