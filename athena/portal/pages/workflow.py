"""A workflow: its steps in order (WS-03)."""

from dataclasses import dataclass
from typing import ClassVar

from athena.contract.elements import Element
from athena.portal.pages.listing import Listing


@dataclass(frozen=True)
class Workflow(Listing):
    """A workflow and its steps."""

    element: Element
    ordered: ClassVar[bool] = True

    @property
    def empty(self) -> str:
        """For when it has no step: only a Free workflow can be given some."""
        return "This workflow has no step yet." + (" Add step makes the first one." if self.offers else "")
