"""A dataset that no acquisition fills."""

from dataclasses import dataclass
from typing import ClassVar

from athena.portal.pages.listing import Listing


@dataclass(frozen=True)
class Dataset(Listing):
    """A free dataset: its heading and its files."""

    listed: ClassVar[bool] = False

    @property
    def empty(self) -> str:
        """No element is ever in it."""
        return ""
