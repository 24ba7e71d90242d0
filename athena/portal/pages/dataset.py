"""A dataset that no acquisition fills."""

from dataclasses import dataclass

from athena.portal.pages.listing import Listing, ListingView
from athena.portal.session import PortalSession, View


@dataclass(frozen=True)
class Dataset(Listing):
    """A free dataset."""

    def view(self, session: PortalSession) -> View:
        """Its heading; it holds no file yet."""
        return ListingView(self, session=session, actions=[], empty="This dataset is empty.")
