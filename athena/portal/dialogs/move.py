"""Moving elements: a place is chosen in a tree, and what is refused is said (WS-12)."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from athena.contract.elements import DatasetType, Element, ElementKind
from athena.domain.templates import RUN_STEPS
from athena.errors import AthenaError
from athena.portal.dialogs.words import heading, refusals
from athena.portal.labels import kind_label
from athena.portal.place import Place
from athena.portal.session import PortalSession
from athena.portal.tree_feed import TreeFeed

_HOLDERS = {
    ElementKind.FOLDER: ElementKind.FOLDER,
    ElementKind.WORKFLOW: ElementKind.FOLDER,
    ElementKind.DATASET: ElementKind.STEP,
}
"""What each kind can be moved into."""
_UNFOLDED = {ElementKind.FOLDER: ("folder",), ElementKind.STEP: ("folder", "workflow")}
"""What lies above each kind of place."""


def ask_move(session: PortalSession, elements: Sequence[Element]) -> None:
    """Ask where elements go, and move them there."""
    dialog = session.shell.dialog
    left = list(elements)

    def submit(values: dict[str, Any]) -> None:
        target = str(values["target"])
        session.run(partial(_move, session, left, UUID(target) if target else None), moved, failed=refused)

    def moved(reasons: list[str]) -> None:
        if reasons:
            dialog.refuse(refusals(reasons, len(elements), "moved"))
        else:
            dialog.close()
        session.refresh()

    def refused(error: AthenaError) -> None:
        dialog.refuse(str(error))

    form = {
        "label": heading("Move", elements),
        "action": "Move",
        "text": "What lies in it goes with it. Where it has no permissions of its own, it gets those of its new place.",
        "tree": tree_of(elements, session.shell.crumbs.crumbs),
    }
    dialog.ask(form, submit, level=TreeFeed(session, dialog).read)


def tree_of(elements: Sequence[Element], crumbs: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Where elements can be put, as the dialog takes it.

    Parameters
    ----------
    crumbs : the way to the page they are moved from.
    """
    moved = {str(element.id) for element in elements}
    way = [(crumb["kind"], str(Place.parse(crumb["search"]).element)) for crumb in crumbs]
    holders = {_HOLDERS[element.kind] for element in elements}
    runs = [DatasetType(one.type) for one in elements if one.kind is ElementKind.DATASET and one.type != "free"]
    workflows = [named for kind, named in way if kind == kind_label(ElementKind.WORKFLOW)]
    (holder,) = holders if len(holders) == 1 else (ElementKind.FOLDER,)
    return {
        "kinds": [holder.value],
        "unfolds": list(_UNFOLDED[holder]),
        # a run stays in its workflow, in steps that take such runs
        "types": sorted(frozenset.intersection(*(RUN_STEPS[run] for run in runs))) if runs else [],
        "within": workflows[-1] if runs and workflows else "",
        "not": sorted({*moved, *(str(element.parent_id) for element in elements)}),
        "shut": sorted(moved),
        "root": all(one.kind is ElementKind.FOLDER and one.parent_id is not None for one in elements),
        "way": list(dict.fromkeys(named for _, named in way if named not in moved)),
    }


def _move(session: PortalSession, left: list[Element], parent_id: UUID | None) -> list[str]:
    """Move what is left to be moved; what went is left no more. Returns why the others did not."""
    reasons = []
    for element in tuple(left):
        try:
            session.catalogue.move(element, parent_id)
        except AthenaError as error:
            reasons.append(f"{element.name}: {error}")
        else:
            left.remove(element)
    return reasons
