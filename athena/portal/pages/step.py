"""A step: its datasets (WS-05)."""

from dataclasses import dataclass

from athena.contract.elements import Element
from athena.portal.pages.listing import Listing


@dataclass(frozen=True)
class Step(Listing):
    """A step and its datasets."""

    element: Element

    @property
    def empty(self) -> str:
        """For when it has none."""
        return "No dataset is in this step yet." + (" Add dataset makes one." if self.offers else "")
