"""The side of the data panel with an element's metadata (MD-01…06)."""

from typing import Any

from athena.contract.elements import Element, MetadataEntry
from athena.contract.metadata import KnownName, MetadataWrite, Quantity
from athena.errors import Invalid
from athena.portal.components.metadata_editor import MetadataEditor
from athena.portal.panels.side import Side, may_write
from athena.portal.session import PortalSession
from athena.sdk.client import checked


class MetadataSide(Side[MetadataEditor]):
    """Metadata: found, added, changed, removed, exported."""

    def __init__(self, session: PortalSession) -> None:
        super().__init__(session, MetadataEditor)

    def _read(self, element: Element) -> None:
        where = f"{self._session.base_url}elements/{element.id}/metadata"
        if self.root.address != f"{where}/file":
            self.root.param.update(entries=[], waiting=True, address=f"{where}/file", file_name=element.name)
        self.root.may_write = may_write(element)

        def show(entries: list[MetadataEntry]) -> None:
            self.root.param.update(entries=[entry.model_dump(mode="json") for entry in entries], waiting=False)

        self._fetch(element, lambda: self._session.catalogue.metadata(element.id), show)
        if self.root.may_write and not self.root.quantities:
            self._fetch(element, self._session.catalogue.quantities, self._know)

    def _know(self, quantities: list[Quantity]) -> None:
        self.root.quantities = [quantity.model_dump(mode="json") for quantity in quantities]

    def _answer(self, element: Element, asked: dict[str, Any]) -> None:
        catalogue = self._session.catalogue
        match asked.pop("do"):
            case "set":
                try:
                    new = checked(MetadataWrite, **asked)
                except Invalid as error:
                    self._refused(error)
                    return
                self._do(element, lambda: catalogue.set_metadatum(element.id, new))
            case "remove":
                self._do(element, lambda: catalogue.remove_metadatum(element.id, asked["name"]))
            case "convert":
                self._fetch(element, lambda: catalogue.converted(**asked), self._show_converted)
            case "names":
                self._fetch(element, lambda: catalogue.metadata_names(asked["text"]), self._offer)

    def _show_converted(self, answer: dict[str, Any]) -> None:
        self.root.converted = answer

    def _offer(self, names: list[KnownName]) -> None:
        self.root.names = [name.model_dump(mode="json") for name in names]
