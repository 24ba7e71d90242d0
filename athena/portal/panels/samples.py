"""The side of the data panel with the samples of a step or dataset (WS-22)."""

from typing import Any
from uuid import UUID

from athena.contract.elements import Element
from athena.contract.samples import ElementSample, Sample, SampleCreate
from athena.errors import Invalid
from athena.portal.components.sample_list import SampleList, linked_item, sample_item
from athena.portal.panels.side import Side, may_write
from athena.portal.sample_words import wanted
from athena.portal.session import PortalSession

FOUND = 20


class SamplesSide(Side[SampleList]):
    """Samples: linked, taken off, registered."""

    def __init__(self, session: PortalSession) -> None:
        super().__init__(session, SampleList)

    def _read(self, element: Element) -> None:
        if self.root.element != str(element.id):
            self.root.param.update(samples=[], found=[], waiting=True, element=str(element.id))
        self.root.may_write = may_write(element)
        catalogue = self._session.catalogue

        def show(samples: list[ElementSample]) -> None:
            self.root.param.update(samples=[linked_item(one) for one in samples], waiting=False)

        self._fetch(element, lambda: catalogue.samples_of(element.id), show)

    def _answer(self, element: Element, asked: dict[str, Any]) -> None:
        catalogue = self._session.catalogue
        match asked["do"]:
            case "find":
                self._fetch(element, lambda: catalogue.samples(asked["text"], limit=FOUND).items, self._offer)
            case "link":
                self._do(element, lambda: catalogue.link_sample(UUID(asked["id"]), element.id))
            case "unlink":
                self._do(element, lambda: catalogue.unlink_sample(UUID(asked["id"]), element.id))
            case "register":
                try:
                    new = wanted(SampleCreate, asked["values"])
                except Invalid as error:
                    self._refused(error)
                    return
                self._do(element, lambda: catalogue.link_sample(catalogue.create_sample(new).id, element.id))

    def _offer(self, found: tuple[Sample, ...]) -> None:
        self.root.found = [sample_item(one) for one in found]
