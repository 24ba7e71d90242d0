"""The side of the data panel that says who may do what with an element (SH-01…05)."""

from typing import Any

from athena.contract.elements import Element
from athena.contract.sharing import GrantChange, Grantee, Permissions, PublicChange
from athena.errors import AthenaError, Invalid
from athena.portal.components.sharing_editor import SharingEditor
from athena.portal.labels import kind_label
from athena.portal.panels.side import Side
from athena.portal.place import Place
from athena.portal.session import PortalSession
from athena.sdk.client import checked


class SharingSide(Side[SharingEditor]):
    """Permissions: seen by all who see the element, changed by its owners."""

    def __init__(self, session: PortalSession) -> None:
        super().__init__(session, SharingEditor)

    def _read(self, element: Element) -> None:
        if self.root.permissions.get("element_id") != str(element.id):
            self.root.param.update(permissions={}, found=[], above=element.parent_id is not None)
        self._fetch(element, lambda: self._session.catalogue.permissions(element.id), self._show)

    def _show(self, permissions: Permissions) -> None:
        source = permissions.source
        self.root.permissions = permissions.model_dump(mode="json") | {
            "source_label": f"{kind_label(source.kind)} {source.name}",
            "source_search": Place(source.id).having(panel="sharing").search,
        }

    def _answer(self, element: Element, asked: dict[str, Any]) -> None:
        catalogue = self._session.catalogue
        match asked.pop("do"):
            case "find":
                self._fetch(element, lambda: catalogue.grantees(asked["text"]), self._offer)
            case "grant":
                try:
                    change = checked(GrantChange, **asked)
                except Invalid as error:
                    self._refused(error)
                    return
                self._change(element, lambda: catalogue.grant(element.id, change))
            case "public":
                wanted = PublicChange(role=asked["role"])
                self._change(element, lambda: catalogue.make_public(element.id, wanted))
            case "inherit":
                self._change(element, lambda: catalogue.inherit_again(element.id))

    def _change(self, element: Element, work: Any) -> None:
        def changed(permissions: Permissions | None) -> None:
            if permissions is None:
                # who gave up the last right here is led to where there is something to see
                self._session.go(Place(element.parent_id))
            else:
                self._done(element)

        self._fetch(element, work, changed)

    def _refused(self, error: AthenaError) -> None:
        super()._refused(error)
        # what was chosen in a list, but refused, is set back to what is
        self.root.permissions = dict(self.root.permissions)

    def _offer(self, found: list[Grantee]) -> None:
        self.root.found = [grantee.model_dump(mode="json") for grantee in found]
