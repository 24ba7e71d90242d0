"""Listings without a browser: what is made in them, and one view for all elements."""

from typing import Any

import pytest

from athena.contract.elements import ElementKind
from athena.portal.pages.dataset import Dataset
from athena.portal.pages.folder import Folder
from athena.portal.pages.step import Step
from athena.portal.pages.workspace import Workspace
from athena.portal.place import Place
from tests.portal.test_views import Tab, element, elements


@pytest.fixture
def tab() -> Tab:
    """A browser tab without a browser."""
    return Tab()


@pytest.mark.feature("WS-01", "WS-02", "WS-05")
def test_what_is_made_is_asked_for_and_gone_to(tab: Any) -> None:
    made = element(ElementKind.DATASET, type="epu_run")
    asked: list[Any] = []
    tab.catalogue.create = lambda new: asked.append(new) or made
    step = element(ElementKind.STEP, type="Imaging")
    view: Any = Step(Place(step.id), step, [], elements()).view(tab)
    view._title._handle_msg({"do": "add", "what": "folder"})
    assert tab.shell.dialog.form == {}
    view._title._handle_msg({"do": "add", "what": "dataset"})
    form = tab.shell.dialog.form
    assert [value for value, _ in form["fields"][1]["options"]] == ["epu_run", "free"]
    submit = {"do": "submit", "number": form["number"]}
    for name, reason in ((" ", "Give it a name."), ("a/b", "name")):
        tab.shell.dialog._handle_msg(submit | {"values": {"name": name, "choice": "epu_run"}})
        assert reason in tab.shell.dialog.answer["problem"]
    assert asked == []
    tab.shell.dialog._handle_msg(submit | {"values": {"name": " Grid 3 ", "choice": "epu_run"}})
    assert (asked[0].name, asked[0].parent_id, asked[0].type) == ("Grid 3", step.id, "epu_run")
    assert (tab.visited, tab.shell.dialog.form) == ([Place(made.id)], {})


@pytest.mark.feature("WS-08")
def test_another_element_is_shown_in_the_same_view(tab: Any) -> None:
    folder, step = element(ElementKind.FOLDER, name="Top"), element(ElementKind.STEP, name="Imaging")
    view: Any = Folder(Place(folder.id), folder, [], elements(folder)).view(tab)
    view._title.problem = "Refused."
    assert view.update(Step(Place(step.id), step, [], elements()))
    assert (view._title.title, view._title.problem, view._list.items) == ("Imaging", "", [])
    assert view.update(Workspace(Place(), None, [], elements()))
    assert not view._panel.root.visible
    assert view._title.item == {}
    assert view.update(Dataset(Place(step.id), element(ElementKind.DATASET, type="free"), [], elements()))
    assert view._list not in list(view._inside)
    assert not view.update(object())
