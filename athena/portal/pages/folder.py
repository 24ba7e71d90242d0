"""A folder: folders and workflows, to any depth (WS-01, WS-02)."""

from dataclasses import dataclass
from typing import Any

from athena.contract.elements import Element, FolderCreate, Template, WorkflowCreate
from athena.contract.people import Role
from athena.portal.components.add_dialog import AddDialog
from athena.portal.labels import TEMPLATES
from athena.portal.pages.listing import Listing, ListingView
from athena.portal.place import Place
from athena.portal.session import PortalSession, View

DEFAULT_TEMPLATE = Template.SPA_QUALITY_MONITOR


@dataclass(frozen=True)
class Folder(Listing):
    """A folder and what is in it."""

    element: Element

    def view(self, session: PortalSession) -> View:
        """Contents, and buttons to add a folder or a workflow where the visitor may."""
        if self.element.my_role is Role.VIEWER:
            return ListingView(self, session=session, actions=[], empty="Nothing is in this folder yet.")
        folder_id = self.element.id

        def made(element: Element, dialog: AddDialog) -> None:
            dialog.done()
            session.go(Place(element.id))

        def make_folder(name: str, _choice: Any, dialog: AddDialog) -> None:
            what = FolderCreate(name=name, parent_id=folder_id)
            session.run(lambda: session.catalogue.create(what), lambda new: made(new, dialog), failed=dialog.refused)

        def make_workflow(name: str, template: str, dialog: AddDialog) -> None:
            what = WorkflowCreate(name=name, parent_id=folder_id, template=template)
            session.run(lambda: session.catalogue.create(what), lambda new: made(new, dialog), failed=dialog.refused)

        add_folder = AddDialog("folder", make=make_folder)
        ordered = sorted(TEMPLATES, key=lambda template: template != DEFAULT_TEMPLATE)
        add_workflow = AddDialog(
            "workflow",
            make=make_workflow,
            choices={TEMPLATES[template]: template for template in ordered},
            choice_label="Template (it cannot be changed later)",
        )
        add_folder.button.variant = "outlined"
        return ListingView(
            self,
            session=session,
            actions=[add_folder.button, add_workflow.button, add_folder.dialog, add_workflow.dialog],
            empty="Nothing is in this folder yet. Add workflow starts one.",
        )
