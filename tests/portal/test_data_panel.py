"""The data panel without a browser: what each side shows, writes and refuses."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from athena.contract.elements import Element, ElementKind
from athena.contract.people import Role
from athena.errors import AthenaError
from athena.portal.panels.data_panel import DataPanel
from athena.portal.place import Place
from tests.portal.about import About

WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)


class Desk:
    """What the panel needs of a session; work is done at once."""

    base_url = "api/"

    def __init__(self) -> None:
        self.catalogue = About()
        self.visited: list[Place] = []
        self.refreshed = 0
        self.place = Place()

    def refresh(self) -> None:
        """Count."""
        self.refreshed += 1

    def run(self, work: Callable[[], Any], then: Callable[[Any], None], *, failed: Any = None) -> None:
        """Do it now."""
        try:
            result = work()
        except AthenaError as error:
            failed(error)
        else:
            then(result)

    def go(self, place: Place) -> None:
        """Remember where it went."""
        self.place = place
        self.visited.append(place)

    def say(self, place: Place) -> None:
        """Remember what the address says."""
        self.place = place
        self.visited.append(place)


def folder(*, role: Role = Role.OWNER) -> Element:
    """A folder as the API gives it."""
    return Element(
        id=uuid4(),
        kind=ElementKind.FOLDER,
        name="Top",
        creator="alice",
        created=WHEN,
        updated=WHEN,
        parent_id=uuid4(),
        my_role=role,
        type="",
    )


@pytest.fixture
def desk() -> Desk:
    """A desk to put panels on."""
    return Desk()


def side(desk: Desk, name: str, element: Element) -> tuple[DataPanel, Any]:
    """A panel with a side open, and that side's component."""
    panel = DataPanel(desk)  # type: ignore[arg-type]
    panel.show(element, Place(element.id).having(panel=name))
    (shown,) = [part for part in panel.root[1] if part.visible]
    return panel, shown


@pytest.mark.feature("WS-18")
def test_the_address_says_which_side_is_open_and_four_widths_are_offered(desk: Desk) -> None:
    element = folder()
    panel, _ = side(desk, "notes", element)
    head = panel.root[0]
    assert [tab["name"] for tab in head.tabs if tab["chosen"]] == ["notes"]
    assert [Place.parse(tab["search"]).option("panel") for tab in head.tabs] == ["metadata", "notes", "sharing"]
    panel.show(element, Place(element.id).having(panel="nonsense"))
    assert [tab["name"] for tab in head.tabs if tab["chosen"]] == ["metadata"]
    widths = []
    for name in ("two-thirds", "half", "third", "none"):
        head.width_name = name
        widths.append(panel.root.styles["max-width"])
        assert panel.root[1].visible is (name != "none")
    assert widths == ["66.6%", "50%", "33.3%", "44px"]


@pytest.mark.feature("MD-03", "MD-04")
def test_metadata_is_written_converted_and_removed(desk: Desk) -> None:
    _, editor = side(desk, "metadata", folder())
    assert editor.may_write
    assert editor.quantities[0]["units"][0]["symbol"] == "nm"
    thickness = {"name": "Thickness", "type": "double", "quantity": "length", "unit": "nm"}
    editor._handle_msg({"do": "set", "value": "30", **thickness})
    assert (editor.done, [entry["name"] for entry in editor.entries]) == (1, ["Thickness"])
    editor._handle_msg({"do": "convert", "value": 30, "quantity": "length", "unit": "nm", "to": "Å"})
    assert editor.converted == {"value": 300, "unit": "Å"}
    editor._handle_msg({"do": "names", "text": "Thick"})
    assert editor.names[0]["name"] == "Thickness"
    editor._handle_msg({"do": "set", "value": 1, **thickness, "name": ""})
    assert "name" in editor.problem
    assert editor.done == 1
    editor._handle_msg({"do": "remove", "name": "Thickness"})
    assert (editor.entries, editor.problem) == ([], "")


@pytest.mark.feature("WS-17")
def test_notes_are_markdown_and_nothing_else_of_their_writer_reaches_the_page(desk: Desk) -> None:
    _, notes = side(desk, "notes", folder())
    text = "**Ice** is thin\n\n<img src=x onerror=alert(1)> ![p](https://a.example/p.png) [x](javascript:alert(1))"
    other = str(uuid4())
    links = [{"element_id": other, "title": ""}, {"url": "https://a.example/log", "title": "Log"}]
    notes._handle_msg({"do": "add", "text": text, "links": links})
    (note,) = notes.notes
    assert "<strong>Ice</strong>" in note["html"]
    assert "<img" not in note["html"]
    assert 'href="javascript' not in note["html"]
    assert [link["element_id"] for link in note["links"]] == [other, None]
    notes._handle_msg({"do": "add", "text": "x", "links": [{"url": "javascript:alert(1)", "title": ""}]})
    assert "http" in notes.problem
    assert len(notes.notes) == 1
    notes._handle_msg({"do": "delete", "id": note["id"]})
    assert notes.notes == []


@pytest.mark.feature("SH-02", "SH-03", "SH-04", "SH-05")
def test_sharing_is_changed_refused_and_given_up(desk: Desk) -> None:
    element = folder()
    _, sharing = side(desk, "sharing", element)
    assert sharing.permissions["source_label"] == "Folder Top"
    sharing._handle_msg({"do": "find", "text": "bo"})
    assert sharing.found[0]["name"] == "bob"
    sharing._handle_msg({"do": "grant", "kind": "user", "name": "bob", "role": "collaborator"})
    assert {grant["grantee"]["name"]: grant["role"] for grant in sharing.permissions["grants"]} == {
        "alice": "owner",
        "bob": "collaborator",
    }
    assert not sharing.permissions["inherits"]
    sharing._handle_msg({"do": "public", "role": "viewer"})
    assert sharing.permissions["public"] == "viewer"
    sharing._handle_msg({"do": "inherit"})
    assert sharing.permissions["inherits"]
    sharing._handle_msg({"do": "grant", "kind": "user", "name": "alice", "role": None})
    assert "at least one owner" in sharing.problem
    sharing._handle_msg({"do": "grant", "kind": "user", "name": "bob", "role": "owner"})
    assert desk.visited == []
    sharing._handle_msg({"do": "grant", "kind": "user", "name": "alice", "role": None})
    assert desk.visited == [Place(element.parent_id)]


@pytest.mark.feature("SH-02")
def test_a_viewer_is_offered_no_form(desk: Desk) -> None:
    for name in ("metadata", "notes"):
        _, shown = side(desk, name, folder(role=Role.VIEWER))
        assert shown.may_write is False
