"""The workspace: the folders at the root (WS-01)."""

from dataclasses import dataclass

from athena.portal.catalogue import Catalogue
from athena.portal.order import Order
from athena.portal.pages.listing import Listing
from athena.portal.place import Place


@dataclass(frozen=True)
class Workspace(Listing):
    """The root folders."""

    @property
    def empty(self) -> str:
        """For when there is none."""
        return "No folder yet. Add folder makes the first one."


def read_workspace(catalogue: Catalogue, place: Place) -> Workspace:
    """Read the roots."""
    return Workspace(place, None, [], catalogue.children(None, Order.of(place)))
