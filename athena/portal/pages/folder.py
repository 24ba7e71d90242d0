"""A folder: folders and workflows, to any depth (WS-01, WS-02)."""

from dataclasses import dataclass

from athena.contract.elements import Element
from athena.portal.pages.listing import Listing


@dataclass(frozen=True)
class Folder(Listing):
    """A folder and what is in it."""

    element: Element

    @property
    def empty(self) -> str:
        """For when nothing is in it."""
        return "Nothing is in this folder yet." + (" Add workflow starts one." if self.offers else "")
