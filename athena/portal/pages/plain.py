"""What pages have in common that show no element and are made anew each time they are gone to."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import panel as pn

from athena.contract.events import Event
from athena.errors import AthenaError
from athena.portal.components.answering import Answering
from athena.portal.components.title_bar import TitleBar
from athena.portal.place import Place
from athena.portal.session import PortalSession
from athena.portal.theme import Scheme

T = TypeVar("T")

PAGE_STYLES = {"padding": "24px", "gap": "16px", "min-height": "0", "min-width": "0"}


class PlainPage:
    """Base of what such a page read: it is about no element, and no way leads to it from Home."""

    @property
    def element(self) -> None:
        """None."""
        return None

    @property
    def crumbs(self) -> list[dict[str, str]]:
        """No way from Home."""
        return []


def frame(title: str, *parts: pn.viewable.Viewable) -> pn.Column:
    """The heading of a page and what stands below it."""
    heading = TitleBar(lambda _: None, title=title, sizing_mode="stretch_width")
    return pn.Column(
        pn.Row(heading, sizing_mode="stretch_width", margin=0),
        *parts,
        sizing_mode="stretch_both",
        margin=0,
        scroll="y-auto",
        styles=PAGE_STYLES,
    )


class PlainView(ABC):
    """A view that is quick to make again: none is kept, its style sheets follow the scheme, nothing grows old."""

    root: pn.viewable.Viewable

    @abstractmethod
    def concerns(self, event: Event) -> bool:
        """Whether an event may change what is shown."""

    @abstractmethod
    def update(self, data: Any) -> bool:
        """Show newer data in place."""

    def said(self, place: Place) -> None:  # noqa: B027
        """Nothing here leads on by what the address says."""

    def stays_under(self, place: Place) -> bool:
        """It is not kept."""
        return False

    def shows(self, place: Place) -> bool:
        """It is never kept, so nobody asks for it again."""
        return False

    def scheme(self, scheme: Scheme) -> None:  # noqa: B027  most views have nothing to do
        """Style sheets follow by themselves."""

    def tick(self) -> None:  # noqa: B027
        """Nothing here grows old."""


def attempt(
    session: PortalSession, board: Answering, work: Callable[[], T], *, then: Callable[[T], None] | None = None
) -> None:
    """Do in a thread what a component asked for, and tell it how that ended; done, the page is read again."""
    board.problem = ""

    def done(result: T) -> None:
        if then is not None:
            then(result)
        board.done += 1
        session.refresh()

    def refused(error: AthenaError) -> None:
        board.problem = str(error)

    session.run(work, done, failed=refused)
