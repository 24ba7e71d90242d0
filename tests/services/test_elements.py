"""Making, listing, opening and changing elements of the tree."""

from collections.abc import Callable

import pytest

from athena.contract.elements import (
    Template,
)
from athena.contract.people import Role
from athena.db.engine import Database
from athena.domain.templates import TEMPLATES
from athena.services import elements

Make = Callable[..., object]


@pytest.mark.feature("WS-01")
def test_folders_hold_folders_and_the_root_lists_them(database: Database, make_user, make_folder) -> None:
    alice = make_user()
    outer = make_folder(alice, "Project")
    inner = make_folder(alice, "  2024 ", parent=outer)
    with database.session(read_only=True) as session:
        top = elements.list_children(session, alice, None)
        below = elements.list_children(session, alice, outer.id)
    assert [one.name for one in top.items] == ["Project"]
    assert top.items[0].child_count == 1
    assert [one.id for one in below.items] == [inner.id]
    assert inner.name == "2024"
    assert inner.my_role is Role.OWNER
    assert inner.creator == "alice"


@pytest.mark.feature("WS-02", "WS-03")
@pytest.mark.parametrize("template", list(Template))
def test_workflow_comes_with_its_steps(database: Database, make_user, make_workflow, template: Template) -> None:
    alice = make_user()
    workflow = make_workflow(alice, template=template)
    assert workflow.type == template.value
    assert tuple(step.name for step in workflow.steps) == TEMPLATES[template].steps
    with database.session(read_only=True) as session:
        listed = elements.list_children(session, alice, workflow.id)
    assert [one.position for one in listed.items] == list(range(len(TEMPLATES[template].steps)))
    assert all(one.type == one.name for one in listed.items)
