"""A step: its datasets (WS-05)."""

from dataclasses import dataclass

from athena.contract.elements import DatasetCreate, DatasetType, Element
from athena.contract.people import Role
from athena.portal.components.add_dialog import AddDialog
from athena.portal.labels import DATASET_TYPES
from athena.portal.pages.listing import Listing, ListingView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View

RUN_TYPES: dict[str, tuple[DatasetType, ...]] = {
    "Screening": (DatasetType.EPU_RUN,),
    "Imaging": (DatasetType.EPU_RUN,),
}
"""Which runs the portal offers to make, by template step; the API decides whether it may be."""


@dataclass(frozen=True)
class Step(Listing):
    """A step and its datasets."""

    element: Element

    def view(self, session: PortalSession) -> View:
        """Datasets, and a button to add one."""
        if self.element.my_role is Role.VIEWER:
            return ListingView(self, session=session, actions=[], empty="No dataset is in this step yet.")
        step_id = self.element.id
        types = (*RUN_TYPES.get(self.element.type or self.element.name, ()), DatasetType.FREE)

        def make(name: str, kind: DatasetType, dialog: AddDialog) -> None:
            def made(dataset: Element) -> None:
                dialog.done()
                session.go(Place(dataset.id))

            what = DatasetCreate(name=name, parent_id=step_id, type=kind)
            session.run(lambda: session.catalogue.create(what), made, failed=dialog.refused)

        add = AddDialog(
            "dataset", make=make, choices={DATASET_TYPES[kind]: kind for kind in types}, choice_label="Type"
        )
        return ListingView(
            self,
            session=session,
            actions=[add.button, add.dialog],
            empty="No dataset is in this step yet. Add dataset makes one.",
        )
