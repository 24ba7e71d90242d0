"""A dataset that no acquisition fills."""

from dataclasses import dataclass

from athena.portal.pages.listing import Listing, ListingView
from athena.portal.session import PortalSession, View


@dataclass(frozen=True)
class Dataset(Listing):
    """A free dataset."""

    def view(self, session: PortalSession) -> View:
        """Its heading and its files."""
        return ListingView(self, session=session, actions=[], empty="", listed=False)
