"""Sharing, moving, groups and the audit trail, as notebooks do it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from athena.contract.people import Role
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.sdk.sharing import Permissions
from athena.services import users
from tests.sdk.conftest import Running

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "sharing.md"


@pytest.fixture
def connect(running: Running) -> Iterator[Callable[[str], Athena]]:
    """``connect("bob")`` is a connection as a user of that name, who has no role on the platform."""
    made: list[Athena] = []

    def as_user(name: str) -> Athena:
        with running.database.session() as session:
            user = users.ensure_user(session, name)
            token = users.issue_token(session, user.id, "test")
        made.append(Athena(Client(running.instance.api_url, token)))
        return made[-1]

    yield as_user
    for one in made:
        one.close()


@pytest.mark.feature("SH-01", "SH-02", "SH-03", "SH-04", "SH-05")
def test_share_and_take_back(connect: Callable[[str], Athena]) -> None:
    alice, bob = connect("alice"), connect("bob")
    folder = alice.create_folder("Shared out")
    workflow = folder.create_workflow("Day 1")
    with pytest.raises(NotFound):
        bob.element(workflow.id)
    workflow.share("bob", as_="collaborator")
    seen = bob.element(workflow.id)
    assert seen.permissions.users == {"alice": Role.OWNER, "bob": Role.COLLABORATOR}
    assert not seen.permissions.inherits
    assert bob["Day 1/Imaging"].permissions.inherits
    with pytest.raises(Forbidden, match="not share"):
        seen.share("carol")
    with pytest.raises(Invalid, match="no permissions of its own"):
        workflow["Imaging"].share("bob")
    workflow.inherit_again()
    with pytest.raises(NotFound):
        bob.element(workflow.id)
    folder.make_public(as_="collaborator")
    assert bob["Shared out"].permissions.public is Role.COLLABORATOR
    folder.make_private()
    with pytest.raises(NotFound):
        bob["Shared out"]
    connect("carol")
    folder.share("carol", as_="owner").unshare("alice")
    with pytest.raises(NotFound):
        folder.refresh()


@pytest.mark.feature("SH-02")
def test_there_is_always_an_owner(connect: Callable[[str], Athena]) -> None:
    folder = connect("alice").create_folder("Mine")
    for lose in (lambda: folder.unshare("alice"), lambda: folder.share("alice", as_="viewer")):
        with pytest.raises(Conflict, match="without an owner"):
            lose()
    with pytest.raises(Invalid):
        folder.share("alice", as_="emperor")
    with pytest.raises(Invalid, match="either a user or a group"):
        folder.share()
    assert folder.permissions.users == {"alice": Role.OWNER}


@pytest.mark.feature("NB-01", "SH-05")
def test_permissions_show_themselves(connect: Callable[[str], Athena]) -> None:
    alice = connect("alice")
    connect("bob")
    folder = alice.create_folder("Shown <b>").share("bob").make_public()
    shown = folder.permissions
    assert isinstance(shown, Permissions)
    assert repr(shown) == "<Permissions alice: owner, bob: viewer, everybody: viewer>"
    page = folder.create_folder("In").permissions._repr_html_()
    assert "inherited from folder “Shown &lt;b&gt;”" in page
    assert "Everybody" in page


@pytest.mark.feature("BY-08")
def test_groups(athena: Athena, connect: Callable[[str], Athena]) -> None:
    alice, bob = connect("alice"), connect("bob")
    with pytest.raises(Forbidden):
        bob.create_group("Microscopists")
    group = athena.create_group("Microscopists", members=["bob"], description="Titan 3")
    assert bob.groups["Microscopists"].members == ("bob",)
    assert not alice.groups
    folder = alice.create_folder("For the group").share(group="Microscopists", as_="collaborator")
    assert bob["For the group"].permissions.groups == {"Microscopists": Role.COLLABORATOR}
    group.remove("bob")
    with pytest.raises(NotFound):
        bob["For the group"]
    group.add("bob").update(name="Operators")
    assert "Operators" in athena.groups._repr_html_()
    assert folder.permissions.groups == {"Operators": Role.COLLABORATOR}
    folder.unshare(athena.groups["Operators"])
    group.delete()
    with pytest.raises(NotFound):
        athena.groups["Operators"]


@pytest.mark.feature("WS-01", "BY-11")
def test_move_order_and_history(connect: Callable[[str], Athena]) -> None:
    alice = connect("alice")
    there = alice.create_folder("There")
    workflow = alice.create_folder("Here").create_workflow("Day 1", template="free")
    one, two = workflow.create_step("One"), workflow.create_step("Two")
    two.place(before=one)
    assert [step.name for step in workflow] == ["Two", "One"]
    two.place()
    assert [step.name for step in workflow] == ["One", "Two"]
    workflow.move("There").update(name="Day 2")
    assert workflow.path == "There/Day 2"
    assert workflow.parent == there
    history = workflow.audit()
    assert list(history["action"]) == ["renamed", "moved", "created"]
    assert set(history["username"]) == {"alice"}
    assert history["detail"][0] == {"before": "Day 1", "after": "Day 2"}


@pytest.mark.feature("WS-12")
def test_a_stale_object_overwrites_nothing(connect: Callable[[str], Athena]) -> None:
    alice = connect("alice")
    folder = alice.create_folder("First")
    same = alice.element(folder.id)
    folder.update(name="Second")
    for change in (lambda: same.update(name="Third"), lambda: same.move(alice.create_folder("Else"))):
        with pytest.raises(Conflict, match="somebody else"):
            change()
    assert same.refresh().update(name="Third").name == "Third"


@pytest.mark.feature("WS-02")
def test_templates_on_offer(athena: Athena) -> None:
    assert [template.name for template in athena.templates()][:2] == ["free", "spa"]


@pytest.mark.feature("SH-05", "BY-08", "BY-11")
def test_the_guide_does_what_it_says(
    athena: Athena, connect: Callable[[str], Athena], monkeypatch: pytest.MonkeyPatch
) -> None:
    import athena as package

    for name in ("alice", "bob", "carol"):
        connect(name)
    athena.create_folder("Archive 2026")
    athena.create_group("Microscopists")
    monkeypatch.setattr(package, "connect", lambda: athena)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert names["workflow"].path == "Apoferritin/Week 38"
    assert names["group"].members == ("alice", "bob")
    assert names["workflow"].permissions.groups == {"Microscopists": Role.VIEWER}
    assert list(names["workflow"].audit()["action"][-1:]) == ["created"]
