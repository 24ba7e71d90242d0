"""All that a page about an element shows of it, in one answer."""

from pydantic import Field

from athena.contract.acquisitions import Acquisition
from athena.contract.base import Wire
from athena.contract.elements import Crumb, Element, ElementPage
from athena.contract.neighbours import Neighbours
from athena.contract.runs import Run


class VisitedAcquisition(Wire):
    """One acquisition of a run with its numbers, and its place among those that are shown."""

    acquisition: Acquisition
    metrics: dict[str, float] = Field(description="Those that are known, by name; none before it is completed.")
    neighbours: Neighbours


class Visit(Wire):
    """An element as it is at one moment, with the way to it and what it holds."""

    element: Element
    breadcrumb: tuple[Crumb, ...]
    children: ElementPage | None = Field(None, description="A page of what lies in it; None of datasets.")
    run: Run | None = Field(None, description="Of a dataset that an acquisition fills.")
    acquisition: VisitedAcquisition | None = Field(None, description="Of a run, where one was asked for.")
