"""What the sides of the data panel share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from athena.contract.elements import Element
from athena.contract.people import Role
from athena.errors import AthenaError
from athena.portal.components.asking import Asking
from athena.portal.session import PortalSession

C = TypeVar("C", bound=Asking)
T = TypeVar("T")


class Side(ABC, Generic[C]):
    """One side of the data panel: shows something of an element and changes it. Lives on the session's loop."""

    def __init__(self, session: PortalSession, component: Callable[[Callable[[dict[str, Any]], None]], C]) -> None:
        self._session = session
        self._element: Element | None = None
        self.root = component(self._ask)
        self.root.sizing_mode = "stretch_width"

    def show(self, element: Element) -> None:
        """Show an element, or the same one again as it is now."""
        self._element = element
        self._read(element)

    @abstractmethod
    def _read(self, element: Element) -> None:
        """Ask for what is to be shown, and show it."""

    @abstractmethod
    def _answer(self, element: Element, asked: dict[str, Any]) -> None:
        """Do what the component asked for."""

    def _ask(self, asked: dict[str, Any]) -> None:
        if self._element is not None:
            self._answer(self._element, asked)

    def _fetch(self, element: Element, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Read in a thread; what comes back after another element was chosen is left out."""

        def come(result: T) -> None:
            if self._element is not None and self._element.id == element.id:
                then(result)

        self._session.run(work, come, failed=self._refused)

    def _do(self, element: Element, work: Callable[[], Any]) -> None:
        """Change something in a thread, then show what is now."""
        self._fetch(element, work, lambda _: self._done(element))

    def _done(self, element: Element) -> None:
        self.root.param.update(done=self.root.done + 1, problem="")
        self._read(element)

    def _refused(self, error: AthenaError) -> None:
        # the same words twice are said twice
        self.root.problem = ""
        self.root.problem = str(error)


def may_write(element: Element) -> bool:
    """Whether the visitor may change what an element says."""
    return element.my_role is not Role.VIEWER
