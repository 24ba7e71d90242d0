"""What documents tell browsers of the components they may hold."""

import re
from collections.abc import Iterator
from pathlib import Path

import panel as pn
import panel_material_ui as pmui
import pytest
from bokeh.core.has_props import _default_resolver, is_DataModel
from bokeh.document import Document
from bokeh.model import Model

import athena.portal
from athena.portal.components import script
from athena.portal.definitions import DRAWN, define_what_is_drawn


@pytest.fixture
def only_drawn() -> Iterator[None]:
    """The process as the portal's, and afterwards as it was."""
    before = Model.model_class_reverse_map
    define_what_is_drawn()
    yield
    for name in before.keys() - Model.model_class_reverse_map.keys():
        _default_resolver.add(before[name])


@pytest.mark.usefixtures("only_drawn")
def test_a_document_defines_what_the_portal_draws_and_nothing_else() -> None:
    told = {definition["name"] for definition in Document().to_json(deferred=False)["defs"]}
    assert told == {kind._data_model.__qualified_model__ for kind in (*DRAWN, *script.kinds())}
    assert len(told) < 60


@pytest.mark.usefixtures("only_drawn")
def test_whatever_is_drawn_is_defined() -> None:
    drawn = pn.Column(pmui.Button(label="Go"), pmui.Dialog(pmui.TextInput(), pmui.Alert("No")), pmui.Checkbox())
    used = [type(model) for model in drawn.get_root().references() if is_DataModel(type(model))]
    assert used
    assert set(used) <= set(Model.model_class_reverse_map.values())


def test_every_component_of_material_ui_in_the_sources_is_named() -> None:
    sources = Path(athena.portal.__file__).parent.rglob("*.py")
    used = {name for source in sources for name in re.findall(r"\bpmui\.([A-Z]\w+)", source.read_text())}
    assert used <= {kind.__name__ for kind in DRAWN}
