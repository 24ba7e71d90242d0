"""A workflow: its steps in order (WS-03)."""

from dataclasses import dataclass
from typing import Any

from athena.contract.elements import Element, StepCreate
from athena.contract.people import Role
from athena.domain.templates import TEMPLATES
from athena.portal.components.add_dialog import AddDialog
from athena.portal.pages.listing import Listing, ListingView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View


@dataclass(frozen=True)
class Workflow(Listing):
    """A workflow and its steps."""

    element: Element

    def view(self, session: PortalSession) -> View:
        """Steps in order; only a Free workflow can be given more."""
        free = TEMPLATES[self.element.type].own_steps
        if not free or self.element.my_role is Role.VIEWER:
            return ListingView(self, session=session, actions=[], empty="This workflow has no step yet.", ordered=True)
        workflow_id = self.element.id

        def make(name: str, _choice: Any, dialog: AddDialog) -> None:
            def made(step: Element) -> None:
                dialog.done()
                session.go(Place(step.id))

            what = StepCreate(name=name, parent_id=workflow_id)
            session.run(lambda: session.catalogue.create(what), made, failed=dialog.refused)

        add = AddDialog("step", make=make)
        return ListingView(
            self,
            session=session,
            actions=[add.button, add.dialog],
            empty="This workflow has no step yet. Add step makes the first one.",
            ordered=True,
        )
