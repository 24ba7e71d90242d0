"""A run as it was read for its page, and what its tabs have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from panel.viewable import Viewable

from athena.contract.elements import Element, State
from athena.contract.filters import SavedFilter
from athena.contract.jobs import Job
from athena.contract.named_filters import NamedFilter
from athena.contract.people import Action
from athena.contract.runs import Run
from athena.portal.components.empty_state import EmptyState
from athena.portal.place import RUN_TABS, Place
from athena.portal.plots.report import DrawnReport
from athena.portal.theme import Scheme


@dataclass(frozen=True)
class RunReading:
    """A run, and what its chosen tab needs."""

    place: Place
    run: Run
    crumbs: list[dict[str, str]]
    saved: SavedFilter | None = None
    named: tuple[NamedFilter, ...] = ()
    jobs: tuple[Job, ...] = ()
    report: DrawnReport | None = None
    branch: str | None = None
    """Branch of results that is shown, whose counts ``run`` then has; None: the default one."""

    @property
    def title(self) -> str:
        """Name of the page."""
        return self.run.element.name

    @property
    def element(self) -> Element:
        """The run."""
        return self.run.element

    @property
    def tab(self) -> str:
        """Chosen tab; the gallery where the address names none that is known."""
        return self.place.tab if self.place.tab in RUN_TABS else RUN_TABS[0]


class RunTab(Protocol):
    """One tab of a run's page. Lives on the session's loop; built when it is first looked at."""

    def show(self, reading: RunReading) -> Viewable:
        """Bring it up to date; returns what is to be seen, the same object until that is another one."""

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light was chosen."""


def nothing_yet(asked: Callable[[dict[str, Any]], None] | None = None) -> EmptyState:
    """What a tab shows before there is something to show; ``asked`` hears its button."""
    return EmptyState(asked, sizing_mode="stretch_width", margin=24)


def archived_words(element: Element) -> str:
    """What a tab of an archived run says that has nothing to show, and what to do instead; empty for other runs."""
    if element.state is not State.ARCHIVED:
        return ""
    restore = "Restore it from its menu first" if Action.DELETE in element.may else "Its owner can restore it"
    return f"This run is archived, and nothing was acquired into it. {restore}; then a session folder can fill it."
