"""The workspace: the folders at the root (WS-01)."""

from dataclasses import dataclass
from typing import Any

from athena.contract.elements import Element, FolderCreate
from athena.portal.catalogue import Catalogue
from athena.portal.components.add_dialog import AddDialog
from athena.portal.order import Order
from athena.portal.pages.listing import Listing, ListingView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View


@dataclass(frozen=True)
class Workspace(Listing):
    """The root folders."""

    def view(self, session: PortalSession) -> View:
        """Folders as cards or list, and a button to add one."""

        def make(name: str, _choice: Any, dialog: AddDialog) -> None:
            def made(folder: Element) -> None:
                dialog.done()
                session.go(Place(folder.id))

            session.run(lambda: session.catalogue.create(FolderCreate(name=name)), made, failed=dialog.refused)

        add = AddDialog("folder", make=make)
        return ListingView(
            self,
            session=session,
            actions=[add.button, add.dialog],
            empty="No folder yet. Add folder makes the first one.",
        )


def read_workspace(catalogue: Catalogue, place: Place) -> Workspace:
    """Read the roots."""
    return Workspace(place, None, [], catalogue.children(None, Order.of(place)))
