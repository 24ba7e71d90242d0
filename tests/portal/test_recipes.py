"""The lines that make a page in a notebook: Python that names what is shown."""

import ast
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import nbformat
import pytest

from athena.contract.elements import Element, ElementKind
from athena.contract.people import Role
from athena.portal.loading import _PAGES
from athena.portal.place import MICROGRAPH_TABS, RUN_TABS, Place
from athena.portal.recipes import recipe, recipe_notebook
from athena.sdk.connection import Athena
from athena.sdk.elements import Element as SdkElement
from athena.sdk.runs import Run

WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)
ID = UUID(int=7)


def made(kind: ElementKind, type: str, name: str = "Grid 3") -> Element:
    """An element with a number that is easy to find."""
    given: dict[str, Any] = {"creator": "alice", "created": WHEN, "updated": WHEN, "parent_id": None}
    return Element(id=ID, kind=kind, type=type, name=name, my_role=Role.OWNER, **given)


RUN = made(ElementKind.DATASET, "epu_run")
FOLDER = made(ElementKind.FOLDER, "")


@pytest.mark.feature("NB-03")
@pytest.mark.parametrize(
    ("place", "element"),
    [
        *((Place(page=page), None) for page in _PAGES if page != "guide"),
        *((Place(ID).having(panel=side), FOLDER) for side in ("", "metadata", "notes", "sharing")),
        *((Place(ID, tab), RUN) for tab in ("", *RUN_TABS)),
        *((Place(ID, tab, 3), RUN) for tab in ("", *MICROGRAPH_TABS)),
        *((Place(ID, tab).having(branch="fine"), RUN) for tab in ("", *RUN_TABS)),
        *((Place(ID, tab, 3).having(branch="fine"), RUN) for tab in ("", *MICROGRAPH_TABS)),
    ],
)
def test_every_page_has_lines_that_the_sdk_understands(place: Place, element: Element | None) -> None:
    tree = ast.parse(recipe(place, element))
    owners = {"a": Athena, "run": Run, "element": SdkElement}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in owners:
            assert hasattr(owners[node.value.id], node.attr)
        if isinstance(node, ast.ImportFrom):
            import athena_widgets

            assert all(hasattr(athena_widgets, name.name) for name in node.names)
    assert element is None or str(ID) in recipe(place, element)


@pytest.mark.feature("NB-03")
def test_a_name_and_a_search_cannot_become_other_code() -> None:
    code = recipe(Place(ID), made(ElementKind.FOLDER, "", name="x # y"))
    assert code.endswith("# x # y\nelement")
    place = Place.parse("?p=search&q=it's+%22here%22&kind=dataset,file&in=name&since=2026-05-01")
    (call,) = [node for node in ast.walk(ast.parse(recipe(place, None))) if isinstance(node, ast.Call)][-1:]
    assert {word.arg: ast.literal_eval(word.value) for word in call.keywords} == {
        "text": 'it\'s "here"',
        "since": "2026-05-01",
        "kind": ["dataset", "file"],
        "within": ["name"],
    }


@pytest.mark.feature("NB-03")
def test_a_recipe_is_a_notebook_with_a_cell_for_each_thing_to_look_at() -> None:
    code = recipe(Place(ID, "motion", 3).having(branch="fine"), RUN)
    notebook = nbformat.reads(recipe_notebook(code), as_version=4)
    nbformat.validate(notebook)
    first, *looks = [cell.source for cell in notebook.cells]
    assert looks == ["ImageViewer(run, 3, branch='fine')", "MotionTraces(run, 3, branch='fine')"]
    assert "\n".join((first, *looks)) == code
